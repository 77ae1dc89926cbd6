import * as vscode from "vscode";
import { registerCommands } from "./commands";
import { Decorations } from "./decorations";
import { registerInspector } from "./inspector/editor";
import { Reports, scheme } from "./report";
import { Server } from "./server";
import { Status } from "./status";
import { registerResults, Tasks } from "./tasks";

export function activate(context: vscode.ExtensionContext): void {
  const status = new Status();
  const server = new Server(context, status);
  const decorations = new Decorations();
  context.subscriptions.push(
    status,
    server,
    decorations,
    vscode.window.registerFileDecorationProvider(decorations),
    vscode.workspace.registerTextDocumentContentProvider(scheme, new Reports(server)),
    vscode.tasks.registerTaskProvider("secure-torch", new Tasks(server)),
    vscode.workspace.onDidGrantWorkspaceTrust(() => server.restart()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (["path", "importStrategy", "logLevel"].some((key) => event.affectsConfiguration(`secureTorch.${key}`))) {
        // Not at once: the client tells the server that runs of the change first, and complains where there is none.
        setTimeout(() => void server.restart(), 200);
      }
    }),
  );
  registerResults(context);
  registerCommands(context, server);
  registerInspector(context, server);
  void server.restart(); // not awaited: the editor need not wait for a program to start
}
