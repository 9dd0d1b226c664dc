import { ClipFileJson, TakeJson } from "./contract";
import { Refusal } from "./refusal";
import { exists, folderOf, join, System } from "./system";

/** One finished take, with its own file beside the project. */
export interface FinishedTake {
  readonly number: number;
  readonly seed: string;
  readonly path: string;
  /** A picture of its frames as a data URL; empty where there is none. */
  readonly picture: string;
}

/** The folder of new clips: beside the project. */
export function clipFolder(system: System, projectPath: string): string {
  return projectPath ? join(system, folderOf(projectPath), "EditorBridge clips") : join(system, system.os.homedir(), "EditorBridge clips");
}

/** Copies a take out of the host's folder, where it goes away after a while. A file that is there is never overwritten. */
export async function keep(system: System, take: TakeJson, job: string, folder: string): Promise<FinishedTake> {
  const files = take.clip?.files ?? [];
  const media = part(files, "MEDIA");
  if (!media?.localPath) throw new Refusal("The host gives no path of the finished clip: it must run on this machine.", "CLIP_LOST");
  await system.fs.mkdir(folder, { recursive: true });
  const path = await copy(system, media, job, folder);
  const sidecar = part(files, "SIDECAR");
  if (sidecar?.localPath) await copy(system, sidecar, job, folder);
  return { number: (take.index ?? 0) + 1, seed: take.seed ?? "", path, picture: await picture(system, part(files, "CONTACT_SHEET")) };
}

function part(files: readonly ClipFileJson[], wanted: ClipFileJson["part"]): ClipFileJson | undefined {
  return files.find((file) => file.part === wanted);
}

async function copy(system: System, file: ClipFileJson, job: string, folder: string): Promise<string> {
  const id = job.replace("jobs/", "");
  // The host's names tell takes of one job apart; those of other jobs may be the same.
  const name = file.fileName.includes(id) ? file.fileName : `${id}-${file.fileName}`;
  const target = join(system, folder, name);
  if (!(await exists(system, target))) await system.fs.copyFile(file.localPath!, target);
  return target;
}

async function picture(system: System, sheet: ClipFileJson | undefined): Promise<string> {
  if (!sheet?.localPath) return "";
  try {
    const bytes = new Uint8Array((await system.fs.readFile(sheet.localPath)) as ArrayBuffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 0x2000) text += String.fromCharCode(...bytes.subarray(i, i + 0x2000));
    return `data:image/jpeg;base64,${btoa(text)}`;
  } catch {
    // A take without a picture is a take all the same.
    return "";
  }
}
