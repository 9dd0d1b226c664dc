import { Fake, fakePremiere, FakeSetup } from "./fake-premiere";

// Runs in the page before the panel: gives it the modules that UXP would, Premiere's being the stand-in and the file system the real one.

interface FromTest {
  testReadFile(path: string): Promise<string>;
  testCopyFile(from: string, to: string): Promise<void>;
  testMakeFolder(path: string): Promise<void>;
  testExists(path: string): Promise<boolean>;
  testFramesOf(path: string): Promise<number>;
  testSetup: Omit<FakeSetup, "framesOf">;
  testHome: string;
  fake: Fake;
  require(name: string): unknown;
}

const page = globalThis as unknown as FromTest;

function bytes(base64: string): ArrayBuffer {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer;
}

page.fake = fakePremiere({ ...page.testSetup, framesOf: (path) => page.testFramesOf(path) });
const modules: Record<string, unknown> = {
  premierepro: page.fake.ppro,
  os: { platform: () => "linux", homedir: () => page.testHome },
  fs: {
    readFile: async (path: string, options?: { encoding?: string }) => {
      const content = bytes(await page.testReadFile(path));
      return options?.encoding ? new TextDecoder().decode(content) : content;
    },
    copyFile: (from: string, to: string) => page.testCopyFile(from, to),
    mkdir: (path: string) => page.testMakeFolder(path),
    lstat: async (path: string) => (await page.testExists(path)) || Promise.reject(new Error("ENOENT")),
  },
};
page.require = (name) => modules[name];
