package repo

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
)

// TestImports: what runs when the first file is imported. "on path" puts the folder on sys.path, as torch.hub does.
func TestImports(t *testing.T) {
	for _, c := range []struct {
		what   string
		onPath bool
		files  map[string]string // the first is a.py
		want   string
	}{
		{"relative", false, map[string]string{"a.py": "from .b import c\nfrom . import d, e as f\n", "b.py": "", "d.py": "", "e.py": "", "x.py": ""}, "a.py b.py d.py e.py"},
		{"absolute, off the path", false, map[string]string{"a.py": "import b\nfrom c import d\n", "b.py": "", "c.py": ""}, "a.py"},
		{"absolute", true, map[string]string{"a.py": "import b as x, c.d\nfrom e.f import g\n", "b.py": "", "c/__init__.py": "", "c/d.py": "", "e/f/__init__.py": "", "e/f/g.py": "", "e/h.py": ""},
			"a.py b.py c/__init__.py c/d.py e/f/__init__.py e/f/g.py"},
		{"up", false, map[string]string{"a.py": "from .p.q import r\n", "p/q.py": "from ..z import y\nfrom ...w import v\n", "z.py": "", "w.py": ""}, "a.py p/q.py z.py"},
		{"odd spelling", false, map[string]string{"a.py": "from.b import(\n  c,\n)\nfrom . d . e import f; from .import g\n", "b.py": "", "d/e.py": "", "g.py": ""}, "a.py b.py d/e.py g.py"},
		{"by name", true, map[string]string{"a.py": "__import__('b')\nimport importlib as i\ni.import_module(\"c.d\")\ni.import_module('.e', __package__)\n", "b.py": "", "c/d.py": "", "e.py": ""}, "a.py b.py c/d.py e.py"},
		{"by path", true, map[string]string{"a.py": "spec_from_file_location('x', 'lib/b.py')\n", "lib/b.py": "", "lib/c.py": ""}, "a.py lib/b.py"},
		{"a longer path", true, map[string]string{"a.py": "import b\nimport c\n", "c.py": "import sys\nsys.path.append('lib')\n", "lib/b.py": ""}, "a.py c.py lib/b.py"},
		{"a circle", false, map[string]string{"a.py": "from .b import x\n", "b.py": "from .a import y\n"}, "a.py b.py"},
		{"package before module", true, map[string]string{"a.py": "import b\n", "b.py": "", "b/__init__.py": ""}, "a.py b/__init__.py"},
		{"compiled before source", true, map[string]string{"a.py": "import b, c\n", "b.abi3.so": "", "b.py": "", "c.pyc": "", "c.so.py": ""}, "a.py b.abi3.so c.pyc"},
		{"said, not done", true, map[string]string{"a.py": "# import b\n'''\nimport b\n'''\n", "b.py": ""}, "a.py"},
	} {
		files := map[string]bool{}
		for name := range c.files {
			files[name] = true
		}
		m := newImporter(files)
		if c.onPath {
			m.roots = []string{""}
		}
		got := m.closure([]string{"a.py"}, func(name string) (string, error) { return c.files[name], nil })
		slices.Sort(got)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.what, got, c.want)
		}
	}
}

// TestWanted: a scan's second half asks for the files one after another, and says so of what it was not given.
func TestWanted(t *testing.T) {
	files := map[string]string{"config.json": `{"auto_map": {"AutoModel": "net/m.X"}}`, "net/m.py": "from .n import x\n", "net/n.py": "import os\nos.system('echo pwned')\n",
		"hubconf.py": "import net.n\n", "__pycache__/hubconf.cpython-312.pyc": "\xcb\r\r\n\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"net/__pycache__/n.cpython-312.pyc": "\xcb\r\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"}
	source := func(name string) modelscan.Source {
		text := files[name]
		return modelscan.Source{Name: name, R: bytes.NewReader([]byte(text)), Size: int64(len(text))}
	}
	names := []string{"__pycache__/hubconf.cpython-312.pyc", "config.json", "hubconf.py", "net/__pycache__/n.cpython-312.pyc", "net/m.py", "net/n.py", "net/o.py"}
	for first, want := range map[string]struct{ rounds, report string }{
		"config.json": {"net/m.py | net/n.py |", "ST507"},
		"hubconf.py":  {"__pycache__/hubconf.cpython-312.pyc net/__pycache__/n.cpython-312.pyc net/n.py |", "ST507 ST903"},
	} {
		tree := &Tree{Source: source(first), Names: names}
		report := func() string {
			r := &modelscan.Report{}
			Beside(t.Context(), r, tree, modelscan.DefaultLimits())
			var words []string
			for _, f := range r.Findings {
				words = append(words, string(f.Rule))
			}
			for _, g := range r.Gaps {
				words = append(words, string(g.Rule))
			}
			return strings.Join(words, " ")
		}
		if got := report(); !strings.Contains(got, "ST905") {
			t.Errorf("%s, nothing opened: %s", first, got)
		}
		var rounds []string
		for range 5 {
			var asked []string
			for _, i := range Wanted(tree, modelscan.DefaultLimits()) {
				asked = append(asked, names[i])
				tree.Modules = append(tree.Modules, source(names[i]))
			}
			rounds = append(rounds, strings.Join(append(asked, "|"), " "))
			if len(asked) == 0 {
				break
			}
		}
		if got := strings.TrimSuffix(strings.Join(rounds, " "), " |"); got != want.rounds {
			t.Errorf("%s asked for %s, want %s", first, got, want.rounds)
		}
		if got := report(); got != want.report {
			t.Errorf("%s: %s, want %s", first, got, want.report)
		}
		tree.Cut = true
		if got := report(); !strings.Contains(got, "ST902") {
			t.Errorf("%s among too many: %s", first, got)
		}
	}
}
