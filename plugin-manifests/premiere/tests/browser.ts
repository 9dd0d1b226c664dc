import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Browser, Page } from "playwright-core";
import type { Fake } from "./fake-premiere";
import { CHROMIUM, framesOf, openPanel, startBrowser } from "./panel-page";
import { find, PanelServer, ROOT, run, RunningHost } from "./running-host";

// The panel's own page in a real browser, against the real host, the real worker and the shipped model. Only Premiere is a stand-in.

const MISSING = !CHROMIUM ? "Chromium is not installed." : !find("ffmpeg") ? "ffmpeg is not installed." : "";
/** Sampling with the shipped model on a busy CPU. */
const PATIENCE = 900_000;

// In continuous integration a missing tool is a failure, never a skip.
describe("the panel in a browser", { skip: MISSING && process.env["CI"] !== "true" ? MISSING : false, timeout: 2 * PATIENCE }, () => {
  let folder = "";
  let host: RunningHost;
  let server: PanelServer;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  before(async () => {
    assert.equal(MISSING, "");
    folder = await mkdtemp(join(tmpdir(), "eb-panel-"));
    for (const [name, hue] of [["a", 0], ["b", 180]] as const)
      await run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=128x72:rate=24", "-vf", `hue=h=${hue}`, "-frames:v", "60", "-pix_fmt", "yuv420p", join(folder, `${name}.mp4`));
    host = new RunningHost(join(folder, "d"));
    server = new PanelServer(join(ROOT, "plugin-manifests/premiere/panel"), host);
    await server.start();
    browser = await startBrowser(CHROMIUM!);
    page = await openPanel(browser, host, server, folder, {
      tracks: [
        [
          { name: "a.mp4", start: 0, end: 24, path: join(folder, "a.mp4"), source: 8 },
          { name: "b.mp4", start: 34, end: 64, path: join(folder, "b.mp4"), source: 12, selected: true },
        ],
        [],
      ],
      width: 128, height: 72, playhead: 28, marks: [10, 40], zero: 86400, projectPath: join(folder, "cut.prproj"),
    }, problems);
  });

  after(async () => {
    await browser?.close();
    server?.stop();
    await host?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const clips = () => page.evaluate(() => (globalThis as unknown as { fake: Fake }).fake.clips());
  const message = () => page.locator("#message");
  const picture = async (name: string) => {
    const pictures = process.env["EDITORBRIDGE_PICTURES"];
    if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  };

  it("says how to start the host where none runs, and which file it waits for", async () => {
    await page.locator("#dot.down").waitFor();
    assert.match(await page.locator("#connection-text").innerText(), /editorbridge serve.*endpoint\.json/s);
    await page.locator("#more").click();
    await page.locator("#data-folder").fill(host.data);
    await picture("1-no-host");
    await host.start();
    await page.locator("#more").click();
    await page.locator("#reconnect").click();
    await page.locator("#dot.up").waitFor();
    await page.locator("#model option", { hasText: /sketch.*default/ }).waitFor({ state: "attached" });
  });

  it("says for each job which frames it is about before anything runs", async () => {
    const hint = (text: RegExp) => page.locator("#hint", { hasText: text }).waitFor();
    await hint(/30 frames from 01:00:00:10 at 24 on V2/);
    await page.locator("[data-kind=extend]").click();
    await hint(/24 frames from 01:00:02:16 at 24 on V1/);
    await page.locator("#edge").selectOption("head");
    await page.locator("#frames").fill("8");
    await page.locator("#frames").blur();
    await hint(/8 frames from 01:00:01:02 at 24 on V1/);
    await page.locator("[data-kind=fill]").click();
    await hint(/10 frames from 01:00:01:00 at 24 on V1/);
    await page.locator("#generate").click();
    await message().filter({ hasText: "The prompt is empty" }).waitFor();
  });

  it("shows the plan", async () => {
    await page.locator("#prompt").fill("a red car driving to the left in the city");
    await page.locator("#preset").selectOption("draft");
    await page.locator("#takes").fill("2");
    await page.locator("#seed").fill("7");
    await page.locator("#plan").click();
    await page.locator("#plan-text", { hasText: /10 frames with sketch/ }).waitFor();
    await picture("2-plan");
  });

  it("fills the gap with two takes and swaps them", async () => {
    await page.locator("#generate").click();
    await page.locator("#progress-text", { hasText: /take 1 of 2/ }).waitFor({ timeout: PATIENCE });
    await picture("3-running");
    await message().filter({ hasText: "2 takes are finished; the first is on the timeline." }).waitFor({ timeout: PATIENCE });
    const [first] = await clips();
    assert.deepEqual(first!.map(([, start, end]) => [start, end]), [[0, 24], [24, 34], [34, 64]]);
    await page.waitForFunction(() => {
      const pictures = Array.from(document.querySelectorAll<HTMLImageElement>(".take img"));
      return pictures.length === 2 && pictures.every((image) => image.naturalWidth > 100);
    });
    assert.deepEqual(await page.locator(".take .name").allInnerTexts(), ["Take 1, seed 7, on the timeline", "Take 2, seed 8"]);
    await picture("4-takes");

    await page.locator(".take").nth(1).getByText("Use").click();
    await message().filter({ hasText: "Take 2 is on the timeline." }).waitFor();
    const [swapped] = await clips();
    assert.deepEqual(swapped!.map(([, start, end]) => [start, end]), [[0, 24], [24, 34], [34, 64]]);
    assert.notEqual(swapped![1]![0], first![1]![0]);
    const path = join(folder, "EditorBridge clips", swapped![1]![0]);
    assert.equal(await framesOf(path), 10);
    const stream = await run("ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height,r_frame_rate:stream_tags=timecode", "-of", "default=nw=1", path);
    for (const fact of ["codec_name=prores", "width=128", "height=72", "r_frame_rate=24/1", "timecode=01:00:01:00"]) assert.ok(stream.includes(fact), `${fact} in ${stream}`);
  });

  it("ends a job that is cancelled, and leaves the timeline as it was", async () => {
    const earlier = await clips();
    await page.locator("[data-kind=broll]").click();
    await page.locator("#preset").selectOption("final");
    await page.locator("#generate").click();
    await page.locator("#running").waitFor();
    await page.locator("#cancel").click();
    await message().filter({ hasText: "Cancelled." }).waitFor({ timeout: PATIENCE });
    assert.deepEqual(await clips(), earlier);
    assert.deepEqual(problems, []);
  });
});
