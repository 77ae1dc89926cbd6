package lsp

import (
	"context"
	"encoding/json"
	"fmt"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// Commands that the client may have executed.
const (
	cmdScanAgain      = "secure-torch.scanAgain"      // argument: a document's URI or a model's path; none: all open documents
	cmdShowReport     = "secure-torch.showReport"     // argument: a model's path
	cmdIgnore         = "secure-torch.ignore"         // argument: an ignoreWhy
	cmdTrustFolder    = "secure-torch.trustFolder"    // argument: a folder of the workspace
	cmdConvert        = "secure-torch.convert"        // argument: a model's path
	cmdTrustPublisher = "secure-torch.trustPublisher" // arguments: a model's path; the pattern of a choice, or none to be asked
	cmdScanHub        = "secure-torch.scanHub"        // argument: what the action brought
	cmdPauseScan      = "secure-torch.pauseScan"      // what is not open is not looked at until
	cmdResumeScan     = "secure-torch.resumeScan"
)

func executeCommand(ctx context.Context, snap *snapshot, p *protocol.ExecuteCommandParams) (any, error) {
	arg := ""
	if p.Command == cmdIgnore && len(p.Arguments) > 0 {
		return ignoreBecause(ctx, snap, json.RawMessage(p.Arguments[0]))
	}
	if p.Command == cmdScanHub && len(p.Arguments) > 0 {
		return snap.scanHub(ctx, json.RawMessage(p.Arguments[0]), p.WorkDoneToken)
	}
	if p.Command == cmdTrustPublisher {
		return snap.trustPublisher(ctx, p.Arguments)
	}
	if len(p.Arguments) > 0 {
		if err := json.Unmarshal(p.Arguments[0], &arg); err != nil {
			return nil, fmt.Errorf("%w: %s: the argument is no string", jsonrpc2.ErrInvalidParams, p.Command)
		}
	}
	switch p.Command {
	case cmdScanAgain:
		return snap.scanAgain(ctx, arg, p.WorkDoneToken)
	case cmdShowReport:
		return snap.showReport(ctx, arg)
	case cmdTrustFolder:
		return snap.srv.trustFolder(arg)
	case cmdConvert:
		return snap.convert(ctx, arg, p.WorkDoneToken)
	case cmdPauseScan, cmdResumeScan:
		return snap.srv.pause(p.Command == cmdPauseScan)
	}
	return nil, fmt.Errorf("%w: no command %q", jsonrpc2.ErrInvalidParams, p.Command)
}

// scanAgain has models scanned anew, says how far it is, and answers how many were scanned. Cancelling
// ends the waiting; the scans belong to their files and go on.
func (snap *snapshot) scanAgain(ctx context.Context, arg string, token protocol.ProgressToken) (any, error) {
	paths := snap.modelsOf(arg)
	work, ctx := snap.srv.begin(ctx, snap.client, token, "Scanning models again")
	defer work.end()
	var waits []<-chan struct{}
	err := snap.srv.do(func(st *state) error {
		for _, path := range paths {
			if done := st.rescan(path); done != nil {
				waits = append(waits, done)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, done := range waits {
		select {
		case <-done:
			work.report(i+1, len(waits))
		case <-ctx.Done():
			return nil, protocol.ErrRequestCancelled
		}
	}
	return map[string]int{"scanned": len(waits)}, nil
}

// modelsOf are the models that a document loads, the one named by its path, or all.
func (snap *snapshot) modelsOf(arg string) []string {
	var paths []string
	for _, d := range sorted(snap.docs) {
		if (arg == "" || d.uri == uri.URI(arg)) && d.read() {
			for _, t := range targets(d.result) {
				paths = append(paths, t.Path)
			}
		}
	}
	if len(paths) == 0 && arg != "" {
		paths = append(paths, arg)
	}
	return paths
}

// showReport has the client show a model's report, if it can show documents, and answers its URI.
func (snap *snapshot) showReport(ctx context.Context, path string) (any, error) {
	u := reportURI(path)
	if snap.artifacts[path] == nil || u == "" {
		return nil, fmt.Errorf("%w: no report on %q", jsonrpc2.ErrInvalidParams, path)
	}
	if w := snap.client.caps.Window; w != nil && w.ShowDocument != nil && w.ShowDocument.Support {
		if _, err := snap.srv.client.ShowDocument(ctx, &protocol.ShowDocumentParams{URI: u, TakeFocus: ptr(true)}); err != nil {
			return nil, fmt.Errorf("lsp: show %s: %w", u, err)
		}
	}
	return map[string]string{"uri": string(u)}, nil
}
