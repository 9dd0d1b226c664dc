import type { premierepro, Project, Sequence, TickTime, VideoClipTrackItem } from "@adobe/premierepro";
import { Refusal } from "./refusal";
import { frameAt, isFrameStart, Rate, rateOfTimebase } from "./ticks";

/** A half-open range of frames of the sequence, counted from its first frame whatever its timecode. */
export interface FrameRange {
  readonly start: number;
  readonly end: number;
}

/** A clip or a transition on a video track, as it was when the sequence was read. */
export interface TrackItem extends FrameRange {
  readonly name: string;
  readonly selected: boolean;
  /** Ticks of the first frame shown and after the last one, from the beginning of the media. */
  readonly sourceIn: bigint;
  readonly sourceOut: bigint;
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
  const size = await sequence.getFrameSize();
  const frame = (time: TickTime) => frameAt(BigInt(time.ticks), rate);
  const display = await sequence.getSequenceVideoTimeDisplayFormat();
  const tracks: Track[] = [];
  const count = await sequence.getVideoTrackCount();
  for (let index = 0; index < count; index++) {
    const track = await sequence.getVideoTrack(index);
    const clips: TrackItem[] = [];
    for (const item of track.getTrackItems(ppro.Constants.TrackItemType.CLIP, false)) clips.push(await readItem(ppro, item, frame));
    const transitions: FrameRange[] = [];
    for (const item of track.getTrackItems(ppro.Constants.TrackItemType.TRANSITION, false))
      transitions.push({ start: frame(await item.getStartTime()), end: frame(await item.getEndTime()) });
    tracks.push({ index, name: `V${index + 1}`, clips: clips.sort((a, b) => a.start - b.start), transitions, muted: await track.isMuted() });
  }

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

  async function readItem(host: premierepro, item: VideoClipTrackItem, frameOf: (time: TickTime) => number): Promise<TrackItem> {
    const [start, end] = [await item.getStartTime(), await item.getEndTime()];
    const name = await item.getName();
    const offGrid = [start, end].some((time) => !isFrameStart(BigInt(time.ticks), rate));
    const { path, problem } = offGrid
      ? { path: null, problem: `${name} does not begin and end on frames of the sequence: nudge it onto a frame first.` }
      : await mediaOf(host, item, name);
    const speed = await item.getSpeed();
    return {
      name,
      start: frameOf(start),
      end: frameOf(end),
      selected: await item.getIsSelected(),
      sourceIn: BigInt((await item.getInPoint()).ticks),
      sourceOut: BigInt((await item.getOutPoint()).ticks),
      speed: (await item.isSpeedReversed()) ? -speed : speed,
      path,
      problem,
    };
  }
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
