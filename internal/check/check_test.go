package check

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// write makes files in a new folder and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, o Options, path string, src []byte) *Checked {
	t.Helper()
	return New(o).Link(t.Context(), path, analyzers.Summarise(src, analyzers.Confined))
}

func TestDiagnosticsNameTheFileAndTheOffset(t *testing.T) {
	dir := write(t, map[string]string{"evil.pt": "x"})
	checked := read(t, Options{}, filepath.Join(dir, "app.py"), []byte("import torch\ntorch.load('evil.pt')\n"))
	path := filepath.Join(dir, "evil.pt")
	if calls := checked.Calls(); len(calls) != 1 || len(calls[0].Files) != 1 || calls[0].Files[0] != path {
		t.Fatalf("calls %+v", checked.Calls())
	}
	a := &engine.Artifact{Path: path, Report: &modelscan.Report{Artifact: "evil.pt", Kind: modelscan.KindModel,
		Findings: []modelscan.Finding{{Rule: rule.PickleOsSystem, Path: "evil.pt!archive/data.pkl", Offset: 0x2e, Message: "would call posix.system('echo pwned') on load"}}}}
	got := checked.Diagnostics(map[string]*engine.Artifact{path: a})
	want := "would call posix.system('echo pwned') on load — evil.pt!archive/data.pkl at offset 0x2e"
	if len(got) != 2 || got[0].Message != want || got[0].Severity != rule.Critical || got[1].Rule != rule.TorchLoadUnguarded {
		t.Errorf("got %+v", got)
	}
	if len(got[0].Related) != 1 || got[0].Related[0].Offset != 0x2e || got[0].Related[0].Path != path || len(got[0].Fixes) == 0 {
		t.Errorf("related %+v, %d fixes", got[0].Related, len(got[0].Fixes))
	}
	if pending := checked.Diagnostics(nil); len(pending) != 1 {
		t.Errorf("before the scan: %+v", pending)
	}
}

func TestWhyNothingWasScanned(t *testing.T) {
	dir := write(t, nil)
	for src, want := range map[string]string{
		"import torch\ntorch.load('none.pt', weights_only=True)\n":                                "none.pt does not exist",
		"import torch\ndef f(p):\n    torch.load(p, weights_only=True)\n":                         "parameter `p` of `f`",
		"from transformers import X\nX.from_pretrained('org/m', revision='" + sha + "')\n":        "org/m is not in the hub's cache",
		"import torch, io\ndef f(b):\n    torch.load(io.BytesIO(b), weights_only=True)\n":         "read from memory",
		"import torch, os\ntorch.load(os.environ['M'], weights_only=True)\n":                      "environment",
		"import torch\nfrom elsewhere import load_path\ntorch.load(load_path, weights_only=True)": "not in the workspace",
	} {
		got := read(t, Options{HubCache: dir}, filepath.Join(dir, "app.py"), []byte(src)).Diagnostics(nil)
		if len(got) != 1 || got[0].Rule != rule.LoadUnresolved || !strings.Contains(got[0].Message, want) {
			t.Errorf("%q: %+v", src, got)
		}
	}
}

const sha = "0123456789abcdef0123456789abcdef01234567"

func TestPinToTheCacheCommit(t *testing.T) {
	dir := write(t, map[string]string{
		"hub/models--org--m/refs/main": sha, "hub/models--org--m/snapshots/" + sha + "/model.safetensors": "x"})
	src := "from transformers import X\nX.from_pretrained('org/m')\n"
	checked := read(t, Options{HubCache: filepath.Join(dir, "hub")}, filepath.Join(dir, "app.py"), []byte(src))
	for _, d := range checked.Diagnostics(nil) {
		for _, f := range d.Fixes {
			if len(f.Edits) == 1 && f.Edits[0].New == `, revision="`+sha+`"` {
				return
			}
		}
	}
	t.Errorf("no pin among %+v", checked.Diagnostics(nil))
}

// TestCustomPipeline: what custom_pipeline has diffusers import is told and scanned, whatever the file's name is.
func TestCustomPipeline(t *testing.T) {
	dir := write(t, map[string]string{
		"own.py": "x", "mine/pipeline.py": "x", "model/near.py": "x",
		"hub/models--org--p/refs/main": sha, "hub/models--org--p/snapshots/" + sha + "/pipeline.py": "x"})
	for name, want := range map[string]string{
		"own.py": "own.py", "./own.py": "own.py", "mine": "mine/pipeline.py", "./mine": "mine/pipeline.py", "near": "model/near.py",
		"org/p": "hub/models--org--p/snapshots/" + sha + "/pipeline.py", "community": "", "./none": "", "org/none": "",
	} {
		src := "from diffusers import X\nX.from_pretrained('./model', custom_pipeline='" + name + "')\n"
		checked := read(t, Options{HubCache: filepath.Join(dir, "hub")}, filepath.Join(dir, "app.py"), []byte(src))
		files := checked.Calls()[0].Files
		if want == "" {
			unread := strings.Contains(fmt.Sprint(checked.Diagnostics(nil)), "imports was not scanned")
			if len(files) != 0 || unread == (name == "community") {
				t.Errorf("%s: %q, told that it was not scanned: %v", name, files, unread)
			}
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(want))
		if len(files) != 1 || files[0] != path {
			t.Errorf("%s: %q, want %s", name, files, path)
			continue
		}
		a := &engine.Artifact{Path: path, Report: &modelscan.Report{Artifact: want, Findings: []modelscan.Finding{{Rule: rule.PythonScriptEffect, Message: "calls os.system"}}}}
		got := checked.Diagnostics(map[string]*engine.Artifact{path: a})
		if got[0].Rule != rule.PythonImportEffect || got[1].Rule != rule.TrustRemoteCode || a.Report.Findings[0].Rule != rule.PythonScriptEffect {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestLines(t *testing.T) {
	l := NewLines([]byte("a\r\nüb\rc\xffd\n"))
	for _, c := range []struct{ off, line, col int }{{0, 1, 1}, {3, 2, 1}, {5, 2, 2}, {7, 3, 1}, {9, 3, 3}, {99, 4, 1}, {-1, 1, 1}} {
		if line, col := l.At(c.off); line != c.line || col != c.col {
			t.Errorf("At(%d) = %d:%d, want %d:%d", c.off, line, col, c.line, c.col)
		}
	}
}

// A function of the user's own is a load call by its qualified name, with either way to give the file.
func TestSinks(t *testing.T) {
	l := &config.Loaded{}
	l.Sinks = map[string]string{"mylib.load_checkpoint": "path", "fetch_weights": "name"}
	src := []byte("from mylib import load_checkpoint as lc\nimport other\nlc('a.pt')\nlc(path='b.pt')\nother.load_checkpoint('c.pt')\nother.fetch_weights('d.pt')\n")
	var got []string
	for _, call := range read(t, Options{Sinks: Sinks(l)}, filepath.Join(t.TempDir(), "x.py"), src).Calls() {
		for _, r := range call.Refs {
			got = append(got, call.Loader+" "+r.Value)
		}
	}
	want := []string{"mylib.load_checkpoint a.pt", "mylib.load_checkpoint b.pt", "fetch_weights d.pt"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if !New(Options{Sinks: Sinks(l)}).relevant(src) {
		t.Error("the source is not looked at")
	}
}
