package check

import (
	"github.com/aymanbagabas/go-udiff"

	"github.com/secure-torch/secure-torch/analyzers"
)

// Diff is a unified diff of the edits in src, which must be in order and apart; empty without edits.
func Diff(name string, src []byte, edits []analyzers.Edit) (string, error) {
	changes := make([]udiff.Edit, len(edits))
	for i, e := range edits {
		changes[i] = udiff.Edit{Start: e.Span.Start, End: e.Span.End, New: e.New}
	}
	return udiff.ToUnified(name, name, string(src), changes, udiff.DefaultContextLines)
}
