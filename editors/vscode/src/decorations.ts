// A badge in the explorer on models that the server knows to be unsafe or could not examine.
import * as vscode from "vscode";

export class Decorations implements vscode.FileDecorationProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri[]>();
  readonly onDidChangeFileDecorations = this.changed.event;
  private readonly subscription = vscode.languages.onDidChangeDiagnostics((event) => {
    this.changed.fire([...event.uris]);
  });

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    if (uri.scheme !== "file" || /\.(py|pyi|ipynb|toml)$/.test(uri.path)) {
      return undefined;
    }
    const ours = vscode.languages.getDiagnostics(uri).filter((d) => d.source === "secure-torch");
    if (ours.some((d) => d.severity === vscode.DiagnosticSeverity.Error)) {
      return new vscode.FileDecoration("✗", "secure-torch: unsafe to load", new vscode.ThemeColor("list.errorForeground"));
    }
    if (ours.length > 0) {
      return new vscode.FileDecoration("?", "secure-torch: has findings", new vscode.ThemeColor("list.warningForeground"));
    }
    return undefined;
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
  }
}
