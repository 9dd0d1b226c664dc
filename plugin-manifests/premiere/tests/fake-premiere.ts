import type { premierepro } from "@adobe/premierepro";
import { Rate, rate, ticksOf } from "../src/ticks";

// A stand-in for Premiere's module with the rules that Adobe documents and that were found in use: actions are made inside lockedAccess only,
// used once and in a transaction; the lock's callback is no promise; importing answers with true and not with the item; an insertion past the
// last track makes one, an overwrite does not; an overwrite cuts what lies there. What its declarations leave open is not guessed at here.

export interface FakeClip {
  name: string;
  start: number;
  end: number;
  path: string;
  /** First frame of the media that is shown. */
  source?: number;
  selected?: boolean;
  speed?: number;
  offline?: boolean;
  disabled?: boolean;
  nested?: boolean;
}

export interface FakeSetup {
  rate?: Rate;
  width?: number;
  height?: number;
  tracks: FakeClip[][];
  transitions?: { track: number; start: number; end: number }[];
  marks?: [number, number];
  playhead?: number;
  zero?: number;
  dropFrame?: boolean;
  projectPath?: string;
  /** Frames of an imported file at the sequence's rate. */
  framesOf: (path: string) => number | Promise<number>;
  /** A track on which every transaction is refused, as a locked one does. */
  lockedTrack?: number;
  /** Tracks whose output is switched off. */
  mutedTracks?: number[];
}

class Time {
  constructor(private readonly at: bigint) {}
  get ticks() {
    return String(this.at);
  }
  get seconds() {
    return Number(this.at) / 254016000000;
  }
  get ticksNumber() {
    return Number(this.at);
  }
}

class Item {
  constructor(
    readonly project: Project,
    public name: string,
    public start: bigint,
    public end: bigint,
    public source: bigint,
    readonly media: Media | Folder,
    public selected = false,
    readonly speed = 1,
    readonly disabled = false,
  ) {}
  isDisabled = async () => this.disabled;
  getName = async () => {
    this.project.asked.push(this.name);
    return this.name;
  };
  getStartTime = async () => new Time(this.start);
  getEndTime = async () => new Time(this.end);
  getInPoint = async () => new Time(this.source);
  getOutPoint = async () => new Time(this.source + this.end - this.start);
  getIsSelected = async () => this.selected;
  getSpeed = async () => Math.abs(this.speed);
  isSpeedReversed = async () => (this.speed < 0 ? 1 : 0);
  isAdjustmentLayer = async () => false;
  getProjectItem = async () => this.media;
}

class Media {
  readonly type = 1;
  constructor(
    readonly name: string,
    readonly path: string,
    readonly frames: number,
    readonly offline = false,
    readonly nested = false,
  ) {}
  isSequence = async () => this.nested;
  isMulticamClip = async () => false;
  isOffline = async () => this.offline;
  getMediaFilePath = async () => (this.nested ? "" : this.path);
}

class Folder {
  readonly children: (Media | Folder)[] = [];
  constructor(
    readonly project: Project,
    readonly name: string,
    readonly type: number,
  ) {}
  getItems = async () => [...this.children];
  createBinAction = (name: string, _makeUnique: boolean) => this.project.action(() => void this.children.push(new Folder(this.project, name, 2)));
}

interface Change {
  lock: number;
  used: boolean;
  apply: () => void;
  track: number | undefined;
}

class Track {
  items: Item[] = [];
  transitions: Item[] = [];
  muted = false;
  constructor(readonly index: number) {}
  isMuted = async () => this.muted;
  getTrackItems = (type: number, _includeEmpty: boolean) => (type === 1 ? [...this.items] : type === 2 ? [...this.transitions] : []);
}

class Project {
  readonly name = "Fake";
  readonly root = new Folder(this, "root", 3);
  readonly undo: string[] = [];
  readonly calls: string[] = [];
  readonly asked: string[] = [];
  private lock = 0;
  private locks = 0;
  private transaction = false;
  constructor(
    readonly path: string,
    readonly setup: FakeSetup,
    public sequence?: Sequence,
  ) {}

  getActiveSequence = async () => this.sequence;
  getRootItem = async () => this.root;

  importFiles = async (paths: string[], _suppressUI?: boolean, bin?: Folder) => {
    for (const path of paths) {
      this.calls.push(`import ${path}`);
      (bin ?? this.root).children.push(new Media(path.split(/[/\\]/).at(-1)!, path, await this.setup.framesOf(path)));
    }
    return true;
  };

  lockedAccess = (callback: () => unknown) => {
    if (this.lock) throw new Error("The project is locked already.");
    this.lock = ++this.locks;
    try {
      if (callback() instanceof Promise) throw new Error("The callback of lockedAccess must not be asynchronous.");
    } finally {
      this.lock = 0;
    }
  };

  executeTransaction = (callback: (compound: { addAction(action: Change): boolean }) => void, name = "") => {
    if (!this.lock) throw new Error("executeTransaction needs lockedAccess.");
    const actions: Change[] = [];
    this.transaction = true;
    try {
      callback({
        addAction: (action) => {
          if (!this.transaction) throw new Error("The compound action is closed.");
          if (action.used || action.lock !== this.lock) throw new Error("The action is used up.");
          action.used = true;
          actions.push(action);
          return true;
        },
      });
    } finally {
      this.transaction = false;
    }
    if (actions.some((action) => action.track !== undefined && action.track === this.setup.lockedTrack)) return false;
    for (const action of actions) action.apply();
    this.undo.push(name);
    return true;
  };

  action(apply: () => void, track?: number): Change {
    if (!this.lock) throw new Error("Actions are created inside lockedAccess only.");
    return { lock: this.lock, used: false, apply, track };
  }
}

class Sequence {
  readonly name = "Cut 1";
  tracks: Track[] = [];
  constructor(
    readonly project: Project,
    readonly rate: Rate,
    readonly setup: FakeSetup,
  ) {}
  private time = (frame: number) => new Time(ticksOf(frame, this.rate));
  getTimebase = async () => String(ticksOf(1, this.rate));
  getFrameSize = async () => ({ width: this.setup.width ?? 1920, height: this.setup.height ?? 1080 });
  getSequenceVideoTimeDisplayFormat = async () => ({ type: this.setup.dropFrame ? 2 : 3 });
  getVideoTrackCount = async () => this.tracks.length;
  getVideoTrack = async (index: number) => this.tracks[index];
  getZeroPoint = async () => this.time(this.setup.zero ?? 0);
  getInPoint = async () => this.time(this.setup.marks?.[0] ?? 0);
  getOutPoint = async () => this.time(this.setup.marks?.[1] ?? this.endFrame());
  getEndTime = async () => new Time(this.tracks.flatMap((t) => t.items).reduce((end, item) => (item.end > end ? item.end : end), 0n));
  getPlayerPosition = async () => this.time(this.setup.playhead ?? 0);
  private endFrame = () => Math.max(0, ...this.setup.tracks.flat().map((clip) => clip.end));
}

export interface Fake {
  ppro: premierepro;
  /** Names of the steps of undo, and what was imported. */
  undo: string[];
  calls: string[];
  /** The clips on the timeline that were asked what they are, one by one. */
  asked: string[];
  /** Clips as name, first frame and frame after the last, by track. */
  clips(): [string, number, number][][];
  setup: FakeSetup;
}

export function fakePremiere(setup: FakeSetup): Fake {
  const of = setup.rate ?? rate(24);
  const project = new Project(setup.projectPath ?? "/project/cut.prproj", setup);
  const sequence = new Sequence(project, of, setup);
  project.sequence = sequence;
  const at = (frame: number) => ticksOf(frame, of);
  setup.tracks.forEach((clips, index) => {
    const track = new Track(index);
    track.muted = setup.mutedTracks?.includes(index) ?? false;
    for (const clip of clips) {
      const media = new Media(clip.name, clip.path, clip.end - clip.start, clip.offline, clip.nested);
      project.root.children.push(media);
      track.items.push(new Item(project, clip.name, at(clip.start), at(clip.end), at(clip.source ?? 0), media, clip.selected, clip.speed, clip.disabled));
    }
    sequence.tracks.push(track);
  });
  for (const t of setup.transitions ?? []) sequence.tracks[t.track]!.transitions.push(new Item(project, "Dissolve", at(t.start), at(t.end), 0n, project.root));

  const cut = (track: Track, start: bigint, end: bigint) => {
    track.items = track.items.flatMap((item) => {
      if (item.end <= start || end <= item.start) return [item];
      const parts: Item[] = [];
      if (item.start < start) parts.push(new Item(project, item.name, item.start, start, item.source, item.media));
      if (end < item.end) parts.push(new Item(project, item.name, end, item.end, item.source + end - item.start, item.media));
      return parts;
    });
  };
  const put = (media: Media, start: bigint, index: number) =>
    sequence.tracks[index]!.items.push(new Item(project, media.name, start, start + ticksOf(media.frames, of), 0n, media));
  const editor = {
    createOverwriteItemAction: (media: Media, time: Time, video: number, _audio: number) => {
      const start = BigInt(time.ticks);
      return project.action(() => {
        const track = sequence.tracks[video];
        if (!track) throw new Error("There is no such track.");
        cut(track, start, start + ticksOf(media.frames, of));
        put(media, start, video);
      }, video);
    },
    createInsertProjectItemAction: (media: Media, time: Time, video: number, _audio: number, limitShift: boolean) => {
      const start = BigInt(time.ticks);
      return project.action(() => {
        const isNew = video >= sequence.tracks.length;
        const index = isNew ? sequence.tracks.length : video;
        if (isNew) sequence.tracks.push(new Track(index));
        const length = ticksOf(media.frames, of);
        for (const track of limitShift ? [sequence.tracks[index]!] : sequence.tracks)
          for (const item of track.items) if (item.start >= start) [item.start, item.end] = [item.start + length, item.end + length];
        put(media, start, index);
      }, video);
    },
  };

  const ppro = {
    Project: { getActiveProject: async () => project },
    SequenceEditor: { getEditor: () => editor },
    TickTime: { createWithTicks: (ticks: string) => new Time(BigInt(ticks)) },
    ClipProjectItem: { cast: (item: unknown) => (item instanceof Media ? item : null) },
    FolderItem: { cast: (item: unknown) => (item instanceof Folder ? item : null) },
    ProjectItem: { cast: (item: unknown) => item, TYPE_CLIP: 1, TYPE_BIN: 2, TYPE_ROOT: 3 },
    Constants: { TrackItemType: { EMPTY: 0, CLIP: 1, TRANSITION: 2 }, VideoDisplayFormatType: { FPS_23_976: 0, FPS_25: 1, FPS_29_97: 2, FPS_29_97_NON_DROP: 3 } },
  };
  const frame = (ticks: bigint) => Number((ticks * of.numerator) / (254016000000n * of.denominator));
  return {
    ppro: ppro as unknown as premierepro,
    undo: project.undo,
    calls: project.calls,
    asked: project.asked,
    setup,
    clips: () => sequence.tracks.map((track) => [...track.items].sort((a, b) => Number(a.start - b.start)).map((item) => [item.name, frame(item.start), frame(item.end)] as [string, number, number])),
  };
}
