package lsp

import (
	"path/filepath"
	"strings"
	"sync"

	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/workspace"
)

// root is a folder of the workspace with its config. When the config changes, another takes its place.
type root struct {
	told   bool // the user knows that its config cannot be read; only the owner of the state looks
	dir    string
	config func() (*config.Loaded, error) // read when first asked for, away from the owner of the state

	alone   bool                        // the folder of a file outside of all that the client opened
	modules func() *workspace.Workspace // made when first asked for, away from the owner of the state
	listing sync.Once                   // the folder's sources have been listed, or are being
	found   []string                    // when that has ended: the sources that may load models, and the models; only the owner looks
}

// newRoot makes the root at dir. The client's word that the user trusts the workspace counts for all of
// it; without it only the user's own config can say so.
func newRoot(dir string, trusted bool) *root {
	load := func() (*config.Loaded, error) { return config.Load(dir, "") }
	if trusted {
		load = func() (*config.Loaded, error) { return config.LoadTrusted(dir) }
	}
	r := &root{dir: dir, config: sync.OnceValues(load)}
	r.modules = sync.OnceValue(r.newModules)
	return r
}

// settings are the config in force; the default one, and nothing trusted, where it cannot be read.
func (r *root) settings() *config.Loaded {
	if l, err := r.config(); err == nil {
		return l
	}
	return &config.Loaded{Dir: r.dir}
}

// complain tells the user, once, that a folder's config cannot be read and that the default one holds.
func (st *state) complain(r *root) {
	if r == nil || r.told {
		return
	}
	if _, err := r.config(); err != nil {
		r.told = true
		st.tell(protocol.MessageTypeWarning, "secure-torch: "+err.Error()+" (the default configuration is in force)")
	}
}

// read reads a source in the folder; of one that is not trusted, none that a link leads out of it.
func (r *root) read(path string) ([]byte, error) {
	if r.settings().Trusted {
		return workspace.Read(path)
	}
	return workspace.ReadWithin(r.dir, path)
}

// folderOf is the folder of the workspace that a file lies in, or nil.
func (st *state) folderOf(path string) *root { return innermost(st.roots, path) }

func innermost(roots []*root, path string) *root {
	var best *root
	for _, r := range roots {
		if artifact.Inside(r.dir, path) && (best == nil || len(r.dir) > len(best.dir)) {
			best = r
		}
	}
	return best
}

// ignores reports whether the config silences a diagnostic of the source at path.
func (r *root) ignores(d check.Diagnostic, path string) bool {
	_, ok := check.Silenced(r.settings(), d, path)
	return ok
}

// rootsOf lists the folders that a client opens, in any of the ways in which it may say so.
func rootsOf(p *protocol.InitializeParams, trusted bool) []*root {
	var roots []*root
	folders, _ := p.WorkspaceFolders.Get()
	for _, f := range folders {
		if f.URI.IsFile() {
			roots = append(roots, newRoot(filepath.Clean(f.URI.FsPath()), trusted))
		}
	}
	if len(roots) == 0 && p.RootURI != nil && p.RootURI.IsFile() {
		roots = append(roots, newRoot(filepath.Clean(p.RootURI.FsPath()), trusted))
	}
	if dir, ok := p.RootPath.Get(); ok && len(roots) == 0 && filepath.IsAbs(dir) {
		roots = append(roots, newRoot(filepath.Clean(strings.Clone(dir)), trusted))
	}
	return roots
}

// rootOf is the innermost folder that a file lies in. A file outside of all has its own, untrusted unless
// the user's config says otherwise.
func (st *state) rootOf(path string) *root {
	if best := st.folderOf(path); best != nil || path == "" {
		return best
	}
	dir := filepath.Dir(path)
	if st.alone[dir] == nil {
		st.alone[dir] = newRoot(dir, false)
		st.alone[dir].alone = true
	}
	return st.alone[dir]
}

// leave forgets the folder of files outside of all folders when none of them is open any more.
func (st *state) leave(r *root) {
	if r == nil || st.alone[r.dir] != r {
		return
	}
	for _, d := range st.docs {
		if d.root == r {
			return
		}
	}
	delete(st.alone, r.dir)
}

// reconfigure has all configs read anew, and all documents with them.
func (st *state) reconfigure() {
	for i, r := range st.roots {
		st.roots[i] = newRoot(r.dir, st.client.options.Trusted)
	}
	clear(st.alone)
	st.dropBacklog()
	st.rereadAll()
	st.listAll()
}

// didChangeWorkspaceFolders opens and closes folders.
func didChangeWorkspaceFolders(st *state, p *protocol.DidChangeWorkspaceFoldersParams) error {
	closed := map[string]bool{}
	for _, f := range p.Event.Removed {
		closed[filepath.Clean(f.URI.FsPath())] = true
	}
	var roots []*root
	for _, r := range st.roots {
		if !closed[r.dir] {
			roots = append(roots, r)
		}
	}
	for _, f := range p.Event.Added {
		if f.URI.IsFile() {
			roots = append(roots, newRoot(filepath.Clean(f.URI.FsPath()), st.client.options.Trusted))
		}
	}
	st.roots = roots
	st.dropBacklog()
	st.rereadAll()
	st.listAll()
	return nil
}

// rereadAll has every document read again: what it says may not have changed, what it means may have.
func (st *state) rereadAll() {
	for _, d := range sorted(st.docs) {
		if d.notebook == nil {
			st.put(st.newDocument(d.uri, d.version, d.text))
		}
	}
	for _, nb := range st.notebooks {
		st.rereadNotebook(nb)
	}
	st.rereadUnopened()
}
