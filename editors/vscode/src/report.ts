// Reports are virtual documents of the server's: secure-torch-report:PATH.md.
import * as vscode from "vscode";
import type { Server } from "./server";

export const scheme = "secure-torch-report";

export function reportUri(path: string): vscode.Uri {
  return vscode.Uri.file(path).with({ scheme, path: `${vscode.Uri.file(path).path}.md` });
}

/** Shows the report on a model, rendered. */
export async function openReport(path: string): Promise<void> {
  await vscode.commands.executeCommand("markdown.showPreview", reportUri(path));
}

export class Reports implements vscode.TextDocumentContentProvider {
  constructor(private readonly server: Server) {}

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    // As the server spells it: a path after the scheme, without an authority.
    const name = `${scheme}:${uri.with({ scheme: "file" }).toString().replace(/^file:\/\//, "")}`;
    try {
      return (await this.server.request<{ text: string }>("workspace/textDocumentContent", { uri: name })).text;
    } catch (problem) {
      return `No report: ${problem instanceof Error ? problem.message : String(problem)}\n`;
    }
  }
}
