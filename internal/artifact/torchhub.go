package artifact

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// TorchHub is the folder of torch.hub (torch/hub.py, get_dir): checkpoints/ holds what load_state_dict_from_url has
// downloaded, owner_repo_branch/ what torch.hub.load has.
func TorchHub(getenv func(string) string) string {
	home := getenv("TORCH_HOME")
	if home == "" {
		cache := userCache(getenv)
		if cache == "" {
			return ""
		}
		home = filepath.Join(cache, "torch")
	}
	return filepath.Join(expandUser(home), "hub")
}

// userCache is where Python programs keep caches: XDG_CACHE_HOME, else ~/.cache, on every system.
func userCache(getenv func(string) string) string {
	if dir := getenv("XDG_CACHE_HOME"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".cache")
}

// resolveURL looks for what an earlier download of the URL has left on this machine: in the hub's cache, or among
// torch.hub's checkpoints, which have the names that the URLs end in. It never downloads.
func resolveURL(r ref.Ref, base Base) Resolution {
	if inner, err := ref.Parse(r.Value, os.Getenv("HF_ENDPOINT")); err == nil && inner.Kind == ref.Hub {
		inner.Sure = r.Sure
		return resolveHub(inner, base)
	}
	if u, err := url.Parse(r.Value); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		name := path.Base(u.Path)
		dir := filepath.Join(TorchHub(os.Getenv), "checkpoints")
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); filepath.IsLocal(name) && !strings.ContainsAny(name, `/\`) && err == nil && info.Mode().IsRegular() {
			return Resolution{Targets: []Target{{Path: file, Within: []string{dir}}}}
		}
	}
	return Resolution{Why: r.String() + " is on the network: nothing was downloaded"}
}
