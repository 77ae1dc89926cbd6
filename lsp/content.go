package lsp

import (
	"context"
	"fmt"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// textDocumentContent answers the text of a virtual document: `secure-torch-report:` and a model's path
// with .md after it is that model's report. Clients older than LSP 3.18 can send the same request,
// workspace/textDocumentContent with {uri}, by hand. Only models that an open document loads have one.
func textDocumentContent(ctx context.Context, snap *snapshot, p *protocol.TextDocumentContentParams) (*protocol.TextDocumentContentResult, error) {
	path := reportPath(p.URI)
	if path == "" {
		return nil, fmt.Errorf("%w: no document %q", jsonrpc2.ErrInvalidParams, p.URI)
	}
	a := snap.artifacts[path]
	if a == nil {
		return &protocol.TextDocumentContentResult{Text: "No report: no open document loads this file, or its scan has not ended.\n"}, nil
	}
	return &protocol.TextDocumentContentResult{Text: reportText(a) + snap.listings(ctx, a)}, nil
}
