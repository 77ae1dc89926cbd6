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
	above    []string // where a program of the roots may run: the working directory and the project's folders, if the roots lie below
	within   string   // nothing outside of this folder is read; empty: no such bound
	grammar  *analyzers.Grammar
	versions func(pkg string) analyzers.Constraint

	mu        sync.Mutex
	files     map[string]source // by absolute path: what was listed
	overlays  map[string][]byte // unsaved sources of an editor
	cache     map[string]*entry // by absolute path
	paths     map[*analyzers.Summary]string
	callers   map[uint32][]string // by the hash of a called name: absolute paths
	passes    map[uint32]int      // by the hash of a loader's or module's name: how many files import it
	renames   map[uint32]int      // by the hash of another name that one gets
	held      int                 // bytes of source in cache
	clock     int
	yamls     func() []string             // the YAML files below the roots, listed once
	makers    func() []string             // those of them that may name classes to make, listed once
	commands  func() map[string][]command // the command lines in scripts and documents, looked for once
	consulted map[string]bool             // configuration files that were asked for
	modules   map[[2]string]string        // where a module that a file in a folder imports was found
}

// maxModules bounds the imports whose files are remembered.
const maxModules = 1 << 16

// source is what one look at the bytes of a file told.
type source struct {
	calls           []uint32 // the hashes of the names called there
	passes, renames []uint32 // and of those under which others may import a loader from it, see analyzers.Skim
}

// entry is a file that was summarised, or is being.
type entry struct {
	once    sync.Once
	summary *analyzers.Summary // nil: could not be read
	size    int
	used    int
}

// maxHeld bounds the source whose summaries are kept, in bytes: a summary is several times as large.
const maxHeld = 4 << 20

// Confined returns a workspace of one folder that is not trusted: nothing is read out of it, by no link either, and
// its sources are read in confinement.
func Confined(root string) *Workspace {
	w := New([]string{root}, analyzers.Confined)
	w.above = nil
	if len(w.roots) == 1 {
		w.within = w.roots[0]
	}
	w.versions = versions(w.roots, w.within != "", w.read)
	return w
}

// read reads a file that the workspace may read.
func (w *Workspace) read(path string) ([]byte, error) {
	if w.within == "" {
		return Read(path)
	}
	return ReadWithin(w.within, path)
}

// New returns a workspace of the given folders, or of the folders that hold the given files, whose sources a grammar
// reads.
func New(roots []string, g *analyzers.Grammar) *Workspace {
	w := &Workspace{grammar: g, files: map[string]source{}, overlays: map[string][]byte{}, cache: map[string]*entry{},
		paths: map[*analyzers.Summary]string{}, callers: map[uint32][]string{}, passes: map[uint32]int{}, renames: map[uint32]int{}, consulted: map[string]bool{}, modules: map[[2]string]string{}}
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
	w.versions = versions(w.roots, false, Read)
	w.yamls = sync.OnceValue(w.listYAML)
	w.makers = sync.OnceValue(w.listMakers)
	w.commands = sync.OnceValue(w.listCommands)
	w.above = above(w.roots)
	return w
}

// above are the folders outside of the roots in which a program of theirs may be run: the working directory, if every
// root is below, and those up to each project's root. A folder that holds all that the user has is none.
func above(roots []string) []string {
	var out []string
	if wd, err := os.Getwd(); err == nil && !slices.ContainsFunc(roots, func(root string) bool {
		rel, err := filepath.Rel(wd, root)
		return err != nil || rel == "." || !filepath.IsLocal(rel)
	}) {
		out = append(out, wd)
	}
	for _, root := range roots {
		for _, dir := range projectDirs(root)[1:] {
			if !slices.Contains(out, dir) {
				out = append(out, dir)
			}
		}
	}
	home, err := os.UserHomeDir()
	return slices.DeleteFunc(out, func(dir string) bool {
		rel, err2 := filepath.Rel(dir, home)
		return err == nil && err2 == nil && filepath.IsLocal(rel)
	})
}

// Load reads a file and adds it, and says whether it may load a model, with what the files added so far pass on.
func (w *Workspace) Load(path string, sinks []*analyzers.Loader) (relevant bool, err error) {
	src, err := w.read(path)
	if err != nil {
		return false, err
	}
	skim := analyzers.SkimSource(src, sinks)
	w.Add(path, skim)
	return w.Relevant(skim), nil
}

// Add tells the workspace of a file and of the names it calls. An editor's text of the same file stays.
func (w *Workspace) Add(path string, skim analyzers.Skim) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.overlays[abs] == nil {
		w.add(abs, skim)
	}
}

func (w *Workspace) add(abs string, skim analyzers.Skim) {
	s := source{calls: skim.Calls}
	if skim.Relevant {
		s.passes, s.renames = skim.Passes, skim.Renames
	}
	if old, ok := w.files[abs]; ok && slices.Equal(old.calls, s.calls) && slices.Equal(old.passes, s.passes) && slices.Equal(old.renames, s.renames) {
		return // as after most keystrokes
	}
	if _, ok := w.files[abs]; !ok {
		clear(w.modules)
	}
	w.remove(abs)
	w.files[abs] = s
	for _, h := range s.calls {
		w.callers[h] = append(w.callers[h], abs)
	}
	w.passOn(s, 1)
}

// passOn counts what a file may pass on, or takes it back.
func (w *Workspace) passOn(s source, by int) {
	for _, h := range s.passes {
		w.passes[h] += by
	}
	for _, h := range s.renames {
		w.renames[h] += by
	}
}

// PassesOn implements analyzers.Workspace.
func (v view) PassesOn(name string) bool {
	h := analyzers.Hash(name)
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.passes[h] > 0 || v.renames[h] > 0
}

// Relevant says whether a source may load a model, by itself or with what the other files pass on.
func (w *Workspace) Relevant(skim analyzers.Skim) bool {
	if skim.Relevant {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(skim.Imports, func(h uint32) bool { return w.passes[h] > 0 }) || slices.ContainsFunc(skim.Calls, func(h uint32) bool { return w.renames[h] > 0 })
}

// remove forgets a file.
func (w *Workspace) remove(abs string) {
	w.passOn(w.files[abs], -1)
	for _, h := range w.files[abs].calls {
		left := slices.DeleteFunc(w.callers[h], func(f string) bool { return f == abs })
		if len(left) == 0 {
			delete(w.callers, h)
		} else {
			w.callers[h] = left
		}
	}
	delete(w.files, abs)
}

// Update takes an editor's text of a file in place of the one on disk; nil gives the file back, or
// forgets it when it is gone.
func (w *Workspace) Update(path string, src []byte) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return
	}
	text := src
	if src == nil {
		text, err = w.read(abs)
	}
	skim := analyzers.Skim{}
	if err == nil {
		skim = analyzers.SkimSource(text, nil)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop(abs)
	clear(w.modules)
	if src == nil {
		delete(w.overlays, abs)
	} else {
		w.overlays[abs] = src
	}
	if err != nil {
		w.remove(abs)
		return
	}
	w.add(abs, skim)
}

// Overlaid says whether an editor's text stands in for the file.
func (w *Workspace) Overlaid(path string) bool {
	abs, err := filepath.Abs(path)
	w.mu.Lock()
	defer w.mu.Unlock()
	return err == nil && w.overlays[abs] != nil
}

// Grammar reads the sources of the workspace; those of none are not trusted.
func (w *Workspace) Grammar() *analyzers.Grammar {
	if w == nil {
		return analyzers.Confined
	}
	return w.grammar
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

// Summary reads and summarises a file, which may then be looked at for others too; nil when it cannot be.
func (w *Workspace) Summary(path string) *analyzers.Summary {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	return w.summary(abs)
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
			src, err = w.read(abs)
		}
		if err == nil && len(src) <= maxHeld {
			e.summary, e.size = analyzers.Summarise(src, w.grammar), len(src)
		}
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.paths[e.summary]; e.summary != nil && !known && w.cache[abs] == e {
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
	return view{w, abs, map[string]*analyzers.Summary{}, map[string][]byte{}, new(int), map[string][]analyzers.Module{}}
}

// view is a workspace seen from one file.
type view struct {
	*Workspace
	path    string
	configs map[string]*analyzers.Summary
	texts   map[string][]byte             // of YAML files that Settings looked into
	peeked  *int                          // the bytes of these
	given   map[string][]analyzers.Module // what command lines give to programs, by the program's path
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
	dir := filepath.Dir(from)
	k := [2]string{dir, dotted}
	w.mu.Lock()
	path, ok := w.modules[k]
	w.mu.Unlock()
	if ok {
		return path
	}
	path = w.search(dir, dotted)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.modules) >= maxModules {
		clear(w.modules)
	}
	w.modules[k] = path
	return path
}

func (w *Workspace) search(dir, dotted string) string {
	rest := strings.TrimLeft(dotted, ".")
	level := len(dotted) - len(rest)
	parts := filepath.Join(strings.Split(rest, ".")...)
	if level > 0 {
		for range level - 1 {
			dir = filepath.Dir(dir)
		}
		return w.module(filepath.Join(dir, parts))
	}
	for _, dir := range w.searchPath(dir) {
		if path := w.module(filepath.Join(dir, parts)); path != "" {
			return path
		}
	}
	return w.aroundModule(dir, parts)
}

// aroundModule is the file of a module in a package without an __init__.py that the importing file lies in too: one of
// the folders around that has the package's name.
func (w *Workspace) aroundModule(dir, parts string) string {
	first, _, _ := strings.Cut(parts, string(filepath.Separator))
	for up := filepath.Dir(dir); up != dir; dir, up = up, filepath.Dir(up) {
		if filepath.Base(dir) == first {
			if path := w.module(filepath.Join(up, parts)); path != "" {
				return path
			}
		}
	}
	return ""
}

// searchPath is where absolute imports of the files in a folder are looked for: that folder, the folder that
// holds its outermost package, the roots and their src folders.
func (w *Workspace) searchPath(dir string) []string {
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
	_, ok := w.files[path]
	return ok
}
