package integrity

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// listHub walks a cache of the hub's client (huggingface_hub 2.4, file_download.py): blobs have their digests for
// names; a snapshot's files are links to them, or, where links are switched off, files that trees/<commit>.json has the
// digests of.
func listHub(cache string, yield func(check) bool) {
	repos, err := os.ReadDir(cache)
	if err != nil {
		yield(unreadable(cache, err))
	}
	for _, e := range repos {
		if !e.IsDir() || !hubRepo().MatchString(e.Name()) {
			continue
		}
		r := hubCache{root: filepath.Join(cache, e.Name()), shared: filepath.Join(cache, "blobs"), yield: yield}
		if !r.blobs() || !r.snapshots() {
			return
		}
	}
}

// hubCache is one repository in a cache.
type hubCache struct {
	root, shared string
	yield        func(check) bool
}

func (r hubCache) within() []string { return []string{filepath.Join(r.root, "blobs"), r.shared} }

// blobs yields every blob. It returns false when that is enough.
func (r hubCache) blobs() bool {
	dir := filepath.Join(r.root, "blobs")
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) { // none where links are switched off
		return r.yield(unreadable(dir, err))
	}
	for _, e := range entries {
		k := check{path: filepath.Join(dir, e.Name()), within: r.within()}
		switch name := e.Name(); {
		case isHex(name, 64):
			k.sha = name
		case isHex(name, 40):
			k.blob = name
		case strings.HasSuffix(name, ".incomplete"):
			continue
		default:
			k = k.settle(Unknown, "its name is no digest")
		}
		if !r.yield(k) {
			return false
		}
	}
	return true
}

func isHex(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789abcdef") == "" }

// snapshots yields the files of every snapshot that a blob's own check does not speak for.
func (r hubCache) snapshots() bool {
	dir := filepath.Join(r.root, "snapshots")
	commits, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		return r.yield(unreadable(dir, err))
	}
	for _, c := range commits {
		root := filepath.Join(dir, c.Name())
		tree, err := r.tree(c.Name())
		if err != nil && !r.yield(unreadable(filepath.Join(r.root, "trees", c.Name()+".json"), err)) {
			return false
		}
		more := true
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				more = r.yield(unreadable(path, err))
			case d.IsDir():
			default:
				if k, ok := r.file(root, path, d, tree); ok {
					more = r.yield(k)
				}
			}
			if !more {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil || !more {
			return false
		}
	}
	return true
}

// file is the check of one file of a snapshot; there is none where it is a link to the right blob.
func (r hubCache) file(root, path string, d fs.DirEntry, tree *tree) (check, bool) {
	k := check{path: path, within: append(r.within(), root)}
	name, err := filepath.Rel(root, path)
	if err != nil {
		return unreadable(path, err), true
	}
	entry, listed := tree.entry(filepath.ToSlash(name))
	if d.Type()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		switch {
		case err != nil:
			return unreadable(path, err), true
		case artifact.Contained(path, r.within()...) != nil:
			return k.settle(Wrong, fmt.Sprintf("a link to %s, which is none of this repository's blobs", target)), true
		case listed && filepath.Base(target) != entry.name():
			return k.settle(Wrong, fmt.Sprintf("a link to blob %s, the commit's listing says %s", filepath.Base(target), entry.name())), true
		case tree != nil && !listed:
			return k.settle(Wrong, "is not in the commit's listing"), true
		}
		return check{}, false
	}
	switch {
	case tree == nil:
		return k.settle(Unknown, "there is no listing of the commit"), true
	case !listed:
		return k.settle(Wrong, "is not in the commit's listing"), true
	}
	k.sha, k.blob = entry.SHA256, entry.Blob
	return k, true
}

// tree is trees/<commit>.json.
type tree struct {
	Version int                  `json:"format_version"`
	Files   map[string]treeEntry `json:"files"`
}

type treeEntry struct {
	Blob   string `json:"blob_id"`
	SHA256 string `json:"lfs_sha256"`
}

// name of the blob that a link leads to.
func (e treeEntry) name() string {
	if e.SHA256 != "" {
		return e.SHA256
	}
	return e.Blob
}

func (t *tree) entry(name string) (treeEntry, bool) {
	if t == nil {
		return treeEntry{}, false
	}
	e, ok := t.Files[name]
	return e, ok
}

// maxTree bounds a listing, in bytes.
const maxTree = 64 << 20

// tree reads a commit's listing; nil where there is none.
func (r hubCache) tree(commit string) (*tree, error) {
	if !ref.IsCommit(commit) {
		return nil, nil
	}
	f, err := artifact.Open(filepath.Join(r.root, "trees", commit+".json"), r.root)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxTree))
	if err != nil {
		return nil, err
	}
	var t tree
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("the listing is broken: %w", err)
	}
	if t.Version != 1 {
		return nil, fmt.Errorf("listing of version %d", t.Version)
	}
	for name, e := range t.Files {
		if !isHex(e.Blob, 40) && e.Blob != "" || !isHex(e.SHA256, 64) && e.SHA256 != "" || e.name() == "" {
			return nil, fmt.Errorf("the listing has no digest of %.80q", name)
		}
	}
	return &t, nil
}
