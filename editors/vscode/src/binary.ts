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

/** A program of the setting secureTorch.path, with what may stand for a folder put in: the user's home, and the workspace's. */
export function expand(given: string, home: string, workspace: string | undefined): string {
  const folders: Record<string, string | undefined> = { "${userHome}": home, "${workspaceFolder}": workspace };
  return given.replace(/^~(?=[/\\]|$)/, () => home).replaceAll(/\$\{(userHome|workspaceFolder)\}/g, (name) => folders[name] ?? name);
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

export interface Search {
  found: Found | undefined;
  /** Why others, which come before it, were not taken. */
  passed: string[];
}

/** The first candidate that is there and is this program: `secure-torch` is another author's on PyPI, and may lie in an
 * environment. There are reasons for what was named in the settings, and for what is there and something else. */
export async function find(where: Where, executable: (file: string) => Promise<boolean>, version: (file: string) => Promise<string>): Promise<Search> {
  const passed = where.trusted ? where.path.filter((p) => !path.isAbsolute(p)).map((p) => `${p}: secureTorch.path takes absolute paths`) : [];
  for (const candidate of candidates(where)) {
    if (await executable(candidate.command)) {
      const said = await version(candidate.command);
      if (/^secure-torch \S+ \w+\/\w+ go/.test(said)) {
        return { found: candidate, passed };
      }
      passed.push(`${candidate.command} (${candidate.from}) is another program: asked for its version it said ${JSON.stringify(said.slice(0, 200))}`);
    } else if (candidate.from === "setting") {
      passed.push(`${candidate.command}, of secureTorch.path, can't be executed`);
    }
  }
  return { found: undefined, passed };
}
