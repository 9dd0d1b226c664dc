import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { convertFrames, frameAt, isFrameStart, rate, rateOfTimebase, rateText, ticksOf, timecode, TICKS_PER_SECOND } from "../src/ticks";

const RATES = [rate(24), rate(25), rate(30), rate(50), rate(60), rate(24000, 1001), rate(30000, 1001), rate(60000, 1001), rate(48000, 1001), rate(120), rate(12), rate(1000, 33), rate(2997, 100)];

describe("ticks", () => {
  it("tell the exact rate of a time base", () => {
    for (const [timebase, numerator, denominator] of [["10584000000", 24n, 1n], ["10594584000", 24000n, 1001n], ["8475667200", 30000n, 1001n], ["4237833600", 60000n, 1001n], ["10160640000", 25n, 1n]] as const)
      assert.deepEqual(rateOfTimebase(timebase), { numerator, denominator });
    for (const wrong of ["", "0", "-1", "1.5", "abc"]) assert.throws(() => rateOfTimebase(wrong), RangeError);
  });

  it("lead from a frame to its tick and back, an hour and a day in", () => {
    for (const of of RATES)
      for (const frame of [0, 1, 2, 7, 1000, 86399, 86400, 107892, 2589408, 5184000]) {
        assert.equal(frameAt(ticksOf(frame, of), of), frame);
        assert.ok(isFrameStart(ticksOf(frame, of), of));
        assert.equal(frameAt(ticksOf(frame + 1, of) - 2n, of), frame);
      }
  });

  it("are whole for every frame of the common rates", () => {
    for (const of of RATES.slice(0, 11)) assert.equal((TICKS_PER_SECOND * of.denominator) % of.numerator, 0n, rateText(of));
  });

  it("say when a time lies between two frames", () => {
    assert.equal(isFrameStart(ticksOf(5, rate(24)) + 5n, rate(24)), false);
    assert.equal(isFrameStart(ticksOf(5, rate(24)) - 5n, rate(24)), false);
  });

  it("count frames over at another rate without seconds between", () => {
    assert.equal(convertFrames(24000, rate(24000, 1001), rate(24)), 24024);
    assert.equal(convertFrames(100, rate(25), rate(50)), 200);
    assert.equal(convertFrames(1, rate(60), rate(24)), 0);
  });

  it("have labels, with and without dropped numbers", () => {
    const ntsc = rate(30000, 1001);
    assert.equal(timecode(86400, rate(24), false), "01:00:00:00");
    assert.equal(timecode(1799, ntsc, true), "00:00:59;29");
    assert.equal(timecode(1800, ntsc, true), "00:01:00;02");
    assert.equal(timecode(17982, ntsc, true), "00:10:00;00");
    assert.equal(timecode(107892, ntsc, true), "01:00:00;00");
    assert.equal(timecode(3600, rate(60000, 1001), true), "00:01:00;04");
    assert.equal(timecode(1800, ntsc, false), "00:01:00:00");
    assert.equal(timecode(1800, rate(24000, 1001), true), "00:01:15:00");
  });

  it("drop labels as counting them one by one does", () => {
    const ntsc = rate(30000, 1001);
    let [frame, seen] = [0, 0];
    for (let label = 0; label < 30 * 60 * 25; label++) {
      const [minute, second, number] = [Math.floor(label / 1800), Math.floor(label / 30) % 60, label % 30];
      if (second === 0 && number < 2 && minute % 10 !== 0) continue;
      if (frame % 97 === 0 || number < 3) {
        assert.equal(timecode(frame, ntsc, true), `00:${String(minute).padStart(2, "0")}:${String(second).padStart(2, "0")};${String(number).padStart(2, "0")}`);
        seen++;
      }
      frame++;
    }
    assert.ok(seen > 1000);
  });
});
