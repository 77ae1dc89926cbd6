package artifact

import (
	"cmp"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// HubHome is the folder of the hub's client as itself finds it (huggingface_hub/constants.py), empty where there is none.
func HubHome(getenv func(string) string) string {
	if home := getenv("HF_HOME"); home != "" {
		return expand(home, getenv)
	}
	cache := userCache(getenv)
	if cache == "" {
		return ""
	}
	return expand(filepath.Join(cache, "huggingface"), getenv)
}

// HubToken is the file that `hf auth login` writes; empty where there is no home folder.
func HubToken(getenv func(string) string) string {
	if path := getenv("HF_TOKEN_PATH"); path != "" {
		return expand(path, getenv)
	}
	home := HubHome(getenv)
	if home == "" {
		return ""
	}
	return filepath.Join(home, "token")
}

// HubCache is the hub's cache folder as its own client finds it, from the environment that getenv reads.
func HubCache(getenv func(string) string) string {
	if dir := cmp.Or(getenv("HF_HUB_CACHE"), getenv("HUGGINGFACE_HUB_CACHE")); dir != "" {
		return expand(dir, getenv)
	}
	home := HubHome(getenv)
	if home == "" {
		return ""
	}
	return filepath.Join(home, "hub")
}

// HubCaches are the hub's cache and the one that transformers 4 had beside it: TRANSFORMERS_CACHE (utils/hub.py).
func HubCaches(getenv func(string) string) []string {
	var all []string
	first := HubCache(getenv)
	if first != "" {
		all = append(all, first)
	}
	old := cmp.Or(getenv("TRANSFORMERS_CACHE"), getenv("PYTORCH_TRANSFORMERS_CACHE"), getenv("PYTORCH_PRETRAINED_BERT_CACHE"))
	if old != "" && old != first {
		all = append(all, old)
	}
	return all
}

// variable is what Python's os.path.expandvars replaces.
var variable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$(\w+|\{[^}]*\})`) })

// expand does what os.path.expanduser and then os.path.expandvars do. Variables that are not set stay as they are.
func expand(path string, getenv func(string) string) string {
	return variable().ReplaceAllStringFunc(expandUser(path), func(v string) string {
		return cmp.Or(getenv(strings.Trim(v, "${}")), v)
	})
}

// expandUser replaces ~ and ~name at the begin of a path by that user's home, as os.path.expanduser does.
func expandUser(path string) string {
	if !strings.HasPrefix(path, "~") {
		return path
	}
	name, rest, _ := strings.Cut(path[1:], string(filepath.Separator))
	home := ""
	if name == "" {
		home, _ = os.UserHomeDir()
	} else if u, err := user.Lookup(name); err == nil {
		home = u.HomeDir
	}
	if home == "" {
		return path
	}
	return filepath.Join(home, rest)
}
