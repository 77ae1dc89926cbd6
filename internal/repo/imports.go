package repo

import (
	"path"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// importer finds out which of the files in a folder, and in those below it, run when one of them is imported. It goes
// by the text of import statements wherever they stand, for functions are what is called: more may be followed than
// one run imports.
type importer struct {
	files map[string]bool // from the folder, with "/"
	// compiled are those of them that are no source: .so, .pyd, .pyc.
	compiled []string
	// roots are where absolute imports are looked for, "" for the folder itself; none where it is on no path.
	roots []string
	known map[string][]string // what each file imports
}

// maxRoots bounds what sources add to the path.
const maxRoots = 16

func newImporter(files map[string]bool, roots ...string) *importer {
	m := &importer{files: files, roots: roots, known: map[string][]string{}}
	for name := range files {
		if slices.Contains([]string{".so", ".pyd", ".pyc"}, path.Ext(name)) {
			m.compiled = append(m.compiled, name)
		}
	}
	slices.Sort(m.compiled)
	return m
}

// closure lists, without repeating one, the first files and all that they import in turn, as far as read gives texts.
func (m *importer) closure(first []string, read func(string) (string, error)) []string {
	var runs []string
	seen := map[string]bool{}
	add := func(names []string) {
		for _, name := range names {
			if !seen[name] {
				seen[name] = true
				runs = append(runs, name)
			}
		}
	}
	add(first)
	for i := 0; i < len(runs); i++ {
		if path.Ext(runs[i]) != ".py" {
			continue
		}
		names, known := m.known[runs[i]]
		if !known {
			text, err := read(runs[i])
			if err != nil {
				continue
			}
			before := len(m.roots)
			if names = m.imports(runs[i], text); len(m.roots) > before {
				clear(m.known)
				i = -1 // what was not found before may lie there
				continue
			}
			m.known[runs[i]] = names
		}
		add(names)
	}
	return runs
}

var (
	relativeFrom = pattern.Lazy(`\bfrom\s*(\.+)\s*([\w.]*?)\s*\bimport\b\s*\(?([^;)]*)`)
	absoluteFrom = pattern.Lazy(`\bfrom\s+(\w[\w.]*)\s+import\b\s*\(?([^;)]*)`)
	plainImports = pattern.Lazy(`\bimport\s+(\w[^;]*)`)
	spacedDot    = pattern.Lazy(`[ \t]*\.[ \t]*`)
	byCall       = pattern.Lazy(`\b(?:__import__|import_module|run_module|find_spec)\s*\(\s*["'](\.*)([\w.]+)["']`)
	pathText     = pattern.Lazy(`["']([\w./-]+)["']`)
)

// imports lists the files that the imports of one file run.
func (m *importer) imports(file, text string) []string {
	var out []string
	for _, l := range logicalLines(text) {
		code := spacedDot().ReplaceAllString(l.code, ".")
		for _, f := range relativeFrom().FindAllStringSubmatch(code, -1) {
			if base, ok := above(file, len(f[1])); ok {
				out = append(out, m.dotted(base, f[2], f[3])...)
			}
		}
		code = relativeFrom().ReplaceAllString(code, "")
		for _, f := range absoluteFrom().FindAllStringSubmatch(code, -1) {
			out = append(out, m.absolute(f[1], f[2])...)
		}
		for _, f := range plainImports().FindAllStringSubmatch(absoluteFrom().ReplaceAllString(code, ""), -1) {
			for part := range strings.SplitSeq(f[1], ",") {
				out = append(out, m.absolute(firstWord(part), "")...)
			}
		}
		out = append(out, m.spelled(file, l.raw)...)
	}
	return out
}

// spelled are files that a line names in its strings.
func (m *importer) spelled(file, raw string) []string {
	var out []string
	for _, f := range byCall().FindAllStringSubmatch(raw, -1) {
		if f[1] == "" {
			out = append(out, m.absolute(f[2], "")...)
		} else if base, ok := above(file, len(f[1])); ok {
			out = append(out, m.dotted(base, f[2], "")...)
		}
	}
	if m.roots == nil {
		return out
	}
	return append(out, m.paths(file, raw)...)
}

// paths are files that a line names as such; folders that it puts on the path are noted.
func (m *importer) paths(file, raw string) []string {
	onPath := strings.Contains(raw, "sys.path")
	if !onPath && !strings.Contains(raw, ".py") {
		return nil
	}
	var out, parts []string
	for _, f := range pathText().FindAllStringSubmatch(raw, maxRoots) {
		parts = append(parts, f[1])
	}
	for _, part := range append(parts, path.Join(parts...)) {
		at := path.Join(path.Dir(file), part)
		switch {
		case path.Ext(part) == ".py" && m.files[at]:
			out = append(out, at)
		case onPath && len(m.roots) < maxRoots && at != "." && !slices.Contains(m.roots, at) && m.folder(at):
			m.roots = append(m.roots, at)
		}
	}
	return out
}

func (m *importer) folder(at string) bool {
	for name := range m.files {
		if strings.HasPrefix(name, at+"/") {
			return true
		}
	}
	return false
}

// absolute is an import by the path, where the folder is on it.
func (m *importer) absolute(module, names string) []string {
	var out []string
	for _, root := range m.roots {
		out = append(out, m.dotted(root, module, names)...)
	}
	return out
}

// dotted lists what runs for a module below a folder: every package on the way to it, the module, and those of the
// names imported from it that are modules.
func (m *importer) dotted(base, module, names string) []string {
	var out []string
	at := base
	if module != "" {
		for part := range strings.SplitSeq(module, ".") {
			at = path.Join(at, part)
			out = append(out, m.locate(at)...)
		}
	} else if m.files[path.Join(at, "__init__.py")] {
		out = append(out, path.Join(at, "__init__.py"))
	}
	for name := range strings.SplitSeq(names, ",") {
		if name = firstWord(name); name != "" {
			out = append(out, m.locate(path.Join(at, name))...)
		}
	}
	return out
}

// locate is the file that importing a module runs: a package goes before a module, and in both what is compiled from
// C before source, and that before what Python compiled without its source (importlib, FileFinder and path hooks).
func (m *importer) locate(at string) []string {
	for _, stem := range []string{path.Join(at, "__init__"), at} {
		for _, name := range m.compiled {
			rest, ok := strings.CutPrefix(name, stem+".")
			if ok && !strings.Contains(rest, "/") && path.Ext(name) != ".pyc" {
				return []string{name}
			}
		}
		for _, ending := range []string{".py", ".pyc"} {
			if m.files[stem+ending] {
				return []string{stem + ending}
			}
		}
	}
	return nil
}

// copies are what Python would run in the place of a source, were they of it: compiled, and kept beside it.
func (m *importer) copies(file string) []string {
	dir, base := path.Split(file)
	stem := path.Join(dir, "__pycache__", strings.TrimSuffix(base, ".py")) + "."
	var out []string
	for _, name := range m.compiled {
		if strings.HasPrefix(name, stem) && path.Ext(name) == ".pyc" {
			out = append(out, name)
		}
	}
	return out
}

// above is the folder that so many dots lead to from a file; ok is false for one above the first.
func above(file string, dots int) (string, bool) {
	dir := path.Dir(file)
	for range dots - 1 {
		if dir == "." {
			return "", false
		}
		dir = path.Dir(dir)
	}
	if dir == "." {
		dir = ""
	}
	return dir, true
}

// firstWord is "a.b" of " a.b as c".
func firstWord(s string) string {
	if words := strings.Fields(s); len(words) > 0 {
		return strings.Trim(words[0], "()\\")
	}
	return ""
}
