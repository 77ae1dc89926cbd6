package lsp

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/workspace"
	"github.com/secure-torch/secure-torch/modelscan"
)

// maxModules bounds the sources of one folder that are known to others, and with them the memory: some
// 10 KiB for each, most of it the names that it calls.
const maxModules = 10_000

// newModules is an empty workspace: of a folder that is not trusted, one that reads nothing outside of it.
func (r *root) newModules() *workspace.Workspace {
	if r.settings().Trusted {
		return workspace.New([]string{r.dir}, analyzers.Native)
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
			known, found, more := s.listModules(r)
			_ = s.do(func(st *state) error {
				if more {
					st.tell(protocol.MessageTypeInfo, fmt.Sprintf("secure-torch: %s has more than %d Python files; "+
						"those beyond them are not looked at before they are opened", r.dir, maxModules))
				}
				if known > 0 {
					st.rereadIn(r)
				}
				r.found = append([]string{}, found...)
				st.later(r, found...)
				return nil
			})
		}()
	})
}

// listModules adds the folder's sources that are not open. It says how many those are, which files are left for the
// backlog (sources that may load a model, models), and whether there are more sources.
func (s *Server) listModules(r *root) (known int, found []string, more bool) {
	paths, problems := workspace.Files([]string{r.dir}, workspace.Filter{})
	for _, p := range problems {
		s.log.Info("list", "path", p.Path, "err", p.Err)
	}
	sinks := check.Sinks(r.settings())
	for _, path := range paths {
		switch {
		case s.ctx.Err() != nil:
			return known, nil, false
		case !isModule(path):
			found = append(found, path)
			continue
		case r.modules().Overlaid(path):
			found = append(found, path) // it may be closed until its turn comes
			continue
		case known == maxModules:
			return known, append(found, listModels(r.dir)...), true
		}
		relevant, err := r.modules().Load(path, sinks)
		if err != nil {
			continue
		}
		known++
		if relevant {
			found = append(found, path)
		}
	}
	return known, append(found, listModels(r.dir)...), false
}

// maxModels bounds the models of one folder that are scanned without being asked for.
const maxModels = 10_000

// listModels lists the files in a folder that are named as models. Links are left out: what they lead to lies elsewhere,
// or is listed in its own place. So are folders that hold nothing of the project itself.
func listModels(dir string) []string {
	var out []string
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil: // what cannot be listed is not scanned; it is reported when something loads it
			return nil
		case len(out) == maxModels:
			return fs.SkipAll
		case e.IsDir() && path != dir && (strings.HasPrefix(e.Name(), ".") || slices.Contains(workspace.DefaultExclude, e.Name()+"/")):
			return fs.SkipDir
		case e.Type().IsRegular() && modelscan.ModelName(e.Name()):
			out = append(out, path)
		}
		return nil
	})
	return out
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
		_ = s.do(func(st *state) error {
			st.rereadAll()
			for i, path := range paths {
				st.later(of[i], path)
			}
			return nil
		})
	}()
}
