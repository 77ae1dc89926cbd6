import * as path from "node:path";
import * as vscode from "vscode";
import { inspectorView } from "./inspector/editor";
import { hasReport, openReport } from "./report";
import type { Server } from "./server";
import { runTask } from "./tasks";

/** Where "Inspect" and "Convert" stand in the explorer's menu. */
const models = [
  ".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib", ".safetensors", ".gguf", ".onnx", ".keras", ".h5", ".hdf5", ".npy", ".npz", ".tflite", ".nemo", ".pb", ".mar",
];
const convertible = [".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle"];

const filters = { Models: models.map((extension) => extension.slice(1)), "All files": ["*"] };

/** The model that the user looks at in the inspector. */
function inspected(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputCustom && input.viewType.startsWith(inspectorView) ? input.uri : undefined;
}

/** The file that a command is about: what it was called on, else the one in the inspector, else what the user picks. */
async function chosen(uri: unknown, title: string): Promise<string | undefined> {
  const here = uri instanceof vscode.Uri ? uri : inspected();
  return (here ?? (await vscode.window.showOpenDialog({ title, filters }))?.[0])?.fsPath;
}

async function convert(server: Server, uri: unknown): Promise<void> {
  const from = await chosen(uri, "Convert to safetensors");
  if (from === undefined) {
    return;
  }
  const beside = path.join(path.dirname(from), `${path.parse(from).name}.safetensors`);
  await runTask(server, "convert", [], [from, beside], `convert ${path.basename(from)}`); // never over a file that is there
}

async function inspect(file: string): Promise<void> {
  await vscode.commands.executeCommand("vscode.openWith", vscode.Uri.file(file), inspectorView);
}

/** The server has reports on models that something loads, or that it found in the workspace; of others the inspector tells. */
async function reportOrInspector(server: Server, file: string): Promise<void> {
  return (await hasReport(server, file)) ? openReport(file) : inspect(file);
}

async function report(server: Server, uri: unknown): Promise<void> {
  const active = vscode.window.activeTextEditor?.document.uri;
  if (uri instanceof vscode.Uri || active === undefined) {
    const file = await chosen(uri, "Show the report on");
    return file === undefined ? undefined : reportOrInspector(server, file);
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
  const on = (name: string, run: (uri?: unknown, selected?: unknown) => unknown) => {
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
  on("scanFile", async (uri, selected) => {
    const several = Array.isArray(selected) ? selected.filter((u) => u instanceof vscode.Uri).map((u) => u.fsPath) : [];
    const one = several.length > 1 ? undefined : await chosen(uri, "Scan");
    const files = one === undefined ? several : [one];
    if (files.length > 0) {
      await runTask(server, "scan", [], files, files.length === 1 ? `scan ${path.basename(files[0] ?? "")}` : `scan ${files.length} files`);
    }
  });
  on("inspect", async (uri) => {
    const file = await chosen(uri, "Inspect");
    return file === undefined ? undefined : inspect(file);
  });
}
