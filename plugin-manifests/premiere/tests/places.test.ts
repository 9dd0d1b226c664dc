import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { placeOf } from "../src/job";
import { Refusal } from "../src/refusal";
import { open, read, Timeline } from "../src/sequence";
import { handles, specOf, Wishes } from "../src/spec";
import { rate } from "../src/ticks";
import { fakePremiere, FakeSetup } from "./fake-premiere";

const A = { name: "a.mp4", start: 0, end: 24, path: "/m/a.mp4", source: 8 };
const B = { name: "b.mp4", start: 34, end: 64, path: "/m/b.mp4", source: 12 };
const wishes: Wishes = { prompt: " a kite ", negativePrompt: "", takes: 2, seed: "7", model: "", preset: "draft", codec: "PRORES_422_HQ", generateOverHandles: false };

async function timelineOf(setup: Partial<FakeSetup>): Promise<Timeline> {
  const fake = fakePremiere({ tracks: [[{ ...A }, { ...B }], []], framesOf: () => 60, ...setup });
  return read(fake.ppro, await open(fake.ppro));
}

async function reason(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    return error.reason;
  }
  return "";
}

const extension = (edge: "tail" | "head", frames: number) => ({ kind: "extend" as const, edge, frames });

describe("a place for B-roll", () => {
  it("is the marked range on the lowest free track above V1", async () => {
    const place = await placeOf(await timelineOf({ marks: [10, 40] }), { kind: "broll", edge: "tail", frames: 0 });
    assert.deepEqual([place.range, place.track], [{ start: 10, end: 40 }, 1]);
  });

  it("is above what would hide it, and not on a track that is switched off", async () => {
    const title = { name: "t", start: 0, end: 50, path: "/m/t.mp4" };
    const hidden = await timelineOf({ marks: [10, 40], tracks: [[A, B], [], [title], []] });
    assert.equal((await placeOf(hidden, { kind: "broll", edge: "tail", frames: 0 })).track, 3);
    const off = await timelineOf({ marks: [10, 40], tracks: [[A, B], [], [title]], mutedTracks: [2] });
    assert.equal((await placeOf(off, { kind: "broll", edge: "tail", frames: 0 })).track, 1);
    const offBelow = await timelineOf({ marks: [10, 40], tracks: [[A, B], [], []], mutedTracks: [1] });
    assert.equal((await placeOf(offBelow, { kind: "broll", edge: "tail", frames: 0 })).track, 2);
  });

  it("is on a new track where every other is taken", async () => {
    const timeline = await timelineOf({ marks: [10, 40], tracks: [[A, B], [{ name: "t", start: 39, end: 50, path: "/m/t.mp4" }]] });
    assert.equal((await placeOf(timeline, { kind: "broll", edge: "tail", frames: 0 })).track, 2);
  });

  it("needs frames between the marks", async () => {
    const timeline = await timelineOf({ marks: [30, 30] });
    assert.equal(await reason(() => placeOf(timeline, { kind: "broll", edge: "tail", frames: 0 })), "RANGE_MISSING");
  });
});

describe("a place to extend", () => {
  const withSelected = (clip: object) => timelineOf({ tracks: [[{ ...A, ...clip }, { ...B }], []] });

  it("joins the selected clip at its end or its start", async () => {
    const timeline = await timelineOf({ tracks: [[A, { ...B, selected: true }], []] });
    const tail = await placeOf(timeline, extension("tail", 10));
    assert.deepEqual([tail.range, tail.track, tail.before?.name, tail.after], [{ start: 64, end: 74 }, 0, "b.mp4", undefined]);
    const head = await placeOf(timeline, extension("head", 10));
    assert.deepEqual([head.range, head.track, head.after?.name, head.before], [{ start: 24, end: 34 }, 0, "b.mp4", undefined]);
  });

  it("goes onto a track above where the next shot is in the way, and says so", async () => {
    const place = await placeOf(await withSelected({ selected: true }), extension("tail", 11));
    assert.deepEqual([place.range, place.track], [{ start: 24, end: 35 }, 1]);
    assert.match(place.notice, /not free on V1/);
  });

  it("is refused with the reason", async () => {
    const timeline = await withSelected({ selected: true });
    assert.equal(await reason(() => placeOf(timeline, extension("head", 1))), "RANGE_OUTSIDE");
    for (const frames of [0, -3, 1.5, Number.NaN]) assert.equal(await reason(() => placeOf(timeline, extension("tail", frames))), "RANGE_EMPTY");
    const none = await timelineOf({});
    assert.equal(await reason(() => placeOf(none, extension("tail", 5))), "CLIP_NOT_NAMED");
    for (const clip of [{ offline: true }, { nested: true }, { disabled: true }]) {
      const unusable = await withSelected({ selected: true, ...clip });
      assert.equal(await reason(() => placeOf(unusable, extension("tail", 5))), "MEDIA_OFFLINE");
    }
    const dissolved = await timelineOf({ tracks: [[{ ...A, selected: true }, B]], transitions: [{ track: 0, start: 18, end: 24 }] });
    assert.equal(await reason(() => placeOf(dissolved, extension("tail", 5))), "TRANSITION");
    assert.equal(await reason(() => placeOf(dissolved, extension("head", 5))), "RANGE_OUTSIDE");
  });
});

describe("a place to fill", () => {
  it("is the gap at the playhead, exactly", async () => {
    for (const playhead of [24, 30, 33]) {
      const place = await placeOf(await timelineOf({ playhead }), { kind: "fill", edge: "tail", frames: 0 });
      assert.deepEqual([place.range, place.track, place.before?.name, place.after?.name], [{ start: 24, end: 34 }, 0, "a.mp4", "b.mp4"]);
    }
  });

  it("asks only for the two shots, however many there are", async () => {
    const shots = Array.from({ length: 500 }, (_, i) => ({ name: `${i}.mp4`, start: 34 * i, end: 34 * i + 24, path: `/m/${i}.mp4` }));
    const fake = fakePremiere({ tracks: [shots, []], framesOf: () => 60, playhead: 34 * 250 + 30 });
    const place = await placeOf(await read(fake.ppro, await open(fake.ppro)), { kind: "fill", edge: "tail", frames: 0 });
    assert.deepEqual([place.before?.name, place.after?.name], ["250.mp4", "251.mp4"]);
    assert.deepEqual(fake.asked, ["250.mp4", "251.mp4"]);
  });

  it("needs a shot on both sides", async () => {
    for (const playhead of [5, 34, 64, 100]) {
      const timeline = await timelineOf({ playhead });
      assert.equal(await reason(() => placeOf(timeline, { kind: "fill", edge: "tail", frames: 0 })), "GAP_NOT_FOUND");
    }
  });
});

describe("a job", () => {
  it("names the media's own frames up to the cut, whatever the rates are", async () => {
    const ntsc = rate(24000, 1001);
    const timeline = await timelineOf({ rate: ntsc, playhead: 28, zero: 86400 });
    const place = await placeOf(timeline, { kind: "fill", edge: "tail", frames: 0 });
    const same = { rate: { numerator: "24000", denominator: "1001" }, frames: "60" };
    const double = { rate: { numerator: "48000", denominator: "1001" }, frames: "120" };
    const spec = specOf(timeline, place, wishes, new Map([["/m/a.mp4", same], ["/m/b.mp4", double]]));
    assert.deepEqual(spec.contextBefore?.segment.range, { start: "8", duration: "24" });
    // B's first frame is the media's frame 24, and its last sequence frame shows frame 24 + 2 * 29.
    assert.deepEqual(spec.contextAfter?.segment.range, { start: "24", duration: "59" });
    assert.deepEqual(spec.delivery, {
      size: { width: 1920, height: 1080 }, rate: { numerator: "24000", denominator: "1001" }, frames: "10", codec: "PRORES_422_HQ", startTimecode: "01:00:01:00",
    });
    assert.deepEqual([spec.kind, spec.prompt, spec.takes, spec.seed, spec.placement?.recordRange], ["FILL", "a kite", 2, "7", { start: "24", duration: "10" }]);
  });

  it("says how many frames the media still holds past the cut", async () => {
    const timeline = await timelineOf({ tracks: [[{ ...A, selected: true }, B], []] });
    const clip = await timeline.tracks[0]!.clips[0]!.shot();
    const info = { rate: { numerator: "24", denominator: "1" }, frames: "60" };
    assert.deepEqual([handles(timeline, clip, info, "tail"), handles(timeline, clip, info, "head")], [28, 8]);
    const place = await placeOf(timeline, extension("tail", 5));
    assert.equal(specOf(timeline, place, wishes, new Map([["/m/a.mp4", info]])).contextBefore?.handleFrames, "28");
    assert.equal(handles(timeline, clip, { ...info, still: true }, "tail"), 0);
  });
});
