import type { premierepro, Project, Sequence, TickTime, VideoClipTrackItem } from "@adobe/premierepro";
import { Refusal } from "./refusal";
import { frameAt, isFrameStart, Rate, rateOfTimebase } from "./ticks";

/** A half-open range of frames of the sequence, counted from its first frame whatever its timecode. */
export interface FrameRange {
  readonly start: number;
  readonly end: number;
}

/** A clip on a video track, as it was when the sequence was read. */
export interface TrackItem extends FrameRange {
  readonly selected: boolean;
  /** Asks Premiere for the rest: a question a clip and property, of which a long sequence has too many to ask all. */
  shot(): Promise<Shot>;
}

/** What a clip shows. */
export interface Shot extends FrameRange {
  readonly name: string;
  /** Ticks of the first frame shown, from the beginning of the media. */
  readonly sourceIn: bigint;
  /** 1 as shot, negative backwards. */
  readonly speed: number;
  /** The media's file; null where the clip has none (a title, a nested sequence) or it is offline. */
  readonly path: string | null;
  /** Why there is no file. */
  readonly problem: string;
}

export interface Track {
  readonly index: number;
  readonly name: string;
  readonly clips: readonly TrackItem[];
  readonly transitions: readonly FrameRange[];
  /** Its output is switched off. */
  readonly muted: boolean;
}

/** Everything of a sequence that a job needs. */
export interface Timeline {
  readonly name: string;
  readonly project: string;
  readonly rate: Rate;
  readonly width: number;
  readonly height: number;
  /** The frame number that the first frame's timecode stands for. */
  readonly zero: number;
  readonly dropFrame: boolean;
  readonly marks: FrameRange;
  readonly end: number;
  readonly playhead: number;
  readonly tracks: readonly Track[];
}

/** The project and sequence that are open. */
export interface Opened {
  readonly project: Project;
  readonly sequence: Sequence;
}

/** The sequence the user works in. Refuses when there is none. */
export async function open(ppro: premierepro): Promise<Opened> {
  const project = await ppro.Project.getActiveProject();
  if (!project) throw new Refusal("No project is open.", "NO_SEQUENCE");
  const sequence = await project.getActiveSequence();
  if (!sequence) throw new Refusal("No sequence is open: open one in the timeline.", "NO_SEQUENCE");
  return { project, sequence };
}

/** Reads the sequence. Nothing of it is changed. */
export async function read(ppro: premierepro, { project, sequence }: Opened): Promise<Timeline> {
  const rate = rateOfTimebase(await sequence.getTimebase());
  const frame = (time: TickTime) => frameAt(BigInt(time.ticks), rate);
  const count = await sequence.getVideoTrackCount();
  const tracks = await Promise.all(Array.from({ length: count }, (_, index) => readTrack(index)));
  const [size, display] = [await sequence.getFrameSize(), await sequence.getSequenceVideoTimeDisplayFormat()];
  return {
    name: sequence.name,
    project: project.path,
    rate,
    width: Math.round(size.width),
    height: Math.round(size.height),
    zero: frame(await sequence.getZeroPoint()),
    dropFrame: display.type === ppro.Constants.VideoDisplayFormatType.FPS_29_97,
    marks: { start: frame(await sequence.getInPoint()), end: frame(await sequence.getOutPoint()) },
    end: frame(await sequence.getEndTime()),
    playhead: frame(await sequence.getPlayerPosition()),
    tracks,
  };

  async function readTrack(index: number): Promise<Track> {
    const track = await sequence.getVideoTrack(index);
    // All at once: Premiere answers each in turn, and a sequence of a film has thousands.
    const [clips, transitions, muted] = await Promise.all([
      Promise.all(track.getTrackItems(ppro.Constants.TrackItemType.CLIP, false).map(readItem)),
      Promise.all(track.getTrackItems(ppro.Constants.TrackItemType.TRANSITION, false).map(readRange)),
      track.isMuted(),
    ]);
    return { index, name: `V${index + 1}`, clips: clips.sort((a, b) => a.start - b.start), transitions: transitions.map(({ range }) => range), muted };
  }

  async function readRange(item: { getStartTime(): Promise<TickTime>; getEndTime(): Promise<TickTime> }) {
    const [start, end] = await Promise.all([item.getStartTime(), item.getEndTime()]);
    return { range: { start: frame(start), end: frame(end) }, offGrid: [start, end].some((time) => !isFrameStart(BigInt(time.ticks), rate)) };
  }

  async function readItem(item: VideoClipTrackItem): Promise<TrackItem> {
    const [{ range, offGrid }, selected] = await Promise.all([readRange(item), item.getIsSelected()]);
    return { ...range, selected, shot: () => shotOf(ppro, item, range, offGrid) };
  }
}

async function shotOf(ppro: premierepro, item: VideoClipTrackItem, range: FrameRange, offGrid: boolean): Promise<Shot> {
  const name = await item.getName();
  const { path, problem } = offGrid
    ? { path: null, problem: `${name} does not begin and end on frames of the sequence: nudge it onto a frame first.` }
    : await mediaOf(ppro, item, name);
  const speed = await item.getSpeed();
  return {
    ...range,
    name,
    sourceIn: BigInt((await item.getInPoint()).ticks),
    speed: (await item.isSpeedReversed()) ? -speed : speed,
    path,
    problem,
  };
}

async function mediaOf(ppro: premierepro, item: VideoClipTrackItem, name: string): Promise<{ path: string | null; problem: string }> {
  const none = (problem: string) => ({ path: null, problem });
  if (await item.isDisabled()) return none(`${name} is disabled: enable it, or remove it to make room.`);
  if (await item.isAdjustmentLayer()) return none(`${name} is an adjustment layer and has no pictures of its own: choose a shot.`);
  const projectItem = await item.getProjectItem();
  const clip = projectItem ? ppro.ClipProjectItem.cast(projectItem) : null;
  if (!clip) return none(`${name} has no media of its own: choose a shot that comes from a file.`);
  if (await clip.isSequence()) return none(`${name} is a nested sequence: render and replace it first, or choose a shot that comes from a file.`);
  if (await clip.isMulticamClip()) return none(`${name} is a multi-camera clip: flatten it first.`);
  if (await clip.isOffline()) return none(`The media of ${name} is offline: relink it.`);
  const path = await clip.getMediaFilePath();
  return path ? { path, problem: "" } : none(`${name} comes from no file: choose a shot that does.`);
}
