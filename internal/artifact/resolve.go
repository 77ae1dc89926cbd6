package artifact

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// Base is where a reference is read from.
type Base struct {
	SourceDir string // folder of the Python file
	WorkDir   string // working directory that the program is assumed to have
	HubCache  string // the hub's cache folder; empty for the one the environment names
	Loader    string // the function that loads, "ultralytics.YOLO": some have names of their own for models; may be empty
}

// Target is one file to scan.
type Target struct {
	Path string
	// Within are the folders one of which the real path has to stay in; none where any will do.
	Within []string
	Role   Role
}

// Role of a file among those that a reference leads to. The zero Role is Weights.
type Role uint8

// Roles.
const (
	Weights     Role = iota // the loader reads tensors or objects from it, or runs it
	Alternative             // it would, under other arguments or with another file missing
	Settings                // a configuration, which some loaders read and which may name code
	Beside                  // vocabulary, code, model card
)

// Resolution is what a reference leads to on this machine. Nothing was opened yet but folders.
type Resolution struct {
	Targets []Target
	// Why says, where there are no targets or not all of them, what is missing. Never empty then.
	Why string
	// Root is the folder that the targets lie in, where the reference led to a whole folder; else empty.
	Root string
	// Plan is how the call's library chose among the targets; nil where the roles are by their names alone.
	Plan *ref.Plan
	// Hub is set for a repository found in the hub's cache, or a folder laid out as one.
	Hub *Snapshot
}

// globLimit bounds the files one pattern may lead to.
const globLimit = 1000

// Resolve finds the files that r names. It never goes to the network: a URL, or a repository that is
// not in the cache, is a Why. A local folder goes before a hub repository of the same name.
func Resolve(r ref.Ref, base Base) Resolution {
	res := lookUp(r, base)
	if base.Loader == "torch.hub.load" {
		return withHubconf(res)
	}
	return res
}

// resolveHere looks a path up; found is false where a loader with names of its own may look elsewhere.
func resolveHere(r ref.Ref, base Base) (here Resolution, found bool) {
	if r.Kind != ref.Path {
		return here, false
	}
	_, other := renamed(r, base)
	here = resolvePath(r, base)
	return here, len(here.Targets) > 0 && !other
}

func lookUp(r ref.Ref, base Base) Resolution {
	if inner, err := ref.Parse(r.Value, ""); err == nil && r.Kind == ref.Path && (inner.Kind == ref.MLflow || inner.Kind == ref.Hub) {
		r = inner // as a string in a program has it: "models:/name/3"
	}
	here, found := resolveHere(r, base)
	if found {
		return here
	}
	if named, ok := resolveNamed(r, base, os.Getenv); ok {
		return named
	}
	switch r.Kind {
	case ref.Path:
		return here
	case ref.MLflow:
		return resolveMLflow(r, base)
	case ref.Ollama:
		return resolveOllama(r, os.Getenv)
	case ref.Glob:
		return resolveGlob(r, base)
	case ref.Hub:
		return resolveHub(r, base)
	case ref.URL:
		return resolveURL(r, base)
	case ref.S3:
		return Resolution{Why: r.String() + " is on the network: nothing was downloaded"}
	}
	return Resolution{Why: "names nothing that can be looked up"}
}

// candidates lists the paths that a relative name may stand for, likeliest first.
func candidates(name string, r ref.Ref, base Base) []string {
	name = filepath.FromSlash(name)
	if home, ok := strings.CutPrefix(name, "~"+string(filepath.Separator)); ok {
		if dir, err := os.UserHomeDir(); err == nil {
			return []string{filepath.Join(dir, home)}
		}
	}
	if filepath.IsAbs(name) {
		return []string{filepath.Clean(name)}
	}
	dirs := []string{base.WorkDir, base.SourceDir}
	if r.RelativeToSource {
		dirs = []string{base.SourceDir}
	}
	var out []string
	for _, dir := range dirs {
		if path := filepath.Join(dir, name); dir != "" && !slices.Contains(out, path) {
			out = append(out, path)
		}
	}
	return out
}

func resolvePath(r ref.Ref, base Base) Resolution {
	if strings.IndexByte(r.Value, 0) >= 0 {
		return Resolution{Why: "is no path: it holds a zero byte"}
	}
	paths := candidates(r.Value, r, base)
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			continue
		case info.IsDir():
			return resolveFolder(path)
		}
		return Resolution{Targets: []Target{{Path: path}}}
	}
	if len(paths) == 0 {
		return Resolution{Why: fmt.Sprintf("%s is relative, and nobody knows to what", r.Value)}
	}
	return Resolution{Why: fmt.Sprintf("%s does not exist", paths[0])}
}

func resolveGlob(r ref.Ref, base Base) Resolution {
	for _, pattern := range candidates(r.Value, r, base) {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			return Resolution{Why: fmt.Sprintf("%s is no pattern: %v", r.Value, err)}
		}
		var res Resolution
		for _, path := range matches {
			if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
				continue
			}
			if len(res.Targets) == globLimit {
				res.Why = fmt.Sprintf("more than %d files match %s", globLimit, r.Value)
				break
			}
			res.Targets = append(res.Targets, Target{Path: path})
		}
		if len(res.Targets) > 0 {
			return res
		}
	}
	return Resolution{Why: fmt.Sprintf("no file matches %s", r.Value)}
}
