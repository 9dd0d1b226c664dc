import { existsSync } from "node:fs";
import { copyFile, mkdtemp, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHROMIUM, openPanel, startBrowser } from "./panel-page";
import { PanelServer, ROOT, run, RunningHost } from "./running-host";

// How long the panel's user waits from pressing Generate until it is drawn that the job is queued: node build/press.js [TIMES]
//
// The page in a real browser and the real host; Premiere is a stand-in that answers at once, and requests go through the server of the page, which UXP's do
// not. Each fill lies between media that the host has never seen (looked into while the prompt is written, which takes two seconds), then between known ones.

const TIMES = Number(process.argv[2] ?? 12);
const WRITING = 2000;

void measure();

async function measure(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "eb-press-"));
  const host = new RunningHost(join(folder, "d"));
  const server = new PanelServer(join(ROOT, "plugin-manifests/premiere/panel"), host);
  const browser = await startBrowser(CHROMIUM!);
  try {
    await run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=24", "-frames:v", "96", "-pix_fmt", "yuv420p", join(folder, "shot.mp4"));
    await host.start();
    await server.start();
    const press = async (name: string) => {
      const [a, b] = [await media(folder, `${name}-a.mp4`), await media(folder, `${name}-b.mp4`)];
      const page = await openPanel(browser, host, server, folder, {
        tracks: [[{ name: "a", start: 0, end: 48, path: a, source: 0 }, { name: "b", start: 72, end: 120, path: b, source: 24 }], []],
        width: 320, height: 180, playhead: 60, zero: 0, projectPath: join(folder, "cut.prproj"),
      });
      await page.locator("#more").click();
      await page.locator("#data-folder").fill(host.data);
      await page.locator("#data-folder").blur();
      await page.locator("#dot.up").waitFor();
      await page.locator("#model option", { hasText: /sketch/ }).waitFor({ state: "attached" });
      await page.locator("[data-kind=fill]").click();
      await page.locator("#hint", { hasText: /24 frames/ }).waitFor();
      await page.locator("#prompt").fill("a boat");
      await page.waitForTimeout(WRITING);
      const waited = await page.evaluate(
        () =>
          new Promise<number>((done) => {
            const running = document.getElementById("running")!;
            let pressed = 0;
            new MutationObserver((_, watching) => {
              if (running.hidden) return;
              watching.disconnect();
              // The second frame begins when the first has been drawn.
              requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - pressed)));
            }).observe(running, { attributes: true, attributeFilter: ["hidden"] });
            pressed = performance.now();
            document.getElementById("generate")!.click();
          }),
      );
      await page.locator("#cancel").click();
      await page.locator("#message", { hasText: "Cancelled." }).waitFor({ timeout: 120_000 });
      await page.close();
      return waited;
    };

    // Loads what browser, host and worker load once.
    await press("first");
    for (const [label, name] of [["new, looked into early", (i: number) => `new${i}`], ["seen before", () => "first"]] as const) {
      const waits: number[] = [];
      for (let i = 0; i < TIMES; i++) waits.push(await press(name(i)));
      waits.sort((one, other) => one - other);
      console.log(`fill, media ${label}: median of ${TIMES} ${waits[TIMES >> 1]!.toFixed(0)} ms, best ${waits[0]!.toFixed(0)}, worst ${waits[TIMES - 1]!.toFixed(0)}`);
    }
  } finally {
    await browser.close();
    server.stop();
    await host.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A copy, made once, that nobody wrote to for a minute. */
async function media(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  await copyFile(join(folder, "shot.mp4"), path);
  const before = new Date(Date.now() - 60_000);
  await utimes(path, before, before);
  return path;
}
