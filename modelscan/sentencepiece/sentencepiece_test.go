package sentencepiece

import (
	"os"
	"slices"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
	"github.com/secure-torch/secure-torch/modelscan/wire/wiretest"
)

// real was written by the library (0.2), without character mappings.
func real(t testing.TB) []byte {
	b, err := os.ReadFile("testdata/pieces.model")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestScan(t *testing.T) {
	scantest.Check(t, []scantest.Case{
		{Name: "written by the library", File: real(t)},
		{Name: "extensions of a piece and of the model", File: wiretest.Assemble(t, `1: {1: "a" 3: 2 200: "x"} 300: "y"`)},
	}, Format)
	r := scantest.Scan(t, "tokenizer.model", real(t), Format)
	if !slices.Contains(r.Formats, "sentencepiece") || len(r.Gaps) > 0 {
		t.Errorf("%+v", r)
	}
}

// TestOthersAreNotClaimed: what the library would refuse is none of this format, and so is not called safe.
func TestOthersAreNotClaimed(t *testing.T) {
	for name, b := range map[string][]byte{
		"cut":            real(t)[:len(real(t))-7],
		"no pieces":      wiretest.Assemble(t, `2: {1: "x"}`),
		"a nameless one": wiretest.Assemble(t, `1: {3: 2}`),
		"another kind":   wiretest.Assemble(t, `1: {1: "a" 3: 7}`),
		"another field":  wiretest.Assemble(t, `1: {1: "a"} 7: {1: "b"}`),
		"onnx":           wiretest.Assemble(t, `1: 10 2: "test" 7: {1: {4: "Add"}}`),
		"something else": append(real(t), "\x80\x04cposix\nsystem\n."...),
	} {
		if r := scantest.Scan(t, "tokenizer.model", b, Format); r.Verdict() == modelscan.Safe {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add(real(f))
	f.Add(wiretest.Assemble(f, `1: {1: "a" 3: 2 200: "x"} 300: "y"`))
	scantest.Fuzz(f, Format)
}
