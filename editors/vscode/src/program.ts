// Finding the program with VS Code's settings, and running it for one answer.
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { homedir } from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import { expand, find, type Search } from "./binary";

async function executable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** How long a program may take to say its version. */
const patience = 10_000;

/** What a program says of its version; what it complains of where it has none. */
function version(file: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(file, ["version"], { timeout: patience, killSignal: "SIGKILL", maxBuffer: 1 << 20, windowsHide: true }, (error, stdout, stderr) => {
      resolve(error ? stderr.trim() || (error.killed === true ? "nothing" : error.message) : stdout.trim());
    });
  });
}

interface PythonApi {
  environments?: { getActiveEnvironmentPath(resource?: vscode.Uri): { path: string } };
}

/** The Python that the user selected in Microsoft's Python extension, if that is there. */
async function selectedPython(folder: vscode.Uri | undefined): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  if (!extension) {
    return undefined;
  }
  try {
    const api = extension.isActive ? extension.exports : await extension.activate();
    return api.environments?.getActiveEnvironmentPath(folder).path;
  } catch {
    return undefined; // another extension's trouble is not ours
  }
}

export async function findProgram(context: vscode.ExtensionContext): Promise<Search> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const settings = vscode.workspace.getConfiguration("secureTorch", folder);
  const trusted = vscode.workspace.isTrusted;
  return find(
    {
      trusted,
      path: settings.get<string[]>("path", []).map((p) => expand(p, homedir(), folder?.fsPath)),
      importStrategy: settings.get("importStrategy", "fromEnvironment"),
      python: trusted ? await selectedPython(folder) : undefined,
      searchPath: (process.env["PATH"] ?? "").split(path.delimiter),
      extension: context.extensionPath,
      platform: process.platform,
    },
    executable,
    version,
  );
}

/** No report is larger; one that claims to be is cut off by an error. */
const maxOutput = 512 << 20;

/** Runs the program and returns what it printed. It fails where the program printed nothing but a complaint. */
export function run(command: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { signal, maxBuffer: maxOutput, windowsHide: true }, (error, stdout, stderr) => {
      if (error && stdout === "") {
        reject(new Error(stderr.trim() || error.message));
      } else {
        resolve(stdout);
      }
    });
  });
}
