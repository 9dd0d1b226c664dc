import { ContextJson, FrameRateJson, JobSpecJson, MediaInfoJson } from "./contract";
import { Place } from "./places";
import { Shot, Timeline } from "./sequence";
import { convertFrames, frameAt, Rate, rate, ticksOf, timecode } from "./ticks";

/** What the user asks for beside the place. */
export interface Wishes {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly takes: number;
  readonly seed: string;
  readonly model: string;
  readonly preset: string;
  readonly codec: string;
  readonly generateOverHandles: boolean;
}

const KINDS = { broll: "BROLL", extend: "EXTEND", fill: "FILL" } as const;

/**
 * The job as the host takes it.
 * @param media What the host found in the neighbours' files, by path.
 */
export function specOf(timeline: Timeline, place: Place, wishes: Wishes, media: ReadonlyMap<string, MediaInfoJson>): JobSpecJson {
  const frames = place.range.end - place.range.start;
  const isExtension = place.kind === "extend";
  return {
    kind: KINDS[place.kind],
    prompt: wishes.prompt.trim(),
    ...(wishes.negativePrompt.trim() ? { negativePrompt: wishes.negativePrompt.trim() } : {}),
    delivery: {
      size: { width: timeline.width, height: timeline.height },
      rate: rateJson(timeline.rate),
      frames: String(frames),
      codec: wishes.codec,
      startTimecode: timecode(timeline.zero + place.range.start, timeline.rate, timeline.dropFrame),
    },
    ...(place.before ? { contextBefore: context(timeline, place.before, media, isExtension ? "tail" : undefined) } : {}),
    ...(place.after ? { contextAfter: context(timeline, place.after, media, isExtension ? "head" : undefined) } : {}),
    takes: wishes.takes,
    ...(wishes.seed ? { seed: wishes.seed } : {}),
    ...(wishes.model ? { model: wishes.model } : {}),
    ...(wishes.preset ? { sampler: { preset: wishes.preset } } : {}),
    placement: {
      application: "premiere",
      timeline: timeline.name,
      track: `V${place.track + 1}`,
      recordRange: { start: String(place.range.start), duration: String(frames) },
    },
    ...(wishes.generateOverHandles ? { generateOverHandles: true } : {}),
  };
}

/** Frames of the sequence's rate that the clip's media still holds past its end or before its start. */
export function handles(timeline: Timeline, clip: Shot, info: MediaInfoJson, edge: "tail" | "head"): number {
  if (info.still || clip.speed !== 1) return 0;
  const own = mediaRate(info, timeline);
  const shown = shownFrames(timeline, clip, own);
  return convertFrames(edge === "tail" ? Math.max(0, Number(info.frames ?? "0") - shown.end) : shown.start, own, timeline.rate);
}

/** The frames of the media that the clip shows, counted at the media's own rate. */
export function shownFrames(timeline: Timeline, clip: Shot, own: Rate): { start: number; end: number } {
  const lastFrame = clip.sourceIn + ticksOf(clip.end - clip.start - 1, timeline.rate);
  return { start: Math.max(0, frameAt(clip.sourceIn, own)), end: frameAt(lastFrame, own) + 1 };
}

function context(timeline: Timeline, clip: Shot, media: ReadonlyMap<string, MediaInfoJson>, edge: "tail" | "head" | undefined): ContextJson {
  const info = media.get(clip.path!) ?? {};
  const own = mediaRate(info, timeline);
  const shown = shownFrames(timeline, clip, own);
  return {
    segment: {
      media: { path: clip.path! },
      range: { start: String(shown.start), duration: String(shown.end - shown.start) },
      rate: rateJson(own),
      ...(clip.speed === 1 ? {} : { timeScalar: clip.speed }),
    },
    ...(edge ? { handleFrames: String(handles(timeline, clip, info, edge)) } : {}),
  };
}

function mediaRate(info: MediaInfoJson, timeline: Timeline): Rate {
  return info.rate ? rate(BigInt(info.rate.numerator), BigInt(info.rate.denominator || "1")) : timeline.rate;
}

function rateJson(of: Rate): FrameRateJson {
  return { numerator: String(of.numerator), denominator: String(of.denominator) };
}
