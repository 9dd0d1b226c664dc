import type { premierepro } from "@adobe/premierepro";
import { clipFolder, FinishedTake, keep } from "./clips";
import { JobJson, MediaInfoJson, PlanJson, ProgressJson } from "./contract";
import { Host } from "./host";
import { importClip, place } from "./placing";
import { broll, extend, fill, JobKind, Place } from "./places";
import { Refusal } from "./refusal";
import { open, Opened, read, Timeline } from "./sequence";
import { specOf, Wishes } from "./spec";
import { System } from "./system";

/** What the user asks for. */
export interface Request extends Wishes {
  readonly kind: JobKind;
  readonly edge: "tail" | "head";
  readonly frames: number;
}

/** Who is told how a job goes. */
export interface Listener {
  planned(place: Place, plan: PlanJson): void;
  queued(job: JobJson): void;
  progressed(progress: ProgressJson): void;
  /** A picture of the frames so far, as a data URL. */
  previewed(image: string): void;
  taken(take: FinishedTake): void;
  /** Every take is made and kept; the first goes onto the timeline now. */
  finished(finished: Finished): void;
}

/** A job that ended well, with what is needed to try another take in its place. */
export interface Finished {
  readonly job: string;
  readonly place: Place;
  readonly opened: Opened;
  readonly takes: readonly FinishedTake[];
}

export interface Tools {
  readonly ppro: premierepro;
  readonly host: Host;
  readonly system: System;
  readonly newId: () => string;
}

/** The place that a request means, without asking the host anything. */
export async function placeOf(timeline: Timeline, request: Pick<Request, "kind" | "edge" | "frames">): Promise<Place> {
  switch (request.kind) {
    case "broll":
      return broll(timeline);
    case "extend":
      return extend(timeline, request.edge, request.frames);
    case "fill":
      return fill(timeline);
  }
}

/** One job from the timeline to the timeline. */
export class Job {
  private name: string | undefined;
  private cancelled = false;

  constructor(
    private readonly tools: Tools,
    private readonly request: Request,
    private readonly listener: Listener,
  ) {}

  /** What would be done, without doing it. */
  async plan(): Promise<PlanJson> {
    return (await this.prepare()).plan;
  }

  /** Runs to the end: the first take is on the timeline then, all of them are beside the project. */
  async run(): Promise<Finished> {
    const { ppro, host, system, newId } = this.tools;
    const { opened, timeline, where, spec, plan } = await this.prepare();
    const refusal = plan.refusals?.[0];
    if (refusal) throw new Refusal(refusal.message, refusal.reason);
    if (plan.mechanism === "HANDLES")
      throw new Refusal("The media still holds the frames asked for: drag the clip's end out, or tick \"Generate even where the media has frames\".", "HANDLES");
    if (this.cancelled) throw cancellation();
    const job = await host.create(spec, newId(), { application: "premiere" });
    this.name = job.name;
    this.listener.queued(job);
    if (this.cancelled) await host.cancel(job.name);

    const end = await this.follow(job.name);
    if (end.state === "CANCELLED") throw cancellation();
    if (end.state !== "SUCCEEDED") throw new Refusal(end.error?.message ?? "The job failed; the host's log has more.", "JOB_FAILED");
    const takes: FinishedTake[] = [];
    for (const take of end.takes ?? []) {
      const kept = await keep(system, take, job.name, clipFolder(system, timeline.project));
      takes.push(kept);
      this.listener.taken(kept);
    }

    const finished = { job: job.name, place: where, opened, takes };
    const first = takes[0];
    if (!first) throw new Refusal("The host made no clip.", "CLIP_LOST");
    this.listener.finished(finished);
    await useTake(ppro, finished, first);
    return finished;
  }

  /** Ends the job; `run` then refuses. */
  async cancel(): Promise<void> {
    this.cancelled = true;
    if (this.name) await this.tools.host.cancel(this.name);
  }

  private async prepare() {
    if (this.request.prompt.trim().length === 0) throw new Refusal("The prompt is empty: say what is to be seen.", "PROMPT_MISSING");
    const opened = await open(this.tools.ppro);
    const timeline = await read(this.tools.ppro, opened);
    const where = await placeOf(timeline, this.request);
    const media = await lookInto(this.tools.host, where);
    const spec = specOf(timeline, where, this.request, media);
    const plan = await this.tools.host.plan(spec);
    this.listener.planned(where, plan);
    return { opened, timeline, where, spec, plan };
  }

  private async follow(name: string): Promise<JobJson> {
    let last: JobJson = { name };
    for await (const happened of this.tools.host.watch(name)) {
      if (happened.progress) this.listener.progressed(happened.progress);
      if (happened.preview?.image) this.listener.previewed(`data:${happened.preview.contentType || "image/png"};base64,${happened.preview.image}`);
      if (happened.job) {
        last = happened.job;
        if (last.progress) this.listener.progressed(last.progress);
      }
    }

    return last;
  }
}

/** Puts a take in its job's place; another take of the job that lies there is replaced, since all have the same frames. */
export async function useTake(ppro: premierepro, finished: Finished, take: FinishedTake): Promise<void> {
  const { opened, place: where, takes } = finished;
  // Minutes may have passed, and the user may have gone on editing.
  const now = await read(ppro, opened);
  const track = now.tracks[where.track];
  const there = track?.clips.filter((clip) => clip.start < where.range.end && where.range.start < clip.end) ?? [];
  const inWay = (await Promise.all(there.map((clip) => clip.shot()))).find((shot) => !takes.some((other) => other.path === shot.path));
  if (inWay)
    throw new Refusal(`${inWay.name} lies on ${track!.name} by now where the new frames were to go. The takes are finished: make room, then press "Use" beside one.`, "PLACE_TAKEN");
  const item = await importClip(ppro, opened.project, take.path);
  await place(ppro, opened, item, where, `take ${take.number}`);
}

/** What the host finds in the media beside a place. It remembers, so that whoever asks early need not wait later. */
export async function lookInto(host: Host, where: Place): Promise<Map<string, MediaInfoJson>> {
  const paths = [...new Set([where.before?.path, where.after?.path])].filter((path) => path !== undefined && path !== null);
  return new Map(await Promise.all(paths.map(async (path) => [path, await host.probe(path)] as const)));
}

function cancellation(): Refusal {
  return new Refusal("Cancelled.", "CANCELLED");
}
