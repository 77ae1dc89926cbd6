package artifact

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/secure-torch/secure-torch/internal/ref"
)

// Snapshot is one revision of a hub repository in the hub's cache on this machine.
//
//	models--org--name/refs/main            the commit that the branch points to
//	models--org--name/snapshots/<commit>/  the files, links into blobs/ or plain files
//	models--org--name/blobs/<hash>         their content
type Snapshot struct {
	Repo     string // "org/name"
	Revision string // as asked for; empty for the default branch
	Commit   string // 40 hexadecimal digits
	Dir      string // the snapshot's folder
	Within   []string
}

// resolveHub looks a repository up as its loaders do: a local folder of that name first, then the cache.
func resolveHub(r ref.Ref, base Base) Resolution {
	for _, dir := range candidates(r.Value, r, base) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return resolveIn(dir, r.File, nil)
		}
	}
	caches := []string{base.HubCache}
	if base.HubCache == "" {
		caches = HubCaches(os.Getenv)
	}
	why := "there is no home folder that the hub's cache could be in"
	for i, cache := range caches {
		snap, err := FindSnapshot(cache, r.Type, r.Value, r.Revision)
		if err == nil {
			res := resolveIn(snap.Dir, r.File, snap.Within)
			res.Hub = snap
			return res
		}
		if i == 0 {
			why = err.Error()
		}
	}
	return Resolution{Why: why}
}

// FindSnapshot looks up a revision of a repository, of one of ref's types, in a hub cache.
func FindSnapshot(cache, typ, repo, revision string) (*Snapshot, error) {
	if !ref.IsRepo(repo) {
		return nil, fmt.Errorf("%q is no name of a hub repository", repo)
	}
	if typ == ref.Models {
		typ = "models"
	}
	root := filepath.Join(cache, typ+"--"+strings.ReplaceAll(repo, "/", "--"))
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s is not in the hub's cache on this machine", repo)
	}
	commit, err := commitOf(root, revision)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", repo, err)
	}
	snap := &Snapshot{Repo: repo, Revision: revision, Commit: commit, Dir: filepath.Join(root, "snapshots", commit)}
	// Links may lead into this repository's blobs, and from there into the blobs all of them share.
	snap.Within = []string{snap.Dir, filepath.Join(root, "blobs"), filepath.Join(cache, "blobs")}
	if info, err := os.Stat(snap.Dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s: revision %s is not in the hub's cache on this machine", repo, commit)
	}
	return snap, nil
}

// commitOf follows a branch or tag; a commit stands for itself.
func commitOf(root, revision string) (string, error) {
	if revision == "" {
		revision = "main"
	}
	if ref.IsCommit(revision) {
		return revision, nil
	}
	if !filepath.IsLocal(filepath.FromSlash(revision)) {
		return "", fmt.Errorf("%q is no name of a revision", revision)
	}
	f, err := Open(filepath.Join(root, "refs", filepath.FromSlash(revision)), root)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("revision %s is not in the hub's cache on this machine", revision)
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64))
	if err != nil {
		return "", err
	}
	commit := strings.TrimSpace(string(text))
	if !ref.IsCommit(commit) {
		return "", fmt.Errorf("revision %s points to %q, which is no commit", revision, commit)
	}
	return commit, nil
}

// BlobsFor returns the folders that a file of a hub cache's snapshot may be a link into; none when
// path, which has to be absolute, does not lie in one.
func BlobsFor(path string) []string {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil
		}
		if filepath.Base(parent) == "snapshots" && ref.IsCommit(filepath.Base(dir)) {
			repo := filepath.Dir(parent)
			return []string{filepath.Join(repo, "blobs"), filepath.Join(filepath.Dir(repo), "blobs")}
		}
	}
}
