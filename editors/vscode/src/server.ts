// The language server's life: found, started, watched, started again.
import * as vscode from "vscode";
import { CloseAction, ErrorAction, LanguageClient, State, type LanguageClientOptions } from "vscode-languageclient/node";
import type { Found } from "./binary";
import { findProgram } from "./program";
import { openReport } from "./report";
import type { Status } from "./status";

/** What the server says of its work, in secure-torch/status. */
export interface Work {
  scanning: number;
  models: number;
  unsafe: number;
}

const selector = [
  ...["file", "untitled", "vscode-notebook-cell"].map((scheme) => ({ scheme, language: "python" })),
  { scheme: "file", pattern: "**/secure-torch.toml" },
];

export class Server implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel("secure-torch");
  private readonly trace = vscode.window.createOutputChannel("secure-torch: messages");
  private client: LanguageClient | undefined;
  private found: Found | undefined;
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly status: Status,
  ) {}

  /** The program in use; undefined where none was found. */
  async program(): Promise<Found | undefined> {
    return this.found ?? (await findProgram(this.context)).found;
  }

  /** Starts the server, after ending the one that runs. Calls wait for each other. */
  restart(): Promise<void> {
    this.turn = this.turn.then(() => this.startAnew());
    return this.turn;
  }

  private async startAnew(): Promise<void> {
    await this.stop();
    this.status.starting();
    const { found, passed } = await findProgram(this.context);
    this.found = found;
    passed.forEach((why) => { this.log.appendLine(why); });
    if (passed.length > 0 && found) {
      await this.complain(`${passed.join("; ")}. ${found.command} (${found.from}) is used instead.`);
    }
    if (!found) {
      this.status.missing();
      await this.complain("The program secure-torch was not found, neither in the Python environment nor in PATH, and none came with the extension." + passed.map((why) => ` ${why}.`).join(""));
      return;
    }
    this.log.appendLine(`starting ${found.command} (${found.from})`);
    this.crashes = [];
    const client = new LanguageClient("secureTorch", "secure-torch", this.executable(found), this.options());
    this.client = client;
    client.onDidChangeState((change) => {
      if (change.newState === State.Stopped && this.client === client) {
        this.status.stopped();
      } else if (change.newState === State.Running) {
        this.status.running(client.initializeResult?.serverInfo?.version, this.found);
      }
    });
    client.onNotification("secure-torch/status", (work: Work) => {
      this.status.working(work);
    });
    try {
      await client.start();
    } catch (problem) {
      this.status.stopped();
      await this.complain(`${found.command} could not be started: ${problem instanceof Error ? problem.message : String(problem)}`);
    }
  }

  private async complain(message: string): Promise<void> {
    this.log.appendLine(message);
    // Not awaited by who starts: a message stays until it is answered.
    void vscode.window.showErrorMessage(`secure-torch: ${message}`, "Open Settings", "Show Log").then((choice) => {
      if (choice === "Open Settings") {
        void vscode.commands.executeCommand("workbench.action.openSettings", "secureTorch.path");
      } else if (choice === "Show Log") {
        this.log.show();
      }
    });
    await Promise.resolve();
  }

  private executable(found: Found) {
    const level = vscode.workspace.getConfiguration("secureTorch").get("logLevel", "warn");
    return { command: found.command, args: ["lsp", "--log-level", level] };
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: selector,
      outputChannel: this.log,
      traceOutputChannel: this.trace,
      initializationOptions: { trusted: vscode.workspace.isTrusted, settings: serverSettings(), status: true, workspaceTrust: true, prompts: true },
      initializationFailedHandler: () => false, // who starts it says so
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => ({ action: this.mayRestart() ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true }),
      },
      middleware: {
        executeCommand: async (command, args: unknown[], next) => {
          if (command === "secure-torch.showReport" && typeof args[0] === "string") {
            await openReport(args[0]);
            return undefined;
          }
          if (command === "secure-torch.ignore") {
            const reason = await vscode.window.showInputBox({ title: "Why is this all right?", placeHolder: "the reason stands in the comment" });
            if (reason === undefined || reason.trim() === "") {
              return undefined;
            }
            args[0] = { ...(args[0] as object), reason };
          }
          return (await next(command, args)) as unknown;
        },
        workspace: {
          configuration: (params) => params.items.map(serverSettings),
        },
      },
    };
  }

  private crashes: number[] = [];

  /** A server that ends again and again is left alone after the fifth time within three minutes. */
  private mayRestart(): boolean {
    const now = Date.now();
    this.crashes = [...this.crashes.filter((t) => now - t < 180_000), now];
    if (this.crashes.length < 5) {
      return true;
    }
    void this.complain("The server ended five times within three minutes and is left alone. “Restart the Server” starts it anew.");
    return false;
  }

  async request<R>(method: string, params: unknown): Promise<R> {
    if (this.client?.state !== State.Running) {
      throw new Error("the server does not run");
    }
    return this.client.sendRequest<R>(method, params);
  }

  private async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client && client.state !== State.Stopped) {
      await client.stop().catch((problem: unknown) => {
        this.log.appendLine(`stop: ${String(problem)}`);
      });
    }
    await client?.dispose().catch(() => undefined);
  }

  dispose(): void {
    void this.stop();
    this.log.dispose();
    this.trace.dispose();
  }
}

/** The settings that the server takes, of the window: internal/config.Editor has them. */
function serverSettings() {
  const settings = vscode.workspace.getConfiguration("secureTorch");
  return { codeLens: settings.get("codeLens"), inlayHints: settings.get("inlayHints"), workspaceScan: settings.get("workspaceScan") };
}
