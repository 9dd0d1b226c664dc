import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FinishedTake } from "../src/clips";
import { JobEventJson, JobSpecJson, PlanJson } from "../src/contract";
import { Host } from "../src/host";
import { Finished, Job, Listener, Request, useTake } from "../src/job";
import { importClip, place } from "../src/placing";
import { Refusal } from "../src/refusal";
import { open, read } from "../src/sequence";
import { System } from "../src/system";
import { Fake, fakePremiere, FakeSetup } from "./fake-premiere";

const A = { name: "a.mp4", start: 0, end: 24, path: "/m/a.mp4", source: 8 };
const B = { name: "b.mp4", start: 34, end: 64, path: "/m/b.mp4", source: 12 };

/** A host that makes every take at once, and remembers what it was asked. */
class QuickHost {
  readonly specs: JobSpecJson[] = [];
  readonly ids: string[] = [];
  readonly cancelled: string[] = [];
  plans: PlanJson = { feasible: true };
  state: "SUCCEEDED" | "FAILED" | "CANCELLED" = "SUCCEEDED";
  beforeEnd: () => Promise<void> | void = () => undefined;

  probe = async () => ({ rate: { numerator: "24", denominator: "1" }, frames: "60" });
  plan = async () => this.plans;
  create = async (spec: JobSpecJson, id: string) => {
    this.specs.push(spec);
    this.ids.push(id);
    return { name: "jobs/j1", state: "QUEUED" as const };
  };
  cancel = async (name: string) => {
    this.cancelled.push(name);
    this.state = "CANCELLED";
    return { name };
  };
  async *watch(name: string): AsyncGenerator<JobEventJson> {
    yield { sequence: "1", job: { name, state: "RUNNING", progress: { stage: "SAMPLING", step: 1, steps: 4 } } };
    yield { sequence: "2", preview: { image: "QUJD", contentType: "image/png" } };
    await this.beforeEnd();
    const takes = Array.from({ length: this.specs.at(-1)?.takes ?? 1 }, (_, index) => ({
      index,
      seed: String(7 + index),
      clip: {
        name: `${name}/clips/${index + 1}`,
        fileName: `clip-${index + 1}.mov`,
        files: [{ part: "MEDIA" as const, fileName: `clip-${index + 1}.mov`, localPath: `/host/${index + 1}/clip.mov` }],
      },
    }));
    yield { sequence: "3", job: { name, state: this.state, takes: this.state === "SUCCEEDED" ? takes : [], ...(this.state === "FAILED" ? { error: { message: "The disk is full." } } : {}) } };
  }
}

function setup(change: Partial<FakeSetup> = {}) {
  const fake: Fake = fakePremiere({ tracks: [[{ ...A }, { ...B }], []], playhead: 28, marks: [10, 40], framesOf: (path) => (path.includes("/m/") ? 60 : frames), ...change });
  let frames = 10;
  const copied: [string, string][] = [];
  const there = new Set<string>();
  const system: System = {
    os: { platform: () => "darwin", homedir: () => "/Users/me" },
    fs: {
      readFile: async () => new ArrayBuffer(0),
      copyFile: async (from, to) => {
        copied.push([from, to]);
        there.add(to);
      },
      mkdir: async () => 0,
      lstat: async (path) => there.has(path) || Promise.reject(new Error("ENOENT")),
    },
  };
  const host = new QuickHost();
  const seen: string[] = [];
  let finished: Finished | undefined;
  const listener: Listener = {
    planned: () => seen.push("planned"),
    queued: () => seen.push("queued"),
    progressed: (progress) => seen.push(progress.stage ?? "?"),
    previewed: (image) => seen.push(image),
    taken: (take: FinishedTake) => seen.push(`take ${take.number}`),
    finished: (all) => (finished = all),
  };
  const start = (request: Partial<Request>) =>
    new Job({ ppro: fake.ppro, host: host as unknown as Host, system, newId: () => "id-1" }, {
      kind: "fill", edge: "tail", frames: 5, prompt: "a kite", negativePrompt: "", takes: 1, seed: "", model: "", preset: "", codec: "H264", generateOverHandles: false, ...request,
    }, listener);
  return { fake, host, copied, seen, start, made: () => finished, deliver: (count: number) => (frames = count) };
}

const refusal = (reason: string) => (error: unknown) => error instanceof Refusal && error.reason === reason;

describe("a job in Premiere", () => {
  it("fills the gap exactly, in one step of undo", async () => {
    const { fake, start, seen, copied, host } = setup();
    await start({}).run();
    assert.deepEqual(fake.clips()[0], [["a.mp4", 0, 24], ["j1-clip-1.mov", 24, 34], ["b.mp4", 34, 64]]);
    assert.deepEqual(seen, ["planned", "queued", "SAMPLING", "data:image/png;base64,QUJD", "take 1"]);
    assert.deepEqual(copied, [["/host/1/clip.mov", "/project/EditorBridge clips/j1-clip-1.mov"]]);
    assert.deepEqual(fake.undo, ["EditorBridge: bin", "EditorBridge: take 1"]);
    assert.deepEqual(host.ids, ["id-1"]);
  });

  it("lays B-roll over the marked range and touches nothing below", async () => {
    const { fake, start, deliver } = setup();
    deliver(30);
    await start({ kind: "broll" }).run();
    assert.deepEqual(fake.clips(), [[["a.mp4", 0, 24], ["b.mp4", 34, 64]], [["j1-clip-1.mov", 10, 40]]]);
  });

  it("makes a track where every other is taken, and moves nothing", async () => {
    const { fake, start, deliver } = setup({ tracks: [[{ ...A }, { ...B }]] });
    deliver(30);
    await start({ kind: "broll" }).run();
    assert.deepEqual(fake.clips(), [[["a.mp4", 0, 24], ["b.mp4", 34, 64]], [["j1-clip-1.mov", 10, 40]]]);
  });

  it("extends the head and the tail of the selected clip", async () => {
    for (const [edge, bounds] of [["tail", ["j1-clip-1.mov", 64, 70]], ["head", ["j1-clip-1.mov", 28, 34]]] as const) {
      const { fake, start, deliver, host } = setup({ tracks: [[{ ...A }, { ...B, selected: true }], []] });
      deliver(6);
      await start({ kind: "extend", edge, frames: 6 }).run();
      assert.deepEqual(fake.clips()[0]!.find(([name]) => name.startsWith("j1")), bounds);
      assert.deepEqual([host.specs[0]?.kind, Boolean(host.specs[0]?.contextBefore), Boolean(host.specs[0]?.contextAfter)], ["EXTEND", edge === "tail", edge === "head"]);
    }
  });

  it("swaps takes in the same place, each imported once", async () => {
    const { fake, start } = setup();
    const finished = await start({ takes: 3 }).run();
    assert.equal(finished.takes.length, 3);
    await useTake(fake.ppro, finished, finished.takes[2]!);
    assert.deepEqual(fake.clips()[0]![1], ["j1-clip-3.mov", 24, 34]);
    await useTake(fake.ppro, finished, finished.takes[0]!);
    assert.deepEqual(fake.clips()[0], [["a.mp4", 0, 24], ["j1-clip-1.mov", 24, 34], ["b.mp4", 34, 64]]);
    assert.deepEqual(fake.calls, ["import /project/EditorBridge clips/j1-clip-1.mov", "import /project/EditorBridge clips/j1-clip-3.mov"]);
  });

  it("puts nothing over a shot that was laid there meanwhile, and keeps the takes", async () => {
    const { fake, start, host, made } = setup();
    const ppro = fake.ppro;
    host.beforeEnd = async () => {
      const opened = await open(ppro);
      const shot = await importClip(ppro, opened.project, "/other/x.mov");
      await place(ppro, opened, shot, { kind: "fill", range: { start: 24, end: 34 }, track: 0, notice: "" }, "x");
    };
    await assert.rejects(start({}).run(), refusal("PLACE_TAKEN"));
    assert.deepEqual(fake.clips()[0]![1], ["x.mov", 24, 34]);
    assert.equal(made()?.takes.length, 1);
  });

  it("asks the host for nothing that the plan refuses or that the media still holds", async () => {
    for (const [plans, reason] of [[{ refusals: [{ message: "No loops yet.", reason: "NOT_BUILT" }] }, "NOT_BUILT"], [{ mechanism: "HANDLES" }, "HANDLES"]] as const) {
      const { start, host } = setup();
      host.plans = plans as unknown as PlanJson;
      await assert.rejects(start({}).run(), refusal(reason));
      assert.equal(host.specs.length, 0);
    }
    const { start, host } = setup();
    await assert.rejects(start({ prompt: "  " }).run(), refusal("PROMPT_MISSING"));
    assert.equal(host.specs.length, 0);
  });

  it("that is cancelled or fails leaves the timeline as it was", async () => {
    const cancelled = setup();
    const job = cancelled.start({});
    cancelled.host.beforeEnd = () => job.cancel();
    await assert.rejects(job.run(), refusal("CANCELLED"));
    assert.deepEqual(cancelled.host.cancelled, ["jobs/j1"]);
    const failed = setup();
    failed.host.state = "FAILED";
    await assert.rejects(failed.start({}).run(), (error: Refusal) => error.message === "The disk is full.");
    for (const { fake } of [cancelled, failed]) {
      assert.deepEqual(fake.clips()[0], [["a.mp4", 0, 24], ["b.mp4", 34, 64]]);
      assert.deepEqual(fake.undo, []);
    }
  });

  it("says so when a clip did not land with its length, or on a locked track", async () => {
    const short = setup();
    short.deliver(9);
    await assert.rejects(short.start({}).run(), refusal("WRONG_LENGTH"));
    await assert.rejects(setup({ lockedTrack: 0 }).start({}).run(), refusal("EDIT_REFUSED"));
  });
});

describe("the stand-in for Premiere", () => {
  it("refuses actions that are made outside the lock, used twice, or by a callback that waits", async () => {
    const { fake } = setup();
    const { project, sequence } = await open(fake.ppro);
    const editor = fake.ppro.SequenceEditor.getEditor(sequence);
    const item = fake.ppro.ProjectItem.cast(await importClip(fake.ppro, project, "/x/y.mov"));
    const time = fake.ppro.TickTime.createWithTicks("0");
    assert.throws(() => editor.createOverwriteItemAction(item, time, 0, 0), /inside lockedAccess/);
    assert.throws(() => project.executeTransaction(() => undefined), /lockedAccess/);
    assert.throws(() => project.lockedAccess((async () => undefined) as unknown as () => void), /asynchronous/);
    project.lockedAccess(() => {
      const action = editor.createOverwriteItemAction(item, time, 1, 0);
      project.executeTransaction((compound) => void compound.addAction(action));
      assert.throws(() => project.executeTransaction((compound) => void compound.addAction(action)), /used up/);
    });
    assert.equal((await read(fake.ppro, { project, sequence })).tracks[1]!.clips.length, 1);
  });
});
