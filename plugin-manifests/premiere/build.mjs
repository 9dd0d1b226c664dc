// node build.mjs panel        makes panel/panel.js, after which the folder panel can be installed
// node build.mjs panel tests  makes build/*.js for Node's test runner as well, and build/press.js, which measures
import { build } from "esbuild";

const shared = { bundle: true, target: "es2021", logLevel: "warning", charset: "utf8" };
const wanted = process.argv.slice(2);

if (wanted.includes("panel")) {
  // These three are UXP's own and are there when the panel runs.
  await build({ ...shared, entryPoints: ["src/panel.ts"], outfile: "panel/panel.js", format: "iife", platform: "browser", external: ["premierepro", "uxp", "fs", "os"] });
}

if (wanted.includes("tests")) {
  await build({ ...shared, entryPoints: ["tests/unit.ts", "tests/browser.ts", "tests/press.ts"], outdir: "build", format: "cjs", platform: "node", external: ["playwright-core"] });
  await build({ ...shared, entryPoints: ["tests/premiere-page.ts"], outdir: "build", format: "iife", platform: "browser" });
}
