import * as path from "node:path";
import * as vscode from "vscode";
import { inspectorView } from "./inspector/editor";
import { openReport } from "./report";
import type { Server } from "./server";
import { runTask } from "./tasks";

/** Where "Inspect" and "Convert" stand in the explorer's menu. */
const models = [".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib", ".safetensors", ".gguf", ".onnx", ".keras", ".h5", ".hdf5", ".npy", ".npz"];
const convertible = [".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle"];

const filters = { Models: models.map((extension) => extension.slice(1)), "All files": ["*"] };

/** The file that a command is about: what it was called on, else what the user picks. */
async function chosen(uri: unknown, title: string): Promise<string | undefined> {
  if (uri instanceof vscode.Uri) {
    return uri.fsPath;
  }
  return (await vscode.window.showOpenDialog({ title, filters }))?.[0]?.fsPath;
}

async function convert(server: Server, uri: unknown): Promise<void> {
  const from = await chosen(uri, "Convert to safetensors");
  if (from === undefined) {
    return;
  }
  const beside = path.join(path.dirname(from), `${path.parse(from).name}.safetensors`);
  await runTask(server, "convert", [], [from, beside], `convert ${path.basename(from)}`); // never over a file that is there
}

async function report(server: Server, uri: unknown): Promise<void> {
  const active = vscode.window.activeTextEditor?.document.uri;
  if (uri instanceof vscode.Uri || active === undefined) {
    const file = await chosen(uri, "Show the report on");
    return file === undefined ? undefined : openReport(file);
  }
  const lenses = await server.request<{ command?: { arguments?: string[] } }[]>("textDocument/codeLens", { textDocument: { uri: active.toString() } });
  const paths = [...new Set(lenses.map((lens) => lens.command?.arguments?.[0]).filter((p) => p !== undefined))];
  const file = paths.length > 1 ? await vscode.window.showQuickPick(paths, { title: "Show the report on" }) : paths[0];
  if (file !== undefined) {
    return openReport(file);
  }
  void vscode.window.showInformationMessage("secure-torch: no model of this file has been scanned");
}

export function registerCommands(context: vscode.ExtensionContext, server: Server): void {
  const on = (name: string, run: (uri?: unknown) => unknown) => {
    context.subscriptions.push(vscode.commands.registerCommand(`secureTorch.${name}`, run));
  };
  void vscode.commands.executeCommand("setContext", "secureTorch.models", models);
  void vscode.commands.executeCommand("setContext", "secureTorch.convertible", convertible);
  const folders = () => (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  on("restart", () => server.restart());
  on("showLogs", () => { server.log.show(); });
  on("doctor", () => runTask(server, "doctor", [], [], "doctor"));
  on("scanWorkspace", () => runTask(server, "scan", [], folders(), "scan the workspace"));
  on("checkWorkspace", () => runTask(server, "check", [], folders(), "check the workspace"));
  on("showReport", (uri) => report(server, uri));
  on("convert", (uri) => convert(server, uri));
  on("scanFile", async (uri) => {
    const file = await chosen(uri, "Scan");
    return file === undefined ? undefined : runTask(server, "scan", [], [file], `scan ${path.basename(file)}`);
  });
  on("inspect", async (uri) => {
    const file = await chosen(uri, "Inspect");
    if (file !== undefined) {
      await vscode.commands.executeCommand("vscode.openWith", vscode.Uri.file(file), inspectorView);
    }
  });
}
