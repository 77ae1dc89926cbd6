package lsp

import (
	"context"
	"fmt"

	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/internal/check"
)

// codeLens says above each load call how its model looks; a click shows the report.
func codeLens(ctx context.Context, snap *snapshot, p *protocol.CodeLensParams) ([]protocol.CodeLens, error) {
	lenses := []protocol.CodeLens{}
	d := snap.docs[p.TextDocument.URI]
	if d == nil || !snap.client.settings.lenses() {
		return lenses, nil
	}
	d, err := d.checked(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range d.result.Calls() {
		if title, path := snap.verdictOf(c); title != "" {
			cmd := protocol.Command{Title: title}
			if path != "" {
				cmd.Command, cmd.Arguments = cmdShowReport, []protocol.LSPAny{toAny(path)}
			}
			lenses = append(lenses, protocol.CodeLens{Range: d.mapper().toRange(c.FuncSpan), Command: cmd})
		}
	}
	return lenses, nil
}

// verdictOf is one line about the worst of a call's models, and the path of that one.
func (snap *snapshot) verdictOf(c check.Call) (title, path string) {
	found, waiting := snap.known(c)
	switch {
	case len(found) > 0:
		title, path = headline(found[0]), found[0].Path
		if rest := len(c.Files) - 1; rest > 0 {
			title += fmt.Sprintf(" (and %s)", count(rest, "other file"))
		}
	case waiting == 0:
		title = snap.hubTitle(c)
	default:
		title = "scanning " + count(waiting, "file") + " …"
	}
	return title, path
}

// inlayHint says the same at the end of the call, for those who switch it on.
func inlayHint(ctx context.Context, snap *snapshot, p *protocol.InlayHintParams) ([]protocol.InlayHint, error) {
	hints := []protocol.InlayHint{}
	d := snap.docs[p.TextDocument.URI]
	if d == nil || !snap.client.settings.hints() {
		return hints, nil
	}
	d, err := d.checked(ctx)
	if err != nil {
		return nil, err
	}
	within := d.mapper().toSpan(p.Range)
	for _, c := range d.result.Calls() {
		title, path := snap.verdictOf(c)
		if title == "" || c.Span.End < within.Start || c.Span.End > within.End {
			continue
		}
		hint := protocol.InlayHint{Position: d.mapper().position(c.Span.End), Label: protocol.String(title), PaddingLeft: ptr(true)}
		if a := snap.artifacts[path]; a != nil {
			hint.Tooltip = markdown(summary(a, listed))
		}
		hints = append(hints, hint)
	}
	return hints, nil
}
