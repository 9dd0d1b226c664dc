import { copyFile, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Browser, chromium, Page } from "playwright-core";
import type { FakeSetup } from "./fake-premiere";
import { find, PanelServer, ROOT, run, RunningHost } from "./running-host";

/** The browser that stands for UXP; undefined where there is none. */
export const CHROMIUM = process.env["EDITORBRIDGE_CHROMIUM"] ?? find("chromium", "chromium-browser", "google-chrome");

export function startBrowser(program: string): Promise<Browser> {
  return chromium.launch({
    executablePath: program,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** The panel's own page, with a stand-in for Premiere, the real file system and the real host. `home` is the user's home folder; what goes wrong in the page is added to `problems`. */
export async function openPanel(browser: Browser, host: RunningHost, server: PanelServer, home: string, setup: Omit<FakeSetup, "framesOf">, problems: string[] = []): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 340, height: 760 } });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.setDefaultTimeout(60_000);
  await page.exposeFunction("testReadFile", async (path: string) => {
    const content = await readFile(path);
    if (path !== host.endpointFile) return content.toString("base64");
    // The browser reaches the host through the server of the page.
    return Buffer.from(JSON.stringify({ ...(JSON.parse(content.toString()) as object), httpPort: server.port })).toString("base64");
  });
  await page.exposeFunction("testCopyFile", (from: string, to: string) => copyFile(from, to));
  await page.exposeFunction("testMakeFolder", async (path: string) => void (await mkdir(path, { recursive: true })));
  await page.exposeFunction("testExists", (path: string) => stat(path).then(() => true, () => false));
  await page.exposeFunction("testFramesOf", framesOf);
  await page.addInitScript((given) => Object.assign(globalThis, given), { testHome: home, testSetup: setup });
  await page.addInitScript({ path: join(ROOT, "plugin-manifests/premiere/build/premiere-page.js") });
  await page.goto(`http://127.0.0.1:${server.port}/`);
  return page;
}

export async function framesOf(path: string): Promise<number> {
  return Number((await run("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", path)).trim());
}
