// The parts of editorbridge.v1 that the panel uses, as the host's JSON has them. Numbers of 64 bits are text there.

export interface FrameRateJson {
  numerator: string;
  denominator: string;
}

export interface SegmentJson {
  media: { path: string };
  range: { start: string; duration: string };
  rate?: FrameRateJson;
  timeScalar?: number;
}

export interface ContextJson {
  segment: SegmentJson;
  handleFrames?: string;
}

export interface JobSpecJson {
  kind: "BROLL" | "EXTEND" | "FILL";
  prompt: string;
  negativePrompt?: string;
  delivery: {
    size: { width: number; height: number };
    rate: FrameRateJson;
    frames: string;
    codec?: string;
    startTimecode?: string;
  };
  contextBefore?: ContextJson;
  contextAfter?: ContextJson;
  takes?: number;
  seed?: string;
  model?: string;
  sampler?: { preset?: string };
  placement?: {
    application: string;
    timeline: string;
    track: string;
    recordRange: { start: string; duration: string };
  };
  generateOverHandles?: boolean;
}

export interface PlanJson {
  model?: string;
  feasible?: boolean;
  refusals?: { field?: string; reason?: string; message: string }[];
  warnings?: { code?: string; message: string }[];
  windows?: unknown[];
  mechanism?: string;
  steps?: number;
  peakMemoryBytes?: string;
  estimatedTime?: string;
  frames?: string;
  canvas?: { size?: { width?: number; height?: number } };
}

export interface ClipFileJson {
  part?: "MEDIA" | "SIDECAR" | "CONTACT_SHEET";
  fileName: string;
  sizeBytes?: string;
  localPath?: string;
}

export interface TakeJson {
  index?: number;
  seed?: string;
  clip?: { name: string; fileName: string; frames?: string; files?: ClipFileJson[] };
}

export interface ProgressJson {
  stage?: string;
  step?: number;
  steps?: number;
  take?: number;
  fraction?: number;
  timeLeft?: string;
  message?: string;
}

export type JobState = "STATE_UNSPECIFIED" | "QUEUED" | "RUNNING" | "CANCELLING" | "SUCCEEDED" | "FAILED" | "CANCELLED";

export interface JobJson {
  name: string;
  state?: JobState;
  spec?: JobSpecJson;
  plan?: PlanJson;
  progress?: ProgressJson;
  takes?: TakeJson[];
  error?: { message?: string };
  sequence?: string;
}

export interface JobEventJson {
  sequence?: string;
  job?: JobJson;
  progress?: ProgressJson;
  preview?: { take?: number; step?: number; image?: string; contentType?: string };
}

export interface ModelJson {
  name: string;
  displayName?: string;
  state?: string;
  isDefault?: boolean;
}

export interface MediaInfoJson {
  size?: { width?: number; height?: number };
  rate?: FrameRateJson;
  frames?: string;
  still?: boolean;
}

/** Whether a job goes no further. */
export function isFinal(state: JobState | undefined): boolean {
  return state === "SUCCEEDED" || state === "FAILED" || state === "CANCELLED";
}
