// What runs in a terminal: check, scan, convert, doctor. No shell reads what they are given.
import * as vscode from "vscode";
import { run } from "./program";
import type { Server } from "./server";

const type = "secure-torch";

/** One for each of VS Code's severities: its matchers take theirs from no words but "error", "warning" and "info". */
const matchers = ["$secure-torch", "$secure-torch-medium", "$secure-torch-low"];

interface Definition extends vscode.TaskDefinition {
  verb: string;
  paths?: string[];
}

/** A task that runs the program in a folder. */
function task(command: string, verb: string, args: readonly string[], scope: vscode.WorkspaceFolder | undefined, name: string): vscode.Task {
  const cwd = scope?.uri.fsPath;
  const execution = new vscode.ProcessExecution(command, [verb, ...args], cwd === undefined ? {} : { cwd });
  const made = new vscode.Task({ type, verb } satisfies Definition, scope ?? vscode.TaskScope.Workspace, name, type, execution, matchers);
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
  if (!vscode.workspace.isTrusted) {
    return results.show(name, await run(program.command, [verb, ...args], new AbortController().signal).catch(String));
  }
  await vscode.tasks.executeTask(task(program.command, verb, args, at ?? vscode.workspace.workspaceFolders?.[0], name));
}

/** What a program printed, as a document: VS Code starts no task in a workspace that is not trusted, and there a user wants to
 * know most of all. Only the bundled program is run so. */
class Results implements vscode.TextDocumentContentProvider {
  static readonly scheme = "secure-torch-results";
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly texts = new Map<string, string>();

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) ?? "";
  }

  async show(name: string, text: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: Results.scheme, path: `/${name}.txt` });
    this.texts.set(uri.path, text);
    this.changed.fire(uri);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true, viewColumn: vscode.ViewColumn.Beside });
  }
}

const results = new Results();

export function registerResults(context: vscode.ExtensionContext): void {
  context.subscriptions.push(vscode.workspace.registerTextDocumentContentProvider(Results.scheme, results));
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
