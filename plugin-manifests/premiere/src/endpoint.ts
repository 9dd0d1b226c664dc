import { Refusal } from "./refusal";
import { join, System } from "./system";

/** How a running host is reached, as it says in endpoint.json in its data folder. */
export interface Endpoint {
  httpPort: number;
  token: string;
  version: string;
}

/** The folder a host uses when it is told of no other. */
export function defaultDataFolder(system: System): string {
  const home = system.os.homedir();
  const platform = system.os.platform();
  if (platform.startsWith("win")) return join(system, home, "AppData", "Local", "EditorBridge");
  if (platform === "darwin") return join(system, home, "Library", "Application Support", "EditorBridge");
  return join(system, home, ".local", "state", "editorbridge");
}

/** Reads how the host of that data folder is reached. Refuses, saying how a host is started, when none runs. */
export async function readEndpoint(system: System, dataFolder: string): Promise<Endpoint> {
  const path = join(system, dataFolder, "endpoint.json");
  let text: string;
  try {
    text = (await system.fs.readFile(path, { encoding: "utf-8" })) as string;
  } catch {
    throw new Refusal(
      `EditorBridge's host is not running. Premiere does not let a panel start it: run "editorbridge serve" in a terminal and leave it open. It writes its address and its token to ${path}, ` +
        `where this panel reads both; if its data folder is another one, name that under More settings.`,
      "HOST_UNREACHABLE",
    );
  }

  try {
    const { httpPort, token, version } = JSON.parse(text) as Partial<Endpoint>;
    if (!Number.isInteger(httpPort) || httpPort! <= 0 || httpPort! > 65535 || typeof token !== "string" || token.length === 0) throw new TypeError("incomplete");
    return { httpPort: httpPort!, token, version: version ?? "" };
  } catch {
    throw new Refusal(`${path} is not what a host writes: stop the host with "editorbridge stop" and start it again with "editorbridge serve".`, "HOST_UNREACHABLE");
  }
}
