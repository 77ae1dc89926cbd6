package lsp

import (
	"fmt"
	"path/filepath"

	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/internal/workspace"
)

// maxModules bounds the sources of one folder that are known to others, and with them the memory: some
// 10 KiB for each, most of it the names that it calls.
const maxModules = 10_000

// newModules is an empty workspace: of a folder that is not trusted, one that reads nothing outside of it.
func (r *root) newModules() *workspace.Workspace {
	if r.settings().Trusted {
		return workspace.New([]string{r.dir})
	}
	return workspace.Confined(r.dir)
}

// isModule says whether a file may be one that others import.
func isModule(path string) bool {
	return workspace.IsSource(path) && filepath.Ext(path) != ".ipynb"
}

// list has a folder's sources read in the background, once, and then the open documents in it again, which
// may import them. The folder of a file that stands alone is left alone: it may be anything.
func (s *Server) list(r *root) {
	if r.alone {
		return
	}
	r.listing.Do(func() {
		go func() {
			var err error
			defer recovered(s.log, "list", &err)
			n, more := s.listModules(r)
			_ = s.do(func(st *state) error {
				if more {
					st.tell(protocol.MessageTypeInfo, fmt.Sprintf("secure-torch: %s has more than %d Python files; "+
						"what those beyond them define is not known in others", r.dir, maxModules))
				}
				if n > 0 {
					st.rereadIn(r)
				}
				return nil
			})
		}()
	})
}

// listModules adds the folder's sources that are not open, and says how many and whether there are more.
func (s *Server) listModules(r *root) (n int, more bool) {
	paths, problems := workspace.Files([]string{r.dir}, workspace.Filter{})
	for _, p := range problems {
		s.log.Info("list", "path", p.Path, "err", p.Err)
	}
	for _, path := range paths {
		if s.ctx.Err() != nil {
			return n, false
		}
		if !isModule(path) || r.modules().Overlaid(path) {
			continue
		}
		if n == maxModules {
			return n, true
		}
		if err := r.modules().Load(path, nil); err == nil {
			n++
		}
	}
	return n, false
}

// rereadIn has the documents in a folder read again.
func (st *state) rereadIn(r *root) {
	for _, d := range sorted(st.docs) {
		if d.root == r && d.notebook == nil {
			st.put(st.newDocument(d.uri, d.version, d.text))
		}
	}
	for _, nb := range st.notebooks {
		if nb.path != "" && st.rootOf(nb.path) == r {
			st.rereadNotebook(nb)
		}
	}
}

// giveBack makes the file on disk what others import, where it was an open document.
func (st *state) giveBack(d *document) {
	if r := d.root; r != nil && d.notebook == nil {
		go r.modules().Update(d.path, nil)
	}
}

// refreshModules reads sources that changed on disk, in the background, and then has all documents read
// again. What is open changes by its editor alone.
func (st *state) refreshModules(paths []string) {
	s := st.srv
	of := make([]*root, len(paths))
	for i, path := range paths {
		of[i] = st.rootOf(path)
	}
	go func() {
		for i, path := range paths {
			if ws := of[i].modules(); !ws.Overlaid(path) {
				ws.Update(path, nil)
			}
		}
		_ = s.do(func(st *state) error { st.rereadAll(); return nil })
	}()
}
