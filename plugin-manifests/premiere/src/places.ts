import { Refusal } from "./refusal";
import { FrameRange, Shot, Timeline, Track, TrackItem } from "./sequence";

export type JobKind = "broll" | "extend" | "fill";

/** Where new frames go, and the shots they join. */
export interface Place {
  readonly kind: JobKind;
  readonly range: FrameRange;
  /** The video track from 0; one past the last means a new one. */
  readonly track: number;
  readonly before?: Shot;
  readonly after?: Shot;
  /** What the user should know about the place. */
  readonly notice: string;
}

/** A clip over everything between the in and the out mark, on the lowest track above V1 that is free there. */
export function broll(timeline: Timeline): Place {
  const range = { start: timeline.marks.start, end: Math.min(timeline.marks.end, timeline.end) };
  if (range.end <= range.start || range.start < 0)
    throw new Refusal("The sequence has no frames between its in and its out mark: set both (I and O) around the frames to cover.", "RANGE_MISSING");
  return { kind: "broll", range, track: freeTrack(timeline, range, 1), notice: "" };
}

/** So many frames after the selected clip's end, or before its start. */
export async function extend(timeline: Timeline, edge: "tail" | "head", frames: number): Promise<Place> {
  if (!Number.isInteger(frames) || frames < 1) throw new Refusal("Say by how many frames the clip is made longer: 1 or more.", "RANGE_EMPTY");
  const { track, clip: selected } = selectedClip(timeline);
  const clip = await selected.shot();
  if (clip.path === null) throw new Refusal(clip.problem, "MEDIA_OFFLINE");
  const cut = edge === "tail" ? clip.end : clip.start;
  checkTransition(track, cut, clip.name);
  const range = edge === "tail" ? { start: cut, end: cut + frames } : { start: cut - frames, end: cut };
  if (range.start < 0)
    throw new Refusal(`${clip.name} begins ${cut} frames into the sequence, so ${frames} frames do not fit before it: ask for fewer, or move it on.`, "RANGE_OUTSIDE");
  const isFree = freeOn(track, range);
  return {
    kind: "extend",
    range,
    track: isFree ? track.index : freeTrack(timeline, range, track.index + 1),
    ...(edge === "tail" ? { before: clip } : { after: clip }),
    notice: isFree ? "" : `The frames ${edge === "tail" ? "after" : "before"} ${clip.name} are not free on ${track.name}, so the new ones go on a track above.`,
  };
}

/** The gap at the playhead, on the lowest track that has one there between two shots. */
export async function fill(timeline: Timeline): Promise<Place> {
  let lonely: string | undefined;
  for (const track of timeline.tracks) {
    const at = timeline.playhead;
    if (track.clips.some((clip) => clip.start <= at && at < clip.end)) continue;
    const first = track.clips.filter((clip) => clip.end <= at).at(-1);
    const second = track.clips.find((clip) => clip.start > at);
    if (!first || !second) {
      if (first || second) lonely ??= `${track.name} has no shot ${first ? "after" : "before"} the playhead to lead ${first ? "into" : "from"}: use B-roll, or extend the shot beside it.`;
      continue;
    }

    const [before, after] = [await first.shot(), await second.shot()];
    for (const shot of [before, after]) if (shot.path === null) throw new Refusal(shot.problem, "MEDIA_OFFLINE");
    checkTransition(track, before.end, before.name);
    checkTransition(track, after.start, after.name);
    return { kind: "fill", range: { start: before.end, end: after.start }, track: track.index, before, after, notice: "" };
  }

  throw new Refusal(lonely ?? "There is no gap at the playhead: put it into the gap between two shots.", "GAP_NOT_FOUND");
}

/** Whether a track has nothing in that range. */
export function freeOn(track: Track, range: FrameRange): boolean {
  return [...track.clips, ...track.transitions].every((item) => item.end <= range.start || range.end <= item.start);
}

// Above everything that is seen there, so that nothing hides the clip. Switched-off tracks hide nothing, and show nothing either.
function freeTrack(timeline: Timeline, range: FrameRange, from: number): number {
  const lowest = timeline.tracks.reduce((above, track) => (track.muted || freeOn(track, range) ? above : Math.max(above, track.index + 1)), from);
  return timeline.tracks.find((track) => track.index >= lowest && !track.muted && freeOn(track, range))?.index ?? timeline.tracks.length;
}

function selectedClip(timeline: Timeline): { track: Track; clip: TrackItem } {
  const selected = timeline.tracks.flatMap((track) => track.clips.filter((clip) => clip.selected).map((clip) => ({ track, clip })));
  if (selected.length !== 1)
    throw new Refusal(selected.length === 0 ? "No clip is selected: click the one to make longer." : "Several clips are selected: click the one to make longer.", "CLIP_NOT_NAMED");
  return selected[0]!;
}

// Frames under a transition belong to two shots: what would join there is neither's next frame.
function checkTransition(track: Track, cut: number, name: string): void {
  if (track.transitions.some((transition) => transition.start <= cut && cut <= transition.end))
    throw new Refusal(`${name} has a transition at that end: remove it first.`, "TRANSITION");
}
