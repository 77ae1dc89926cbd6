package lsp

import (
	"slices"

	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
)

// fixAllAction applies every safe fix of a document. It is nil when there is none.
func (snap *snapshot) fixAllAction(d *document, diags []check.Diagnostic) *protocol.CodeAction {
	edits := allSafe(diags)
	if len(edits) == 0 {
		return nil
	}
	return snap.action(d, "Fix everything that secure-torch can fix safely", kindFixAll, actionData{d.uri, d.version, 0, fixAll},
		func() []analyzers.Edit { return edits })
}

func firstSafe(diag check.Diagnostic) *analyzers.Fix {
	for i := range diag.Fixes {
		if diag.Fixes[i].Safe {
			return &diag.Fixes[i]
		}
	}
	return nil
}

// allSafe joins the first safe fix of each diagnostic. A fix that overlaps one taken before it waits for the
// next round: the edits that are made keep the file valid. The same edit (an import) is made once.
func allSafe(diags []check.Diagnostic) []analyzers.Edit {
	var out []analyzers.Edit
	for _, diag := range diags {
		fix := firstSafe(diag)
		if fix == nil {
			continue
		}
		var fresh []analyzers.Edit
		clash := false
		for _, e := range fix.Edits {
			switch i := slices.IndexFunc(out, func(o analyzers.Edit) bool { return overlap(o.Span, e.Span) }); {
			case i < 0:
				fresh = append(fresh, e)
			case out[i] != e:
				clash = true
			}
		}
		if !clash {
			out = append(out, fresh...)
		}
	}
	slices.SortFunc(out, func(a, b analyzers.Edit) int { return a.Span.Start - b.Span.Start })
	return out
}

// overlap reports whether two edits can't both be made. Two insertions at one place can't: their order is unknown.
func overlap(a, b analyzers.Span) bool {
	return a == b || a.Start < b.End && b.Start < a.End
}
