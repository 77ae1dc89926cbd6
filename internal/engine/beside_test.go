package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/cache"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/modelscan"
)

// TestBeside: what a configuration or an index says is held against the files in its folder, as a hub's cache
// has them too.
func TestBeside(t *testing.T) {
	dir := t.TempDir()
	const acting = "import os\nos.system('echo pwned')\n"
	config := write(t, filepath.Join(dir, "acting", "config.json"), `{"auto_map": {"AutoModel": "helper.X"}}`)
	helper := write(t, filepath.Join(dir, "acting", "helper.py"), acting)
	write(t, filepath.Join(dir, "alone", "config.json"), `{"auto_map": {"AutoModel": "helper.X"}}`)
	write(t, filepath.Join(dir, "part", "model.safetensors.index.json"), `{"weight_map": {"a": "m-1-of-2.safetensors", "b": "m-2-of-2.safetensors"}}`)
	write(t, filepath.Join(dir, "part", "m-1-of-2.safetensors"), "x")
	write(t, filepath.Join(dir, "none", "pytorch_model.bin.index.json"), `{"weight_map": {"a": "m-1-of-2.bin", "b": "m-2-of-2.bin"}}`)
	snapshot := filepath.Join(dir, "models--o--n", "snapshots", strings.Repeat("0a", 20))
	write(t, filepath.Join(dir, "models--o--n", "blobs", "1"), acting)
	write(t, filepath.Join(snapshot, "config.json"), `{"auto_map": {"AutoModel": "helper.X"}}`)
	if err := os.Symlink("../../blobs/1", filepath.Join(snapshot, "helper.py")); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		config: "ST501 ST507 unsafe", helper: "ST511 review",
		filepath.Join(dir, "alone", "config.json"):                 "ST501 ST513 review",
		filepath.Join(dir, "part", "model.safetensors.index.json"): "ST905 incomplete",
		filepath.Join(dir, "none", "pytorch_model.bin.index.json"): "note safe",
		filepath.Join(snapshot, "config.json"):                     "ST501 ST507 unsafe",
	}
	store, err := cache.Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, engine.Options{Cache: store})
	e.KeepAtOnce()
	e.ScanAll(t.Context(), []string{dir}, func(a *engine.Artifact) {
		path := strings.ReplaceAll(a.Path, "//", "/")
		if w, ok := want[path]; ok && rules(a.Report) != w {
			t.Errorf("%s: %s, want %s", path, rules(a.Report), w)
		}
		delete(want, path)
	})
	if len(want) > 0 {
		t.Errorf("not scanned: %v", want)
	}
	if again := e.ScanFile(t.Context(), config); !again.Cached {
		t.Error("the same folder was read twice")
	}
	if err := os.WriteFile(helper, []byte("class X: pass\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := rules(e.ScanFile(t.Context(), config).Report); got != "ST501 review" {
		t.Errorf("mended: %s", got)
	}
}

// TestBesideMany: requests stay below the number of files that one may bring.
func TestBesideMany(t *testing.T) {
	dir := t.TempDir()
	for i := range 70 {
		write(t, filepath.Join(dir, "m"+strings.Repeat("x", i)+".py"), "class X: pass\n")
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		write(t, filepath.Join(dir, name+"config.json"), `{"auto_map": {"AutoModel": "m.X"}}`)
	}
	last := write(t, filepath.Join(dir, "zconfig.json"), `{"auto_map": {"AutoModel": "m`+strings.Repeat("x", 69)+`.X"}}`)
	e := newEngine(t, engine.Options{Workers: 1})
	e.ScanAll(t.Context(), []string{dir}, func(a *engine.Artifact) {
		want := "ST501 review"
		if filepath.Ext(a.Path) == ".py" {
			want = "safe"
		} else if filepath.Base(a.Path) == filepath.Base(last) {
			want = "ST501 ST905 incomplete" // more Python than goes with one request
		}
		if got := rules(a.Report); got != want {
			t.Errorf("%s: %s, want %s", a.Path, got, want)
		}
	})
}

// rules of the findings and gaps, whether there are notes, and the verdict.
func rules(r *modelscan.Report) string {
	var words []string
	for _, f := range r.Findings {
		words = append(words, string(f.Rule))
	}
	for _, g := range r.Gaps {
		words = append(words, string(g.Rule))
	}
	if len(r.Coverage.Notes) > 0 {
		words = append(words, "note")
	}
	return strings.Join(append(words, r.Verdict().String()), " ")
}
