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

async function content(server: Server, uri: vscode.Uri): Promise<string> {
  // As the server spells it: a path after the scheme, without an authority.
  const name = `${scheme}:${uri.with({ scheme: "file" }).toString().replace(/^file:\/\//, "")}`;
  try {
    return (await server.request<{ text: string }>("workspace/textDocumentContent", { uri: name })).text;
  } catch (problem) {
    return `No report: ${problem instanceof Error ? problem.message : String(problem)}\n`;
  }
}

/** Whether the server has a report on a model. */
export async function hasReport(server: Server, path: string): Promise<boolean> {
  return !(await content(server, reportUri(path))).startsWith("No report:");
}

export class Reports implements vscode.TextDocumentContentProvider {
  constructor(private readonly server: Server) {}

  provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    return content(this.server, uri);
  }
}
