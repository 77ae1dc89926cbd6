// The model inspector: a read-only editor for model files. The program reads them, confined; nothing is loaded.
import * as vscode from "vscode";
import { run } from "../program";
import type { Server } from "../server";
import { parseFromPage, parseInspection, type Listing, type ToPage } from "./data";
import { page } from "./page";

export const inspectorView = "secureTorch.inspector";

class Model implements vscode.CustomDocument {
  constructor(readonly uri: vscode.Uri) {}
  dispose(): void {
    // It holds nothing.
  }
}

const options: Record<Listing | "facts", string[]> = {
  facts: ["--format", "json"],
  program: ["--format", "json", "--decompile"],
  opcodes: ["--format", "json", "--disassemble"],
};

class Inspector implements vscode.CustomReadonlyEditorProvider<Model> {
  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly server: Server,
  ) {}

  openCustomDocument(uri: vscode.Uri): Model {
    return new Model(uri);
  }

  resolveCustomEditor(model: Model, panel: vscode.WebviewPanel): void {
    const view = panel.webview;
    const dist = vscode.Uri.joinPath(this.context.extensionUri, "dist");
    const media = vscode.Uri.joinPath(this.context.extensionUri, "media");
    view.options = { enableScripts: true, localResourceRoots: [dist, media] };
    const ended = new AbortController();
    const post = (message: ToPage) => void view.postMessage(message);
    const read = () => void this.inspect(model, ended.signal).then(post);
    view.onDidReceiveMessage((value: unknown) => {
      const message = parseFromPage(value);
      if (message?.kind === "ready") {
        read();
      } else if (message) {
        void this.list(model, message.listing, ended.signal).then(post);
      }
    });
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.joinPath(model.uri, ".."), escapeGlob(model.uri.path)));
    watcher.onDidChange(read);
    watcher.onDidCreate(read);
    panel.onDidDispose(() => {
      ended.abort();
      watcher.dispose();
    });
    view.html = page(view.cspSource, view.asWebviewUri(vscode.Uri.joinPath(dist, "inspector.js")).toString(), view.asWebviewUri(vscode.Uri.joinPath(media, "inspector.css")).toString());
  }

  private async output(model: Model, what: Listing | "facts", signal: AbortSignal): Promise<string> {
    if (model.uri.scheme !== "file") {
      throw new Error("only files on this machine can be inspected");
    }
    const program = await this.server.program();
    if (!program) {
      throw new Error("the program secure-torch was not found");
    }
    return run(program.command, ["inspect", ...options[what], "--", model.uri.fsPath], signal);
  }

  private async inspect(model: Model, signal: AbortSignal): Promise<ToPage> {
    try {
      return { kind: "inspection", inspection: parseInspection(await this.output(model, "facts", signal)) };
    } catch (problem) {
      return { kind: "problem", text: String(problem instanceof Error ? problem.message : problem) };
    }
  }

  private async list(model: Model, listing: Listing, signal: AbortSignal): Promise<ToPage> {
    try {
      return { kind: "listing", listing, text: parseInspection(await this.output(model, listing, signal)).listing ?? "" };
    } catch (problem) {
      return { kind: "problem", listing, text: String(problem instanceof Error ? problem.message : problem) };
    }
  }
}

/** A file's name as a glob that matches it alone. */
function escapeGlob(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replaceAll(/[[\]{}*?]/g, "[$&]");
}

export function registerInspector(context: vscode.ExtensionContext, server: Server): void {
  const inspector = new Inspector(context, server);
  for (const view of [inspectorView, `${inspectorView}Too`]) {
    context.subscriptions.push(vscode.window.registerCustomEditorProvider(view, inspector, { webviewOptions: { retainContextWhenHidden: false } }));
  }
}
