import { isFinal, JobEventJson, JobJson, JobSpecJson, MediaInfoJson, ModelJson, PlanJson } from "./contract";
import { Endpoint } from "./endpoint";
import { Refusal } from "./refusal";

/** Milliseconds between looks at a job where the stream of its events cannot be read as it comes. */
const POLL_INTERVAL = 500;
const MOST_RETRIES = 5;

/** The host's JSON endpoint. Every call reads the endpoint anew when the host has been started again meanwhile. */
export class Host {
  private endpoint: Endpoint | undefined;

  constructor(
    private readonly locate: () => Promise<Endpoint>,
    private readonly fetching: typeof fetch,
    private readonly pause: (milliseconds: number) => Promise<void> = (ms) => new Promise((done) => setTimeout(done, ms)),
  ) {}

  /** Looks for the host anew at the next call. */
  forget(): void {
    this.endpoint = undefined;
  }

  async version(): Promise<string> {
    const { version } = await this.call<{ version?: string }>("GET", "serverInfo");
    return version ?? "";
  }

  async models(): Promise<ModelJson[]> {
    return (await this.call<{ models?: ModelJson[] }>("GET", "models")).models ?? [];
  }

  probe(path: string): Promise<MediaInfoJson> {
    return this.call("POST", "media:probe", { media: { path } });
  }

  async plan(spec: JobSpecJson): Promise<PlanJson> {
    return (await this.call<{ plan?: PlanJson }>("POST", "jobs:plan", { spec })).plan ?? {};
  }

  /** Stores a job. The same `requestId` sent again is the same job. */
  create(spec: JobSpecJson, requestId: string, labels: Record<string, string>): Promise<JobJson> {
    return this.call("POST", `jobs?requestId=${encodeURIComponent(requestId)}`, { spec, labels });
  }

  job(name: string): Promise<JobJson> {
    return this.call("GET", name);
  }

  cancel(name: string): Promise<JobJson> {
    return this.call("POST", `${name}:cancel`, {});
  }

  /**
   * What happens to a job, until it ends. A line that breaks is taken up again; where answers cannot be read as they come (UXP has not been
   * seen to do it, nor not to), the job is asked for again and again instead, and there are no pictures meanwhile.
   */
  async *watch(name: string): AsyncGenerator<JobEventJson> {
    let after = "0";
    let failures = 0;
    while (failures < MOST_RETRIES) {
      try {
        const answer = await this.open("GET", `${name}:watch?previews=true&afterSequence=${after}`);
        if (typeof answer.body?.getReader !== "function") break;
        for await (const happened of lines(answer.body.getReader())) {
          failures = 0;
          after = happened.sequence ?? after;
          yield happened;
          if (isFinal(happened.job?.state)) return;
        }
      } catch (error) {
        if (error instanceof Refusal && error.reason !== "HOST_UNREACHABLE" && error.reason !== "HOST_STOPPING") throw error;
      }

      failures++;
      await this.pause(POLL_INTERVAL);
    }

    for (;;) {
      const job = await this.job(name);
      yield { sequence: job.sequence ?? after, job };
      if (job.progress) yield { sequence: job.sequence ?? after, progress: job.progress };
      if (isFinal(job.state)) return;
      await this.pause(POLL_INTERVAL);
    }
  }

  private async call<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
    return (await (await this.open(method, path, body)).json()) as T;
  }

  private async open(method: "GET" | "POST", path: string, body?: unknown): Promise<Response> {
    const known = this.endpoint;
    const endpoint = known ?? (this.endpoint = await this.locate());
    let answer: Response;
    try {
      answer = await this.send(endpoint, method, path, body);
    } catch {
      this.endpoint = undefined;
      if (known) return this.open(method, path, body);
      throw new Refusal(
        `The host at 127.0.0.1:${endpoint.httpPort} does not answer, although its endpoint.json is there. Start it again with "editorbridge serve".`,
        "HOST_UNREACHABLE",
      );
    }

    if (answer.ok) return answer;
    // A host that was started again has another port and another token.
    if (answer.status === 401 && known) {
      this.endpoint = undefined;
      return this.open(method, path, body);
    }

    throw await refusalOf(answer);
  }

  private send(endpoint: Endpoint, method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { Authorization: `Bearer ${endpoint.token}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    // Always this machine, whatever the manifest would let through.
    return this.fetching(`http://127.0.0.1:${endpoint.httpPort}/v1/${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  }
}

/** The error an answer carries: a google.rpc.Status, whose ErrorInfo has the reason. */
async function refusalOf(answer: Response): Promise<Refusal> {
  try {
    const status = (await answer.json()) as { message?: string; details?: { reason?: string }[] };
    const reason = status.details?.find((detail) => typeof detail.reason === "string")?.reason;
    if (answer.status === 403) {
      return new Refusal(`The host turned the panel away: ${status.message ?? ""} If it names the panel's origin, start the host with --panel-origin and that origin.`, "FORBIDDEN");
    }

    if (status.message) return new Refusal(status.message, reason ?? "HOST_ERROR");
  } catch {
    // Not JSON: the status has to do.
  }

  return new Refusal(`The host answered with HTTP status ${answer.status}; its log has more.`, "HOST_ERROR");
}

/** Objects of a stream that has one a line. */
async function* lines(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<JobEventJson> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
        const line = rest.slice(0, end).trim();
        rest = rest.slice(end + 1);
        if (line.length === 0) continue;
        const happened = JSON.parse(line) as JobEventJson & { error?: { message?: string; details?: { reason?: string }[] } };
        if (happened.error) throw new Refusal(happened.error.message ?? "The host ended the stream.", happened.error.details?.find((d) => d.reason)?.reason ?? "HOST_STOPPING");
        yield happened;
      }
    }
  } finally {
    // Leaving the stream does not end the job.
    void reader.cancel().catch(() => undefined);
  }
}
