// What the status bar says beside a Python file.
import * as vscode from "vscode";
import type { Found } from "./binary";
import type { Work } from "./server";

export class Status implements vscode.Disposable {
  private readonly item = vscode.languages.createLanguageStatusItem("secureTorch.status", [{ language: "python" }, { notebookType: "jupyter-notebook" }]);

  constructor() {
    this.item.name = "secure-torch";
    this.set("$(shield) secure-torch", "", vscode.LanguageStatusSeverity.Information);
  }

  private set(text: string, detail: string, severity: vscode.LanguageStatusSeverity, busy = false): void {
    this.item.text = text;
    this.item.detail = detail;
    this.item.severity = severity;
    this.item.busy = busy;
    this.item.command = { title: "Log", command: "secureTorch.showLogs" };
  }

  starting(): void {
    this.set("$(shield) secure-torch", "starting", vscode.LanguageStatusSeverity.Information, true);
  }

  running(version: string | undefined, found: Found | undefined): void {
    this.set("$(shield) secure-torch", `${version ?? ""} (${found?.from ?? ""})`, vscode.LanguageStatusSeverity.Information);
  }

  working(work: Work): void {
    const models = work.models === 1 ? "1 model" : `${work.models} models`;
    const unsafe = work.unsafe > 0 ? `, ${work.unsafe} unsafe` : "";
    const severity = work.unsafe > 0 ? vscode.LanguageStatusSeverity.Warning : vscode.LanguageStatusSeverity.Information;
    if (work.scanning > 0) {
      this.set("$(shield) secure-torch", `scanning ${work.scanning} of ${models}${unsafe}`, severity, true);
    } else {
      this.set("$(shield) secure-torch", `${models} scanned${unsafe}`, severity);
    }
  }

  missing(): void {
    this.set("$(error) secure-torch", "the program was not found", vscode.LanguageStatusSeverity.Error);
    this.item.command = { title: "Settings", command: "workbench.action.openSettings", arguments: ["secureTorch.path"] };
  }

  stopped(): void {
    this.set("$(error) secure-torch", "the server does not run", vscode.LanguageStatusSeverity.Error);
    this.item.command = { title: "Restart", command: "secureTorch.restart" };
  }

  dispose(): void {
    this.item.dispose();
  }
}
