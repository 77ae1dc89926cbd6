// What runs in a terminal: check, scan, convert, doctor. No shell reads what they are given.
import * as vscode from "vscode";
import type { Server } from "./server";

const type = "secure-torch";

interface Definition extends vscode.TaskDefinition {
  verb: string;
  paths?: string[];
}

/** A task that runs the program in a folder. */
function task(command: string, verb: string, args: readonly string[], scope: vscode.WorkspaceFolder | undefined, name: string): vscode.Task {
  const cwd = scope?.uri.fsPath;
  const execution = new vscode.ProcessExecution(command, [verb, ...args], cwd === undefined ? {} : { cwd });
  const made = new vscode.Task({ type, verb } satisfies Definition, scope ?? vscode.TaskScope.Workspace, name, type, execution, "$secure-torch");
  made.presentationOptions = { clear: true, reveal: vscode.TaskRevealKind.Always };
  return made;
}

/** Runs the program in a terminal, and says where it is if it cannot be found. */
export async function runTask(server: Server, verb: string, options: readonly string[], paths: readonly string[], name: string): Promise<void> {
  const program = await server.program();
  if (!program) {
    void vscode.window.showErrorMessage("secure-torch: the program was not found");
    return;
  }
  const at = paths[0] === undefined ? undefined : vscode.workspace.getWorkspaceFolder(vscode.Uri.file(paths[0]));
  const args = paths.length > 0 ? [...options, "--", ...paths] : options;
  await vscode.tasks.executeTask(task(program.command, verb, args, at ?? vscode.workspace.workspaceFolders?.[0], name));
}

/** Offers check and scan for each folder of the workspace. */
export class Tasks implements vscode.TaskProvider {
  constructor(private readonly server: Server) {}

  async provideTasks(): Promise<vscode.Task[]> {
    const program = await this.server.program();
    if (!program) {
      return [];
    }
    return (vscode.workspace.workspaceFolders ?? []).flatMap((folder) =>
      ["check", "scan"].map((verb) => task(program.command, verb, ["--", "."], folder, `${verb} ${folder.name}`)),
    );
  }

  async resolveTask(given: vscode.Task): Promise<vscode.Task | undefined> {
    const { verb, paths } = given.definition as Definition;
    const program = await this.server.program();
    if (!program || (verb !== "check" && verb !== "scan")) {
      return undefined;
    }
    const folder = typeof given.scope === "object" ? given.scope : undefined;
    const made = task(program.command, verb, ["--", ...(paths ?? ["."])], folder, given.name);
    made.definition = given.definition;
    return made;
  }
}
