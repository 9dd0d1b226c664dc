import assert from "node:assert/strict";
import { createServer, IncomingMessage, Server, ServerResponse } from "node:http";
import { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { defaultDataFolder, readEndpoint } from "../src/endpoint";
import { Host } from "../src/host";
import { Refusal } from "../src/refusal";
import { System } from "../src/system";

function system(platform: string, files: Record<string, string> = {}): System {
  return {
    os: { platform: () => platform, homedir: () => (platform.startsWith("win") ? "C:\\Users\\me" : "/Users/me") },
    fs: {
      readFile: async (path) => files[path] ?? Promise.reject(new Error("ENOENT")),
      copyFile: async () => 0,
      mkdir: async () => 0,
      lstat: async () => ({}),
    },
  };
}

describe("the endpoint", () => {
  it("is looked for where the host of each system writes it", () => {
    assert.equal(defaultDataFolder(system("darwin")), "/Users/me/Library/Application Support/EditorBridge");
    assert.equal(defaultDataFolder(system("win32")), "C:\\Users\\me\\AppData\\Local\\EditorBridge");
  });

  it("that is not there says how the host is started and where its token would be", async () => {
    await assert.rejects(readEndpoint(system("darwin"), "/d"), (error: Error) => {
      assert.ok(error instanceof Refusal);
      assert.match(error.message, /editorbridge serve/);
      assert.match(error.message, /token to \/d\/endpoint\.json/);
      return true;
    });
  });

  it("that is damaged is refused", async () => {
    for (const text of ["", "{}", '{"httpPort":0,"token":"x"}', '{"httpPort":99999,"token":"x"}', '{"httpPort":80}', '{"httpPort":"80","token":"x"}'])
      await assert.rejects(readEndpoint(system("darwin", { "/d/endpoint.json": text }), "/d"), Refusal);
  });
});

describe("the host", () => {
  let server: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
  const asked: string[] = [];
  let port = 0;
  before(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      answer(request, response);
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const json = (response: ServerResponse, status: number, body: unknown) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const quick = async () => undefined;

  it("is asked again with the new token after it was started again", async () => {
    let token = "old";
    const host = new Host(async () => ({ httpPort: port, token, version: "1" }), fetch, quick);
    answer = (request, response) => (request.headers.authorization === `Bearer ${token}` ? json(response, 200, { version: "9" }) : json(response, 401, { code: 16, message: "no" }));
    assert.equal(await host.version(), "9");
    token = "new";
    assert.equal(await host.version(), "9");
    assert.match(asked.at(-1)!, /^GET \/v1\/serverInfo Bearer new$/);
  });

  it("gives the reason of an error", async () => {
    const host = new Host(async () => ({ httpPort: port, token: "t", version: "1" }), fetch, quick);
    answer = (_, response) => json(response, 400, { code: 3, message: "Frames are missing.", details: [{ "@type": "x", reason: "FIELD_MISSING" }] });
    await assert.rejects(host.models(), (error: Refusal) => error.message === "Frames are missing." && error.reason === "FIELD_MISSING");
  });

  it("that is gone is named, with the way out", async () => {
    const host = new Host(async () => ({ httpPort: 1, token: "t", version: "1" }), fetch, quick);
    await assert.rejects(host.version(), (error: Refusal) => error.reason === "HOST_UNREACHABLE" && /editorbridge serve/.test(error.message));
  });

  it("is watched on over a line that breaks in the middle of an event", async () => {
    const host = new Host(async () => ({ httpPort: port, token: "t", version: "1" }), fetch, quick);
    let times = 0;
    answer = (request, response) => {
      times++;
      response.writeHead(200, { "content-type": "application/json" });
      if (times === 1) {
        response.write('{"sequence":"3","job":{"name":"jobs/j","state":"RUNNING"}}\n{"sequence":"4","progress":{"step":1,');
        setTimeout(() => response.destroy(), 20);
      } else {
        assert.match(request.url!, /afterSequence=3/);
        response.end('{"sequence":"5","progress":{"step":2}}\n{"sequence":"6","job":{"name":"jobs/j","state":"SUCCEEDED"}}\n');
      }
    };
    const seen: string[] = [];
    for await (const happened of host.watch("jobs/j")) seen.push(happened.job?.state ?? `step ${happened.progress?.step}`);
    assert.deepEqual(seen, ["RUNNING", "step 2", "SUCCEEDED"]);
  });

  it("is polled where streams cannot be read as they come", async () => {
    const states = ["QUEUED", "RUNNING", "SUCCEEDED"];
    const noStreams: typeof fetch = async (input, init) => {
      const answered = await fetch(input, init);
      return { ok: answered.ok, status: answered.status, json: () => answered.json() } as Response;
    };
    answer = (request, response) => json(response, 200, request.url!.includes(":watch") ? {} : { name: "jobs/j", state: states.shift() });
    const host = new Host(async () => ({ httpPort: port, token: "t", version: "1" }), noStreams, quick);
    const seen: string[] = [];
    for await (const happened of host.watch("jobs/j")) if (happened.job) seen.push(happened.job.state!);
    assert.deepEqual(seen, ["QUEUED", "RUNNING", "SUCCEEDED"]);
  });

  it("says which job is not there any more instead of asking for ever", async () => {
    const host = new Host(async () => ({ httpPort: port, token: "t", version: "1" }), fetch, quick);
    answer = (_, response) => json(response, 404, { code: 5, message: "There is no job jobs/j.", details: [{ reason: "JOB_NOT_FOUND" }] });
    await assert.rejects(async () => {
      for await (const happened of host.watch("jobs/j")) assert.fail(JSON.stringify(happened));
    }, (error: Refusal) => error.reason === "JOB_NOT_FOUND");
  });
});
