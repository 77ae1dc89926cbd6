package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/artifact/remote/hubtest"
)

// An editor asks the hub when its user does, and shows on the call what it found; the second time nothing is fetched
// but the listing: what is known of a commit's files is kept.
func TestHubInEditor(t *testing.T) {
	hub := hubtest.New(&hubtest.Repo{ID: "org/model", ScansDone: true, Status: map[string]string{"pytorch_model.bin": "unsafe"},
		Files: map[string][]byte{"config.json": []byte(`{"model_type":"bert"}`), "pytorch_model.bin": []byte("cposix\nsystem\n(S'echo pwned'\ntR.")}})
	defer hub.Close()
	home, dir, exe := t.TempDir(), t.TempDir(), program(t)
	for key, value := range map[string]string{"XDG_CACHE_HOME": filepath.Join(home, "cache"), "XDG_CONFIG_HOME": home, "HF_HOME": filepath.Join(home, "hf"),
		"HF_ENDPOINT": hub.URL, "HF_HUB_OFFLINE": "", "HF_TOKEN": ""} {
		t.Setenv(key, value)
	}
	writeFile(t, filepath.Join(home, "secure-torch", "config.toml"), []byte("hub = \"on-demand\"\n"))
	source := filepath.Join(dir, "a.py")
	for round := range 2 {
		hub.Log()
		s := openLSP(t, exe, dir, nil)
		s.open(source, "from transformers import AutoModel\nAutoModel.from_pretrained('org/model')\n")
		s.shown(source, "ST110", true)
		if asked := hub.Log(); len(asked) > 0 {
			t.Fatalf("asked before the user wanted it: %+v", asked)
		}
		at := map[string]any{"textDocument": map[string]any{"uri": fileURI(source)}, "position": map[string]int{"line": 1, "character": 12}}
		s.call("textDocument/hover", at, nil)
		if severity := s.shown(source, "ST201", true); severity != 1 {
			t.Errorf("severity %d", severity)
		}
		var lenses []struct{ Command struct{ Title string } }
		s.call("textDocument/codeLens", map[string]any{"textDocument": map[string]any{"uri": fileURI(source)}}, &lenses)
		if len(lenses) != 1 || !strings.Contains(lenses[0].Command.Title, "unsafe · hub says: unsafe") {
			text, _ := json.Marshal(lenses)
			t.Errorf("lenses %s", text)
		}
		s.quit()
		for _, r := range hub.Log() {
			if round == 1 && strings.Contains(r.Path, "pytorch_model.bin") {
				t.Errorf("fetched again: %+v", r)
			}
		}
	}
}

// Of a repository those files are scanned that the call would read.
func TestHubReadsOnly(t *testing.T) {
	tensors := "\x50\x00\x00\x00\x00\x00\x00\x00" + `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}                          ` + "\x00\x00\x00\x00"
	hub := hubtest.New(&hubtest.Repo{ID: "org/model", ScansDone: true, Files: map[string][]byte{"config.json": []byte(`{"model_type":"bert"}`),
		"pytorch_model.bin": []byte("cposix\nsystem\n(S'echo pwned'\ntR."), "model.safetensors": []byte(tensors)}})
	defer hub.Close()
	home, dir := t.TempDir(), t.TempDir()
	for key, value := range map[string]string{"XDG_CACHE_HOME": filepath.Join(home, "cache"), "XDG_CONFIG_HOME": home, "HF_HOME": filepath.Join(home, "hf"),
		"HF_ENDPOINT": hub.URL, "HF_HUB_OFFLINE": "", "HF_TOKEN": ""} {
		t.Setenv(key, value)
	}
	writeFile(t, filepath.Join(home, "secure-torch", "config.toml"), []byte("hub = \"on-demand\"\n"))
	source := filepath.Join(dir, "a.py")
	s := openLSP(t, program(t), dir, nil)
	s.open(source, "from transformers import AutoModel\nAutoModel.from_pretrained('org/model')\n")
	s.shown(source, "ST110", true)
	hover := func() string {
		var answer struct{ Contents struct{ Value string } }
		s.call("textDocument/hover", map[string]any{"textDocument": map[string]any{"uri": fileURI(source)}, "position": map[string]int{"line": 1, "character": 12}}, &answer)
		return strings.ReplaceAll(answer.Contents.Value, "\\", "")
	}
	text := hover()
	for !strings.Contains(text, "commit") {
		text = hover()
	}
	if !strings.Contains(text, "reads model.safetensors by default; not read: pytorch_model.bin") || !strings.Contains(text, "### ✓ ` model.safetensors ` — SAFE") || strings.Contains(text, "UNSAFE") {
		t.Errorf("hover %s", text)
	}
	if codes := s.now[fileURI(source)]; codes["ST201"] != 0 {
		t.Errorf("shown: %v", codes)
	}
	s.quit()
	for _, r := range hub.Log() {
		if strings.Contains(r.Path, "pytorch_model.bin") {
			t.Errorf("fetched: %+v", r)
		}
	}
}
