package engine_test

import (
	"path/filepath"
	"testing"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// A worker reads the small files of a folder, and says which of the large ones the call reads.
func TestPlan(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.json": "{}", "model.safetensors.index.json": `{"weight_map":{"a":"model-1.safetensors","b":"gone.safetensors"}}`,
		"model-1.safetensors": "x", "stray.safetensors": "x", "pytorch_model.bin": "x", "README.md": "x",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	e := newEngine(t, engine.Options{})
	found := artifact.Resolve(ref.Ref{Kind: ref.Path, Value: dir}, artifact.Base{})
	roles := func(res artifact.Resolution) map[string]artifact.Role {
		out := map[string]artifact.Role{}
		for _, t := range res.Targets {
			out[filepath.Base(t.Path)] = t.Role
		}
		return out
	}
	for range 2 { // the second time it is remembered
		got := e.Plan(t.Context(), ref.Options{Library: "transformers", Class: "AutoModel"}, found)
		r := roles(got)
		if r["model-1.safetensors"] != artifact.Weights || r["stray.safetensors"] != artifact.Alternative || r["pytorch_model.bin"] != artifact.Alternative || r["README.md"] != artifact.Beside ||
			got.Why == "" || got.Plan == nil || len(got.Plan.Missing) != 1 {
			t.Errorf("%v %+v", r, got)
		}
	}
	if r := roles(e.Plan(t.Context(), ref.Options{Library: "transformers", Class: "AutoTokenizer"}, found)); r["model-1.safetensors"] != artifact.Beside || r["stray.safetensors"] != artifact.Alternative {
		t.Errorf("a tokenizer: %v", r)
	}
	write(t, filepath.Join(dir, "model.safetensors.index.json"), `{"weight_map":{"a":"stray.safetensors"}}`)
	if r := roles(e.Plan(t.Context(), ref.Options{Library: "transformers", Class: "AutoModel"}, found)); r["stray.safetensors"] != artifact.Weights {
		t.Errorf("after the index changed: %v", r)
	}
	for _, o := range []ref.Options{{}, {Library: "mylib", Class: "Thing"}} {
		if got := e.Plan(t.Context(), o, found); got.Plan != nil {
			t.Errorf("%+v: %+v", o, got.Plan)
		}
	}
}
