package workspace

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/analyzers"
)

// Workspace knows the Python files below its roots. It is safe for concurrent use. Nothing is read
// before it is asked for, but the calls of every file that Add was told of.
type Workspace struct {
	roots    []string // absolute
	versions func(pkg string) analyzers.Constraint

	mu       sync.Mutex
	files    map[string]bool   // absolute paths that were listed
	overlays map[string][]byte // unsaved sources of an editor
	cache    map[string]*entry // by absolute path
	paths    map[*analyzers.Summary]string
	callers  map[uint32][]string // by the hash of a called name: absolute paths
	held     int                 // bytes of source in cache
	clock    int
}

// entry is a file that was summarised, or is being.
type entry struct {
	once    sync.Once
	summary *analyzers.Summary // nil: could not be read
	size    int
	used    int
}

// maxHeld bounds the source whose summaries are kept, in bytes: a summary is several times as large.
const maxHeld = 8 << 20

// New returns a workspace of the given folders, or of the folders that hold the given files.
func New(roots []string) *Workspace {
	w := &Workspace{files: map[string]bool{}, overlays: map[string][]byte{}, cache: map[string]*entry{},
		paths: map[*analyzers.Summary]string{}, callers: map[uint32][]string{}}
	for _, root := range roots {
		abs, err := filepath.Abs(root)
		if err != nil {
			continue
		}
		if info, err := os.Stat(abs); err == nil && !info.IsDir() {
			abs = filepath.Dir(abs)
		}
		if !slices.Contains(w.roots, abs) {
			w.roots = append(w.roots, abs)
		}
	}
	w.versions = versions(w.roots)
	return w
}

// Add tells the workspace of a file and of the names it calls.
func (w *Workspace) Add(path string, skim analyzers.Skim) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files[abs] = true
	for _, h := range skim.Calls {
		w.callers[h] = append(w.callers[h], abs)
	}
}

// Update takes an editor's text of a file in place of the one on disk; nil gives the file back.
func (w *Workspace) Update(path string, src []byte) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return
	}
	w.mu.Lock()
	w.drop(abs)
	for h, paths := range w.callers {
		if i := slices.Index(paths, abs); i >= 0 {
			w.callers[h] = slices.Delete(slices.Clone(paths), i, i+1)
		}
	}
	if src == nil {
		delete(w.overlays, abs)
	} else {
		w.overlays[abs] = src
	}
	w.mu.Unlock()
	if src == nil {
		src, err = Read(abs)
	}
	if err == nil {
		w.Add(abs, analyzers.SkimSource(src, nil))
	}
}

// Hold keeps the summary of a file, so that what others ask about it is not read again.
func (w *Workspace) Hold(path string, s *analyzers.Summary) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return
	}
	e := &entry{summary: s}
	e.once.Do(func() {})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paths[s] = abs
	w.cache[abs] = e
}

// summary reads and summarises a file, once.
func (w *Workspace) summary(abs string) *analyzers.Summary {
	w.mu.Lock()
	e := w.cache[abs]
	if e == nil {
		e = &entry{}
		w.cache[abs] = e
	}
	w.clock++
	e.used = w.clock
	src := w.overlays[abs]
	w.mu.Unlock()
	e.once.Do(func() {
		var err error
		if src == nil {
			src, err = Read(abs)
		}
		if err == nil && len(src) <= maxHeld {
			e.summary, e.size = analyzers.Summarise(src), len(src)
		}
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.paths[e.summary]; e.summary != nil && !known {
		w.paths[e.summary] = abs
		w.held += e.size
		w.shrink()
	}
	return e.summary
}

// shrink forgets the summaries that were used longest ago.
func (w *Workspace) shrink() {
	if w.held <= maxHeld {
		return
	}
	old := slices.SortedFunc(maps.Keys(w.cache), func(a, b string) int { return w.cache[a].used - w.cache[b].used })
	for _, path := range old {
		if w.held <= maxHeld/2 {
			return
		}
		if w.cache[path].size > 0 {
			w.drop(path)
		}
	}
}

func (w *Workspace) drop(abs string) {
	if e := w.cache[abs]; e != nil {
		w.held -= e.size
		delete(w.paths, e.summary)
		delete(w.cache, abs)
	}
}

// At is the workspace as the linker of one file sees it.
func (w *Workspace) At(path string) analyzers.Workspace {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	return view{w, abs}
}

// view is a workspace seen from one file.
type view struct {
	*Workspace
	path string
}

// pathOf is where a summary was read; the file being linked is not in the cache.
func (v view) pathOf(s *analyzers.Summary) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if path, ok := v.paths[s]; ok {
		return path
	}
	return v.path
}

// Module implements analyzers.Workspace.
func (v view) Module(from *analyzers.Summary, dotted string) (analyzers.Module, bool) {
	path := v.find(v.pathOf(from), dotted)
	if path == "" {
		return analyzers.Module{}, false
	}
	s := v.summary(path)
	if s == nil {
		return analyzers.Module{}, false
	}
	return analyzers.Module{Summary: s, Dir: filepath.ToSlash(filepath.Dir(path))}, true
}

// Version implements analyzers.Workspace.
func (v view) Version(pkg string) analyzers.Constraint { return v.versions(pkg) }

// find is the file of a module by the name that the file at from imports it by; empty for none.
func (w *Workspace) find(from, dotted string) string {
	rest := strings.TrimLeft(dotted, ".")
	level := len(dotted) - len(rest)
	parts := filepath.Join(strings.Split(rest, ".")...)
	if level > 0 {
		dir := filepath.Dir(from)
		for range level - 1 {
			dir = filepath.Dir(dir)
		}
		return w.module(filepath.Join(dir, parts))
	}
	for _, dir := range w.searchPath(from) {
		if path := w.module(filepath.Join(dir, parts)); path != "" {
			return path
		}
	}
	return ""
}

// searchPath is where absolute imports of a file are looked for: its own folder, the folder that holds
// its outermost package, the roots and their src folders.
func (w *Workspace) searchPath(from string) []string {
	dir := filepath.Dir(from)
	out := []string{dir}
	top := dir
	for w.listed(filepath.Join(top, "__init__.py")) && filepath.Dir(top) != top {
		top = filepath.Dir(top)
	}
	for _, d := range append([]string{top}, w.roots...) {
		for _, c := range []string{d, filepath.Join(d, "src")} {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// module is the file of a module or package whose path without its ending is given.
func (w *Workspace) module(base string) string {
	for _, path := range []string{base + ".py", filepath.Join(base, "__init__.py")} {
		if w.listed(path) {
			return path
		}
	}
	return ""
}

func (w *Workspace) listed(path string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.files[path]
}
