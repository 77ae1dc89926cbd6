package artifact

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// ollamaManifest is an OCI image manifest as Ollama writes it.
type ollamaManifest struct {
	Layers []struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int64  `json:"size"`
	} `json:"layers"`
}

// weightLayers are the layers that a runner maps and computes with; the others are text.
var weightLayers = []string{"application/vnd.ollama.image.model", "application/vnd.ollama.image.projector", "application/vnd.ollama.image.adapter", "application/vnd.ollama.image.tensor"}

// OllamaStores are the folders where Ollama keeps models: the one that OLLAMA_MODELS names, else the user's own and
// that of the service as its installer sets it up.
func OllamaStores(getenv func(string) string) []string {
	if dir := getenv("OLLAMA_MODELS"); dir != "" {
		return []string{dir}
	}
	var dirs []string
	if home, err := os.UserHomeDir(); err == nil {
		dirs = append(dirs, filepath.Join(home, ".ollama", "models"))
	}
	return append(dirs, filepath.FromSlash("/usr/share/ollama/.ollama/models"))
}

// resolveOllama looks "[[host/]namespace/]name[:tag]" up in Ollama's store on this machine:
//
//	manifests/<host>/<namespace>/<name>/<tag>   which layers there are
//	blobs/sha256-<digest>                       a layer
func resolveOllama(r ref.Ref, getenv func(string) string) Resolution {
	name, tag := r.Value, "latest"
	if i := strings.LastIndexByte(r.Value, ':'); i > strings.LastIndexByte(r.Value, '/') { // else it is a host's port
		name, tag = r.Value[:i], r.Value[i+1:]
	}
	switch strings.Count(name, "/") {
	case 0:
		name = "registry.ollama.ai/library/" + name
	case 1:
		name = "registry.ollama.ai/" + name
	}
	manifest := filepath.FromSlash(name + "/" + tag)
	if !filepath.IsLocal(manifest) {
		return Resolution{Why: fmt.Sprintf("%s is no name of an Ollama model", r.Value)}
	}
	for _, store := range OllamaStores(getenv) {
		text, err := smallFile(filepath.Join(store, "manifests", manifest), store)
		if err == nil {
			return layers(store, r.Value, text)
		}
	}
	return Resolution{Why: fmt.Sprintf("%s is not in Ollama's store on this machine", r.Value)}
}

// layers are the blobs that a manifest lists.
func layers(store, name, text string) Resolution {
	var m ollamaManifest
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return Resolution{Why: fmt.Sprintf("%s: its manifest is broken: %v", name, err)}
	}
	var res Resolution
	for _, l := range m.Layers {
		hash, ok := strings.CutPrefix(l.Digest, "sha256:")
		if !ok || len(hash) != 64 || strings.Trim(hash, "0123456789abcdef") != "" || len(res.Targets) >= folderFiles {
			return Resolution{Why: fmt.Sprintf("%s: its manifest lists %.80q", name, l.Digest)}
		}
		t := Target{Path: filepath.Join(store, "blobs", "sha256-"+hash), Within: []string{store}, Role: Beside}
		if slices.Contains(weightLayers, l.MediaType) {
			t.Role = Weights
		}
		res.Targets = append(res.Targets, t)
	}
	slices.SortStableFunc(res.Targets, func(a, b Target) int { return int(a.Role) - int(b.Role) })
	if len(res.Targets) == 0 || res.Targets[0].Role != Weights {
		res.Why = fmt.Sprintf("%s: its manifest lists no weights", name)
	}
	return res
}
