package provenance

import (
	"path/filepath"
	"strings"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// Source is where a file came from, as far as its place on this machine tells.
type Source struct {
	Kind     string `json:"kind"` // path, hub, s3 or url
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
	return sourceAt(full)
}

// sourceAt is SourceOf of a path from the root on.
func sourceAt(full string) Source {
	s := Source{Kind: "path", Path: filepath.ToSlash(full)}
	if repo, commit := inCache(s.Path, "snapshots"); repo != "" {
		s.Kind, s.Repo, s.Commit, s.Pinned = "hub", repo, commit, true
	}
	return s
}

// inCache is the repository in whose folder of a hub's cache a path lies, in snapshots or in blobs: models--org--name/…;
// empty for none. Snapshots are named by their commits.
func inCache(path, folder string) (repo, version string) {
	parts := strings.Split(path, "/")
	for i := len(parts) - 2; i > 0; i-- {
		name, ok := strings.CutPrefix(parts[i-1], "models--")
		if !ok || parts[i] != folder {
			continue
		}
		isCommit := len(parts[i+1]) == 40 && strings.Trim(parts[i+1], "0123456789abcdef") == ""
		if folder == "blobs" || isCommit && i+2 < len(parts) {
			return strings.ReplaceAll(name, "--", "/"), parts[i+1]
		}
	}
	return "", ""
}

// SourceOfRef is what a reference says of where its files come from; path, where it is one, is looked at as SourceOf does.
func SourceOfRef(r ref.Ref) Source {
	switch r.Kind {
	case ref.Hub, ref.S3, ref.URL:
		return sourceOf(r, r.Revision)
	}
	return SourceOf(r.Value)
}

// sourceOf is where the files of a reference come from; commit is the one that its revision is.
func sourceOf(r ref.Ref, commit string) Source {
	switch r.Kind {
	case ref.S3:
		return Source{Kind: "s3", Path: r.Value}
	case ref.URL:
		shown, _, _ := strings.Cut(r.Value, "?") // after which secrets may stand
		return Source{Kind: "url", Path: shown}
	}
	return Source{Kind: "hub", Path: "hf:" + r.Value, Repo: r.Value, Revision: r.Revision, Commit: commit, Pinned: commit != "" && r.Revision == commit}
}

// Names are those under which a trust policy may know the source. A file on this machine has the name of its real place
// too: a rule about a folder is not evaded by a link to what lies in it.
func (s Source) Names() []string {
	names := []string{"path:" + s.Path}
	switch s.Kind {
	case "hub":
		if s.Commit != "" {
			names = append([]string{"hf:" + s.Repo + "@" + s.Commit}, names...)
		}
		names = append([]string{"hf:" + s.Repo}, names...)
	case "s3", "url": // s3://bucket/key and https://host/path
		names = append([]string{s.Path}, names...)
	}
	if s.Kind == "path" {
		names = append(names, linkedNames(s.Path)...)
	}
	return names
}

// linkedNames are those of the place that a path leads to by links; none where it leads to itself.
func linkedNames(path string) []string {
	real, err := filepath.EvalSymlinks(filepath.FromSlash(path))
	if err != nil || filepath.ToSlash(real) == path {
		return nil
	}
	real = filepath.ToSlash(real)
	names := []string{"path:" + real}
	for _, folder := range []string{"snapshots", "blobs"} {
		if repo, version := inCache(real, folder); repo != "" {
			names = append([]string{"hf:" + repo, "hf:" + repo + "@" + version}, names...)
		}
	}
	return names
}
