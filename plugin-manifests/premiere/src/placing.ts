import type { Action, ClipProjectItem, FolderItem, premierepro, Project, ProjectItem } from "@adobe/premierepro";
import { Place } from "./places";
import { Refusal } from "./refusal";
import { Opened, read } from "./sequence";
import { rateOfTimebase, ticksOf } from "./ticks";

const BIN = "EditorBridge";

/** A clip's file in the project, for the timeline to point at. Imports it where it is not there. */
export async function importClip(ppro: premierepro, project: Project, path: string): Promise<ClipProjectItem> {
  const bin = await binOf(ppro, project);
  const known = await find(ppro, bin, path);
  if (known) return known;
  const imported = await project.importFiles([path], true, ppro.ProjectItem.cast(bin), false);
  // The answer is not the item, so it is looked for.
  const item = imported ? await find(ppro, bin, path) : undefined;
  if (!item) throw new Refusal(`Premiere did not import ${path}: import it by hand; it is the finished clip.`, "IMPORT_FAILED");
  return item;
}

/** Puts a clip exactly at its place, as one step of undo, and looks whether it is there. */
export async function place(ppro: premierepro, opened: Opened, item: ClipProjectItem, where: Place, name: string): Promise<void> {
  const { project, sequence } = opened;
  const rate = rateOfTimebase(await sequence.getTimebase());
  const time = ppro.TickTime.createWithTicks(String(ticksOf(where.range.start, rate)));
  const isNewTrack = where.track >= (await sequence.getVideoTrackCount());
  const projectItem = ppro.ProjectItem.cast(item);
  const editor = ppro.SequenceEditor.getEditor(sequence);
  transact(project, `EditorBridge: ${name}`, () => [
    // Only an insertion is documented to make a track. On a new one it can push nothing on.
    isNewTrack ? editor.createInsertProjectItemAction(projectItem, time, where.track, 0, true) : editor.createOverwriteItemAction(projectItem, time, where.track, 0),
  ]);

  const now = await read(ppro, opened);
  const path = await item.getMediaFilePath();
  const there = now.tracks.flatMap((track) => track.clips.filter((clip) => clip.start === where.range.start).map((clip) => ({ track, clip })));
  const found = (await Promise.all(there.map(async (one) => ({ ...one, path: (await one.clip.shot()).path })))).find((one) => one.path === path);
  if (!found) throw new Refusal(`Premiere did not put ${name} onto the timeline: it is in the bin ${BIN}, drag it from there (undo first if anything moved).`, "NOT_PLACED");
  const frames = where.range.end - where.range.start;
  if (found.clip.end !== where.range.end)
    throw new Refusal(`${name} lies on ${found.track.name} with ${found.clip.end - found.clip.start} frames in place of ${frames}: undo, and check that the media's frame rate is not overridden.`, "WRONG_LENGTH");
}

/** Carries actions out as one step of undo. They must be made inside the lock, or Premiere 26.3 and later refuses them. */
function transact(project: Project, name: string, make: () => Action[]): void {
  let done = false;
  project.lockedAccess(() => {
    done = project.executeTransaction((compound) => {
      for (const action of make()) compound.addAction(action);
    }, name);
  });
  if (!done) throw new Refusal(`Premiere refused the edit "${name}": look whether the track is locked.`, "EDIT_REFUSED");
}

/** The bin that new clips go into; made at the first. */
async function binOf(ppro: premierepro, project: Project): Promise<FolderItem> {
  const root = await project.getRootItem();
  const existing = await findBin(ppro, root);
  if (existing) return existing;
  transact(project, `EditorBridge: bin`, () => [root.createBinAction(BIN, false)]);
  const made = await findBin(ppro, root);
  if (!made) throw new Refusal(`Premiere did not make the bin ${BIN}: make one of that name.`, "IMPORT_FAILED");
  return made;
}

async function findBin(ppro: premierepro, root: FolderItem): Promise<FolderItem | undefined> {
  const item = (await root.getItems()).find((child) => child.type === ppro.ProjectItem.TYPE_BIN && child.name === BIN);
  return item ? ppro.FolderItem.cast(item) : undefined;
}

async function find(ppro: premierepro, bin: FolderItem, path: string): Promise<ClipProjectItem | undefined> {
  for (const child of await bin.getItems()) {
    const clip = isFolder(ppro, child) ? null : ppro.ClipProjectItem.cast(child);
    if (clip && (await clip.getMediaFilePath()) === path) return clip;
  }

  return undefined;
}

function isFolder(ppro: premierepro, item: ProjectItem): boolean {
  return item.type === ppro.ProjectItem.TYPE_BIN || item.type === ppro.ProjectItem.TYPE_ROOT;
}
