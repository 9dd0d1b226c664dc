import type { premierepro } from "@adobe/premierepro";
import { FinishedTake } from "./clips";
import { PlanJson, ProgressJson } from "./contract";
import { defaultDataFolder, readEndpoint } from "./endpoint";
import { Host } from "./host";
import { Finished, Job, Listener, lookInto, placeOf, Request, Tools, useTake } from "./job";
import { JobKind, Place } from "./places";
import { Refusal } from "./refusal";
import { open, read, Timeline } from "./sequence";
import { System } from "./system";
import { rateText, timecode } from "./ticks";

const ppro = require("premierepro") as premierepro;
const system: System = { fs: require("fs") as unknown as System["fs"], os: require("os") as unknown as System["os"] };

const HINTS: Record<JobKind, string> = {
  broll: "A new clip between the in and the out mark, on a free track above V1.",
  extend: "New frames that go on from the selected clip.",
  fill: "Frames that lead from the shot before the gap at the playhead into the shot after it.",
};

const STAGES: Record<string, string> = {
  FREEZING_INPUTS: "Taking the frames out of the media",
  STARTING_WORKER: "Starting the worker",
  LOADING_MODEL: "Loading the model",
  ENCODING_TEXT: "Reading the prompt",
  ENCODING_CONTEXT: "Looking at the shots",
  SAMPLING: "Generating",
  DECODING: "Making the frames",
  ENCODING_CLIP: "Writing the clip",
  PUBLISHING: "Checking the clip",
};

const FOLDER_KEY = "editorbridge.data-folder";

const host = new Host(
  () => readEndpoint(system, value("data-folder").trim() || defaultDataFolder(system)),
  (input, init) => fetch(input, init),
);
const tools: Tools = { ppro, host, system, newId: uuid };

let kind: JobKind = "broll";
let running: Job | undefined;
/** The media that the host was last asked to look into. */
let lookedInto = "";

function element<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

function value(id: string): string {
  return element<HTMLInputElement>(id).value;
}

function show(id: string, isShown: boolean): void {
  element(id).hidden = !isShown;
}

function say(text: string, isGood = false): void {
  const box = element("message");
  box.textContent = text;
  box.className = isGood ? "message good" : "message";
  show("message", text.length > 0);
}

function sayError(error: unknown): void {
  say(error instanceof Refusal ? error.message : `Something unexpected happened: ${error instanceof Error ? error.message : String(error)}`);
}

function request(): Request {
  return {
    kind,
    edge: value("edge") === "head" ? "head" : "tail",
    frames: Number(value("frames")),
    prompt: value("prompt"),
    negativePrompt: value("negative"),
    takes: Math.min(16, Math.max(1, Math.round(Number(value("takes"))) || 1)),
    seed: /^\d+$/.test(value("seed").trim()) ? value("seed").trim() : "",
    model: value("model"),
    preset: value("preset"),
    codec: value("codec"),
    generateOverHandles: element<HTMLInputElement>("over-handles").checked,
  };
}

async function connect(): Promise<void> {
  const dot = element("dot");
  try {
    const version = await host.version();
    lookedInto = "";
    dot.className = "dot up";
    element("connection-text").textContent = `Connected to the host, version ${version}`;
    await listModels();
  } catch (error) {
    dot.className = "dot down";
    element("connection-text").textContent = error instanceof Error ? error.message : String(error);
  }
}

async function listModels(): Promise<void> {
  const list = element<HTMLSelectElement>("model");
  const chosen = list.value;
  const models = await host.models();
  // Emptied after the wait: two connections at once would both have filled it.
  while (list.options.length > 1) list.remove(1);
  for (const model of models) {
    if (model.state !== "READY") continue;
    const option = document.createElement("option");
    option.value = model.name;
    option.textContent = `${model.displayName ?? model.name}${model.isDefault ? " (default)" : ""}`;
    list.appendChild(option);
  }

  list.value = chosen;
}

function choose(next: JobKind): void {
  kind = next;
  for (const tab of Array.from(document.querySelectorAll<HTMLElement>(".tab"))) tab.className = tab.dataset["kind"] === next ? "tab chosen" : "tab";
  show("extend-options", next === "extend");
  show("plan-text", false);
  say("");
  void describePlace();
}

/** Says under the tabs which frames a job would make, before it is asked for. */
async function describePlace(): Promise<void> {
  const hint = element("hint");
  const asked = kind;
  try {
    const timeline = await read(ppro, await open(ppro));
    const place = await placeOf(timeline, request());
    if (asked === kind) hint.textContent = `${HINTS[asked]} Now: ${placeText(timeline, place)}`;
    lookEarly(place);
  } catch (error) {
    if (asked === kind) hint.textContent = error instanceof Refusal ? `${HINTS[asked]} ${error.message}` : HINTS[asked];
  }
}

// While the prompt is written, so that Generate need not wait for it. What is wrong with the media is said when somebody asks for a job.
function lookEarly(place: Place): void {
  const media = `${place.before?.path ?? ""}\n${place.after?.path ?? ""}`;
  if (media === lookedInto) return;
  lookedInto = media;
  lookInto(host, place).catch(() => undefined);
}

function placeText(timeline: Timeline, place: Place): string {
  const frames = place.range.end - place.range.start;
  const from = timecode(timeline.zero + place.range.start, timeline.rate, timeline.dropFrame);
  return `${frames} frame${frames === 1 ? "" : "s"} from ${from} at ${rateText(timeline.rate)} on ${place.track < timeline.tracks.length ? `V${place.track + 1}` : "a new track"}.`;
}

function showPlan(place: Place, plan: PlanJson): void {
  const box = element("plan-text");
  box.textContent = "";
  const line = (text: string, style = "") => {
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    paragraph.className = style;
    box.appendChild(paragraph);
  };
  const windows = plan.windows?.length ?? 0;
  const time = plan.estimatedTime ? `, about ${timeText(Number.parseFloat(plan.estimatedTime))}` : "";
  if (plan.mechanism === "HANDLES") line("The media still holds these frames: nothing need be generated.");
  else line(`${plan.frames ?? place.range.end - place.range.start} frames with ${(plan.model ?? "").replace("models/", "")}, ${windows} window${windows === 1 ? "" : "s"} of ${plan.steps ?? 0} steps${time}.`);
  if (place.notice) line(place.notice, "warning");
  for (const warning of plan.warnings ?? []) line(warning.message, "warning");
  for (const refusal of plan.refusals ?? []) line(refusal.message, "warning");
  show("plan-text", true);
}

function timeText(seconds: number): string {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}

function showProgress(progress: ProgressJson, takes: number): void {
  element("bar-done").style.width = `${Math.round(100 * Math.min(1, progress.fraction ?? 0))}%`;
  const steps = progress.steps ? ` ${progress.step ?? 0}/${progress.steps}` : "";
  const take = takes > 1 ? `, take ${(progress.take ?? 0) + 1} of ${takes}` : "";
  const left = progress.timeLeft ? `, ${timeText(Number.parseFloat(progress.timeLeft))} left` : "";
  element("progress-text").textContent = `${progress.message || STAGES[progress.stage ?? ""] || "Waiting for its turn"}${steps}${take}${left}`;
}

function showTakes(finished: Finished, used: FinishedTake): void {
  const list = element("takes-list");
  list.textContent = "";
  for (const take of finished.takes) {
    const box = document.createElement("div");
    box.className = take === used ? "take used" : "take";
    if (take.picture) {
      const image = document.createElement("img");
      image.src = take.picture;
      image.alt = `Frames of take ${take.number}`;
      box.appendChild(image);
    }

    const row = document.createElement("div");
    row.className = "row";
    const name = document.createElement("span");
    name.className = "name grow";
    name.textContent = `Take ${take.number}, seed ${take.seed}${take === used ? ", on the timeline" : ""}`;
    row.appendChild(name);
    const use = document.createElement("button");
    use.textContent = "Use";
    use.disabled = take === used;
    use.addEventListener("click", () => {
      void useTake(ppro, finished, take).then(
        () => {
          say(`Take ${take.number} is on the timeline.`, true);
          showTakes(finished, take);
        },
        sayError,
      );
    });
    row.appendChild(use);
    box.appendChild(row);
    list.appendChild(box);
  }
}

async function generate(): Promise<void> {
  if (running) return;
  const asked = request();
  let made: Finished | undefined;
  const listener: Listener = {
    planned: showPlan,
    queued: () => {
      element("progress-text").textContent = "Queued";
      show("running", true);
    },
    progressed: (progress) => showProgress(progress, asked.takes),
    previewed: (image) => {
      element<HTMLImageElement>("preview").src = image;
      show("preview", true);
    },
    taken: () => undefined,
    finished: (finished) => (made = finished),
  };
  running = new Job(tools, asked, listener);
  say("");
  element("takes-list").textContent = "";
  element("bar-done").style.width = "0";
  show("preview", false);
  show("generate", false);
  show("cancel", true);
  try {
    const finished = await running.run();
    showTakes(finished, finished.takes[0]!);
    say(finished.takes.length > 1 ? `${finished.takes.length} takes are finished; the first is on the timeline.` : "The clip is on the timeline.", true);
  } catch (error) {
    sayError(error);
    // Finished takes can be used although the first did not find its place.
    if (made) showTakes(made, { number: 0, seed: "", path: "", picture: "" });
  } finally {
    running = undefined;
    show("running", false);
    show("cancel", false);
    show("generate", true);
    void describePlace();
  }
}

async function plan(): Promise<void> {
  say("");
  const ignore = () => undefined;
  try {
    await new Job(tools, request(), { planned: showPlan, queued: ignore, progressed: ignore, previewed: ignore, taken: ignore, finished: ignore }).plan();
  } catch (error) {
    sayError(error);
  }
}

function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function start(): void {
  const folder = element<HTMLInputElement>("data-folder");
  folder.value = localStorage.getItem(FOLDER_KEY) ?? "";
  folder.placeholder = defaultDataFolder(system);
  folder.addEventListener("change", () => {
    localStorage.setItem(FOLDER_KEY, folder.value.trim());
    host.forget();
    void connect();
  });
  for (const tab of Array.from(document.querySelectorAll<HTMLElement>(".tab"))) tab.addEventListener("click", () => choose(tab.dataset["kind"] as JobKind));
  element("reconnect").addEventListener("click", () => {
    host.forget();
    void connect();
  });
  element("more").addEventListener("click", () => show("more-settings", element("more-settings").hidden));
  element("plan").addEventListener("click", () => void plan());
  element("generate").addEventListener("click", () => void generate());
  element("cancel").addEventListener("click", () => void running?.cancel().catch(sayError));
  for (const id of ["edge", "frames"]) element(id).addEventListener("change", () => void describePlace());
  // The timeline changes while the panel is out of focus.
  document.body.addEventListener("mouseenter", () => void describePlace());
  choose("broll");
  void connect();
}

start();
