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

type Part = Listing | "facts" | "provenance";

const options: Record<Part, string[]> = {
  facts: ["--format", "json"],
  provenance: ["--format", "json", "--provenance"],
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
    let turn = new AbortController(); // a file that changed is read anew, and what was read before counts no more
    const post = async (answer: Promise<ToPage>, signal: AbortSignal) => {
      const message = await answer;
      if (!signal.aborted) {
        void view.postMessage(message);
      }
      return message;
    };
    const read = async () => {
      turn.abort();
      turn = new AbortController();
      const { signal } = turn;
      const first = await post(this.inspect(model, signal), signal);
      if (first.kind === "inspection" && !signal.aborted) {
        await post(this.provenance(model, signal), signal); // after it: that hashes the file where it is signed
      }
    };
    view.onDidReceiveMessage((value: unknown) => {
      const message = parseFromPage(value);
      if (message?.kind === "ready") {
        void read();
      } else if (message) {
        void post(this.list(model, message.listing, turn.signal), turn.signal);
      }
    });
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.joinPath(model.uri, ".."), escapeGlob(model.uri.path)));
    watcher.onDidChange(read);
    watcher.onDidCreate(read);
    watcher.onDidDelete(read);
    panel.onDidDispose(() => {
      turn.abort();
      watcher.dispose();
    });
    view.html = page(view.cspSource, view.asWebviewUri(vscode.Uri.joinPath(dist, "inspector.js")).toString(), view.asWebviewUri(vscode.Uri.joinPath(media, "inspector.css")).toString());
  }

  private async output(model: Model, what: Part, signal: AbortSignal): Promise<string> {
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

  private async provenance(model: Model, signal: AbortSignal): Promise<ToPage> {
    try {
      return { kind: "provenance", artifact: parseInspection(await this.output(model, "provenance", signal)).artifact };
    } catch (problem) {
      return { kind: "problem", part: "provenance", text: String(problem instanceof Error ? problem.message : problem) };
    }
  }

  private async list(model: Model, listing: Listing, signal: AbortSignal): Promise<ToPage> {
    try {
      return { kind: "listing", listing, text: parseInspection(await this.output(model, listing, signal)).listing ?? "" };
    } catch (problem) {
      return { kind: "problem", part: listing, text: String(problem instanceof Error ? problem.message : problem) };
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
