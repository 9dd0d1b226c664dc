import { ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, request, Server } from "node:http";
import { AddressInfo } from "node:net";
import { extname, join, normalize, resolve } from "node:path";
import { promisify } from "node:util";

const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".png": "image/png", ".json": "application/json" };

/** The repository's root: the panel's folder is two below it. */
export const ROOT = resolve(__dirname, "../../..");

/** The real host on a data folder of its own, with the shipped model. */
export class RunningHost {
  private process: ChildProcess | undefined;
  output = "";

  constructor(readonly data: string) {}

  get endpointFile(): string {
    return join(this.data, "endpoint.json");
  }

  async start(): Promise<void> {
    const program = process.env["EDITORBRIDGE_HOST"] ?? join(ROOT, "artifacts/bin/EditorBridge.Host/release/EditorBridge.Host");
    if (!existsSync(program)) throw new Error(`${program} is missing: build the solution in Release first, or name the host in EDITORBRIDGE_HOST.`);
    this.process = spawn(program, [], { env: { ...process.env, EDITORBRIDGE_DATA: this.data }, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.process.stdout!, this.process.stderr!]) stream.on("data", (text: Buffer) => (this.output += text.toString()));
    for (let tries = 0; !existsSync(this.endpointFile); tries++) {
      if (this.process.exitCode !== null || tries > 1200) throw new Error(`The host did not start: ${this.output}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  /** Ends the host; its worker goes with it. */
  async stop(): Promise<void> {
    const ended = this.process;
    this.process = undefined;
    if (!ended || ended.exitCode !== null) return;
    const gone = new Promise((done) => ended.once("exit", done));
    ended.kill("SIGTERM");
    const timer = setTimeout(() => ended.kill("SIGKILL"), 40_000);
    await gone;
    clearTimeout(timer);
  }
}

/**
 * Serves the panel's folder to a browser and passes /v1 on to the host. The browser is not UXP: it names the page's origin in each request and
 * holds to CORS, for which the host has no answer, so that both are under one origin here and the header goes no further.
 */
export class PanelServer {
  private server: Server | undefined;
  port = 0;

  constructor(
    private readonly folder: string,
    private readonly host: RunningHost,
  ) {}

  async start(): Promise<void> {
    this.server = createServer((asked, answer) => {
      const path = new URL(asked.url!, "http://127.0.0.1").pathname;
      if (path.startsWith("/v1/")) {
        void readFile(this.host.endpointFile, "utf8").then(
          (text) => {
            const { httpPort } = JSON.parse(text) as { httpPort: number };
            const headers = Object.fromEntries(Object.entries(asked.headers).filter(([name]) => name !== "origin" && name !== "host" && !name.startsWith("sec-")));
            const onwards = request({ host: "127.0.0.1", port: httpPort, path: asked.url, method: asked.method, headers }, (from) => {
              answer.writeHead(from.statusCode!, from.headers);
              from.pipe(answer);
            });
            onwards.on("error", () => answer.destroy());
            answer.on("close", () => onwards.destroy());
            asked.pipe(onwards);
          },
          () => answer.destroy(),
        );
        return;
      }

      const file = normalize(join(this.folder, path === "/" ? "index.html" : path));
      void readFile(file).then(
        (content) => answer.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(content),
        () => answer.writeHead(404).end(),
      );
    });
    await new Promise<void>((ready) => this.server!.listen(0, "127.0.0.1", ready));
    this.port = (this.server.address() as AddressInfo).port;
  }

  stop(): void {
    this.server?.closeAllConnections();
    this.server?.close();
  }
}

export async function run(program: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(program, args)).stdout;
}

/** A program on the path; undefined when there is none of these names. */
export function find(...names: string[]): string | undefined {
  return (process.env["PATH"] ?? "").split(":").flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync);
}
