/** What UXP gives a panel of the machine it runs on: the parts of its modules "fs" and "os" that are used here. */
export interface System {
  fs: {
    readFile(path: string, options?: { encoding?: string }): Promise<string | ArrayBuffer>;
    copyFile(from: string, to: string): Promise<unknown>;
    mkdir(path: string, options?: { recursive?: boolean }): Promise<unknown>;
    lstat(path: string): Promise<unknown>;
  };
  os: { platform(): string; homedir(): string };
}

/** Whether there is something at that path. */
export async function exists(system: System, path: string): Promise<boolean> {
  try {
    await system.fs.lstat(path);
    return true;
  } catch {
    return false;
  }
}

export function join(system: System, ...parts: string[]): string {
  return parts.join(separator(system)).replace(/([^:/\\])[/\\]{2,}/g, `$1${separator(system)}`);
}

/** The folder a file lies in. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")));
}

function separator(system: System): string {
  return system.os.platform().startsWith("win") ? "\\" : "/";
}
