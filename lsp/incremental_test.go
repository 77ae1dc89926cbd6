package lsp

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
)

const edited = `import os
import torch
from pathlib import Path
from transformers import AutoModel as A

ROOT = Path("models")


def restore(name="x.pt", *, device=None):
    """Restore a thing."""
    with open(os.path.join("runs", name), "rb") as f:
        first = torch.load(f, map_location=device)
    return first, torch.load(ROOT / f"{name}.pt")


class Trainer:
    def __init__(self, path="a.pt"):
        self.path = path  # a comment with 日本 and 🚀

    def load(self):
        return torch.load(self.path), A.from_pretrained("org/model")
`

// editStep makes a random edit where an editor could make one.
func editStep(rnd *rand.Rand, text []byte) *protocol.TextDocumentContentChangePartial {
	pieces := []string{
		"", "", "x", " ", "\n", "\n    ", "(", ")", "\"", "'", "\"\"\"", "#", ":", "torch.load(\"y.pt\")", "\r\n", "\r", "é", "🚀",
		"def f():\n    return 1\n", "import torch as t\n", ",", "\\", "[", "}", "\x00", "if x:\n",
	}
	m := newMapper(text, "utf-16")
	from := rnd.IntN(len(text) + 1)
	to := min(len(text), from+rnd.IntN(8))
	return &protocol.TextDocumentContentChangePartial{
		Range: protocol.Range{Start: m.position(from), End: m.position(to)}, Text: pieces[rnd.IntN(len(pieces))],
	}
}

func shownOf(c Checked) []check.Diagnostic {
	shown, _ := c.Split(nil, true)
	return shown
}

// compare reports where the incremental result differs from what the text alone gives.
func compare(t *testing.T, got, want Checked) {
	t.Helper()
	if diff := cmp.Diff(shownOf(want), shownOf(got)); diff != "" {
		t.Errorf("diagnostics: %s", diff)
	}
	a, b := got.Calls(), want.Calls()
	if len(a) != len(b) {
		t.Fatalf("%d calls, want %d", len(a), len(b))
	}
	for i := range a {
		if diff := cmp.Diff(b[i].LoadCall, a[i].LoadCall); diff != "" {
			t.Errorf("call %d: %s", i, diff)
		}
	}
}

// After any edits the incremental parse says what a whole one says of the same text.
func TestIncremental(t *testing.T) {
	checker := NewChecker(check.Options{NoResolve: true})
	rounds := 20
	if testing.Short() {
		rounds = 5
	}
	for seed := range rounds {
		rnd := rand.New(rand.NewPCG(uint64(seed), 9))
		text, p := []byte(edited), analyzers.NewDocument()
		for step := range 60 {
			var changes []protocol.TextDocumentContentChangeEvent
			for range 1 + rnd.IntN(3) {
				change := editStep(rnd, text)
				changes = append(changes, change)
				text = apply(text, "utf-16", []protocol.TextDocumentContentChangeEvent{change})
			}
			if rnd.IntN(4) == 0 { // a version that is never read
				continue
			}
			if rnd.IntN(10) == 0 { // back to something whole
				text = []byte(edited + strings.Repeat("x = 1\n", rnd.IntN(4)))
			}
			src := Source{Path: "/w/a.py", Root: "/w", Text: text}
			want := checker.Check(t.Context(), src)
			src.Parser = p
			compare(t, checker.Check(t.Context(), src), want)
			if t.Failed() {
				t.Fatalf("seed %d, step %d, after %+v:\n%q", seed, step, changes, text)
			}
		}
	}
}
