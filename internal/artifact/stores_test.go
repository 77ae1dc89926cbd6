package artifact

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// put writes files, by path, into dir.
func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// weights are the base names of what a loader would read.
func weights(r Resolution) string {
	var names []string
	for _, t := range r.Targets {
		if t.Role == Weights {
			names = append(names, filepath.Base(t.Path))
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestMLflow(t *testing.T) {
	dir := t.TempDir()
	store := filepath.Join(dir, "mlruns")
	put(t, store, map[string]string{
		"1/abc/artifacts/model/model.pkl": "x", "1/abc/artifacts/model/MLmodel": "", "1/models/m-77/artifacts/python_model.pkl": "x",
		"models/fraud/version-1/meta.yaml":  "name: fraud\nsource: file://" + store + "/1/abc/artifacts/model\nversion: 1\n",
		"models/fraud/version-2/meta.yaml":  "source: elsewhere\nstorage_location: '" + store + "/1/models/m-77/artifacts'\n",
		"models/fraud/aliases/champion":     "1",
		"models/served/version-1/meta.yaml": "source: mlflow-artifacts:/1/x\n",
	})
	base := Base{WorkDir: dir}
	for name, want := range map[string]string{
		"runs:/abc/model": "model.pkl", "runs:/nope/model": "", "runs:/abc/../../models": "", "models:/m-77": "python_model.pkl",
		"models:/fraud/1": "model.pkl", "models:/fraud/2": "python_model.pkl", "models:/fraud/latest": "python_model.pkl", "models:/fraud@champion": "model.pkl",
		"models:/fraud/9": "", "models:/fraud@none": "", "models:/served/1": "", "models:/none/1": "", "models:/../../etc": "",
	} {
		for _, r := range []ref.Ref{{Kind: ref.Path, Value: name}, {Kind: ref.MLflow, Value: name}} {
			if got := Resolve(r, base); weights(got) != want || want == "" && got.Why == "" {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
	t.Setenv("MLFLOW_TRACKING_URI", "file://"+store)
	if got := Resolve(ref.Ref{Kind: ref.MLflow, Value: "models:/fraud/1"}, Base{}); weights(got) != "model.pkl" {
		t.Errorf("%+v", got)
	}
	t.Setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
	if got := Resolve(ref.Ref{Kind: ref.MLflow, Value: "models:/fraud/1"}, base); !strings.Contains(got.Why, "server or a database") {
		t.Errorf("%+v", got)
	}
}

func TestOllama(t *testing.T) {
	dir := t.TempDir()
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	manifest := `{"layers":[{"mediaType":"application/vnd.ollama.image.template","digest":"sha256:` + b + `","size":1},{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:` + a + `","size":1}]}`
	put(t, dir, map[string]string{
		"manifests/registry.ollama.ai/library/llama/latest": manifest, "manifests/registry.ollama.ai/library/llama/1b": manifest,
		"manifests/registry.ollama.ai/team/m/latest": manifest, "manifests/reg.example:5000/team/m/latest": manifest,
		"manifests/registry.ollama.ai/library/bad/latest":  `{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:../../x"}]}`,
		"manifests/registry.ollama.ai/library/none/latest": `{"layers":[]}`, "manifests/registry.ollama.ai/library/text/latest": `x`,
		"blobs/sha256-" + a: "GGUF", "blobs/sha256-" + b: "{{ .Prompt }}",
	})
	t.Setenv("OLLAMA_MODELS", dir)
	for name, ok := range map[string]bool{"llama": true, "llama:1b": true, "llama:9b": false, "team/m": true, "reg.example:5000/team/m": true, "bad": false, "none": false, "text": false, "../../x": false} {
		got := Resolve(ref.Ref{Kind: ref.Ollama, Value: name}, Base{})
		if (weights(got) == "sha256-"+a) != ok || !ok && got.Why == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A URL that something was downloaded from before leads to what is left of it.
func TestURL(t *testing.T) {
	dir := t.TempDir()
	commit := strings.Repeat("c", 40)
	put(t, dir, map[string]string{
		"torch/hub/checkpoints/net-0123abcd.pth": "x",
		"hub/models--org--m/refs/main":           commit, "hub/models--org--m/snapshots/" + commit + "/m.bin": "x",
		"hub/datasets--org--d/refs/main": commit, "hub/datasets--org--d/snapshots/" + commit + "/sub/d.pkl": "x",
	})
	t.Setenv("TORCH_HOME", filepath.Join(dir, "torch"))
	base := Base{HubCache: filepath.Join(dir, "hub")}
	for url, want := range map[string]string{
		"https://example.org/models/net-0123abcd.pth":                  "net-0123abcd.pth",
		"https://example.org/models/other.pth":                         "",
		"https://example.org/..":                                       "",
		"https://huggingface.co/org/m/resolve/main/m.bin":              "m.bin",
		"https://huggingface.co/org/m":                                 "m.bin",
		"hf://datasets/org/d":                                          "d.pkl",
		"hf://datasets/org/d/sub":                                      "d.pkl",
		"https://huggingface.co/org/m/resolve/main/../../x":            "",
		"https://huggingface.co/org/m/resolve/" + commit + "/nope.bin": "",
	} {
		if got := Resolve(ref.Ref{Kind: ref.URL, Value: url}, base); weights(got) != want || want == "" && got.Why == "" {
			t.Errorf("%s: %+v", url, got)
		}
	}
}
