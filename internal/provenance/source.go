package provenance

import (
	"path/filepath"
	"strings"
)

// Source is where a file came from, as far as its place on this machine tells.
type Source struct {
	Kind     string `json:"kind"` // path or hub
	Path     string `json:"path"`
	Repo     string `json:"repo,omitempty"`   // org/name
	Commit   string `json:"commit,omitempty"` // of the hub's repository
	Revision string `json:"revision,omitempty"`
	Pinned   bool   `json:"pinned"` // a commit was asked for
}

// SourceOf looks at a path alone: one in a hub's cache, models--org--name/snapshots/COMMIT/…, tells repository and
// commit. Which revision was asked for it does not tell; the snapshot is one commit.
func SourceOf(path string) Source {
	full, err := filepath.Abs(path)
	if err != nil {
		full = path
	}
	s := Source{Kind: "path", Path: filepath.ToSlash(full)}
	parts := strings.Split(s.Path, "/")
	for i := len(parts) - 3; i > 0; i-- {
		repo, ok := strings.CutPrefix(parts[i-1], "models--")
		if ok && parts[i] == "snapshots" && len(parts[i+1]) == 40 && strings.Trim(parts[i+1], "0123456789abcdef") == "" {
			s.Kind, s.Repo, s.Commit, s.Pinned = "hub", strings.ReplaceAll(repo, "--", "/"), parts[i+1], true
			return s
		}
	}
	return s
}

// Names are those under which a trust policy may know the source.
func (s Source) Names() []string {
	names := []string{"path:" + s.Path}
	if s.Kind == "hub" {
		names = append([]string{"hf:" + s.Repo, "hf:" + s.Repo + "@" + s.Commit}, names...)
	}
	return names
}
