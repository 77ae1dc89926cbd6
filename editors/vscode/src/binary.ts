// Which program is started. What lies in a folder that is not trusted is never started.
import * as path from "node:path";

export interface Where {
  trusted: boolean;
  /** The setting secureTorch.path, with variables put in. */
  path: readonly string[];
  importStrategy: string;
  /** The selected Python's program or environment folder; undefined where there is none. */
  python: string | undefined;
  /** The folders of PATH. */
  searchPath: readonly string[];
  /** The extension's own folder. */
  extension: string;
  platform: NodeJS.Platform;
}

export interface Found {
  command: string;
  from: "setting" | "environment" | "PATH" | "bundled";
}

/** The places to look, the first first. */
export function candidates(where: Where): Found[] {
  const name = where.platform === "win32" ? "secure-torch.exe" : "secure-torch";
  const bundled: Found = { command: path.join(where.extension, "server", name), from: "bundled" };
  if (!where.trusted) {
    return [bundled];
  }
  const all: Found[] = where.path.filter((p) => path.isAbsolute(p)).map((command) => ({ command, from: "setting" }));
  if (where.importStrategy === "useBundled") {
    return [...all, bundled];
  }
  if (where.python !== undefined) {
    const scripts = where.platform === "win32" ? "Scripts" : "bin";
    all.push({ command: path.join(path.dirname(where.python), name), from: "environment" });
    all.push({ command: path.join(where.python, scripts, name), from: "environment" });
  }
  // A relative folder in PATH would mean whatever folder is current: no program is taken from there.
  for (const folder of where.searchPath.filter((p) => path.isAbsolute(p))) {
    all.push({ command: path.join(folder, name), from: "PATH" });
  }
  return [...all, bundled];
}

/** The first candidate that can be executed. */
export async function find(where: Where, executable: (file: string) => Promise<boolean>): Promise<Found | undefined> {
  for (const candidate of candidates(where)) {
    if (await executable(candidate.command)) {
      return candidate;
    }
  }
  return undefined;
}
