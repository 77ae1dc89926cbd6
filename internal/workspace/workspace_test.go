package workspace

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/analyzers"
)

// tree writes files, "name: text" pairs, below a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// refs links one file of a tree and lists what its calls name.
func refs(t *testing.T, files map[string]string, name string) string {
	t.Helper()
	root := tree(t, files)
	ws := New([]string{root}, analyzers.Native)
	paths, problems := Files([]string{root}, Filter{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, p := range paths {
		src, err := Read(p)
		if err != nil {
			t.Fatal(err)
		}
		ws.Add(p, analyzers.SkimSource(src, nil))
	}
	path := filepath.Join(root, name)
	var out []string
	for _, c := range analyzers.Link(analyzers.Summarise([]byte(files[name]), analyzers.Native), analyzers.Options{Workspace: ws.At(path)}).Calls {
		for _, r := range c.Refs {
			value := strings.ReplaceAll(r.Value, filepath.ToSlash(root), "ROOT")
			out = append(out, r.Kind.String()+":"+value+":"+r.Sure.String())
		}
		if len(c.Refs) == 0 {
			out = append(out, "?")
		}
	}
	return strings.Join(out, " ")
}

func TestAcrossFiles(t *testing.T) {
	load := "import torch\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"a constant of another module":  {map[string]string{"app.py": load + "from conf import CKPT\ntorch.load(CKPT)\n", "conf.py": "CKPT = 'a.pt'\n"}, "path:a.pt:exact"},
		"a module's attribute":          {map[string]string{"app.py": load + "import conf\ntorch.load(conf.CKPT)\n", "conf.py": "CKPT = 'a.pt'\n"}, "path:a.pt:exact"},
		"a relative import":             {map[string]string{"pkg/__init__.py": "", "app.py": "", "pkg/a.py": load + "from .b import P\ntorch.load(P)\n", "pkg/b.py": "P = 'a.pt'\n"}, "path:a.pt:exact"},
		"the other module's folder":     {map[string]string{"app.py": load + "from lib.conf import P\ntorch.load(P)\n", "lib/conf.py": "from pathlib import Path\nP = Path(__file__).parent / 'a.pt'\n"}, "path:ROOT/lib/a.pt:exact"},
		"a caller in another file":      {map[string]string{"app.py": load + "def read(p):\n    return torch.load(p)\n", "main.py": "from app import read\nread('a.pt')\n"}, "path:a.pt:guess"},
		"an instance in another file":   {map[string]string{"app.py": load + "class M:\n    def __init__(self, p):\n        self.p = p\n    def go(self):\n        torch.load(self.p)\n", "main.py": "import app\napp.M('a.pt').go()\n"}, "path:a.pt:guess"},
		"a namesake is no caller":       {map[string]string{"app.py": load + "def read(p):\n    return torch.load(p)\n", "main.py": "from other import read\nread('a.pt')\n", "other.py": "def read(p): pass\n"}, "?"},
		"a function's result":           {map[string]string{"app.py": load + "from paths import where\ntorch.load(where('a'))\n", "paths.py": "def where(n):\n    return f'm/{n}.pt'\n"}, "path:m/a.pt:exact"},
		"modules that import in a ring": {map[string]string{"app.py": load + "from b import X\ntorch.load(X)\n", "b.py": "from app import X\n"}, "?"},
		"a subclass in another file": {map[string]string{"app.py": load + "class Base:\n    name = None\n    def __init__(self, p):\n        torch.load(p)\n    def go(self):\n        torch.load(self.name)\n",
			"main.py": "from app import Base\nclass Sub(Base):\n    name = 'n.pt'\n    def __init__(self):\n        super().__init__('a.pt')\n"}, "path:a.pt:guess path:n.pt:guess"},
		"an instance of a subclass": {map[string]string{"app.py": load + "class Base:\n    def __init__(self, p):\n        torch.load(p)\n",
			"main.py": "import app\nclass Sub(app.Base[int], metaclass=M): pass\nSub('a.pt')\n"}, "path:a.pt:guess"},
		"a subclass of a namesake": {map[string]string{"app.py": load + "class Base:\n    def __init__(self, p):\n        torch.load(p)\n",
			"main.py": "from other import Base\nclass Sub(Base):\n    def __init__(self):\n        super().__init__('a.pt')\n", "other.py": "class Base: pass\n"}, "?"},
		"a class that YAML files make": {map[string]string{"m/net.py": "", "app.py": load + "class Net:\n    def __init__(self, p=None, q=''):\n        torch.load(p)\n        torch.load(q)\n",
			"conf/a.yaml": "model:\n  _target_: app.Net\n  p: a.pt\n", "conf/b.yaml": "- target: app.Net\n  params: {p: b.pt, q: q.pt}\n- class_path: app.Net\n  init_args: {p: c.pt}\n- target: m.net.Net\n  params: {p: d.pt}\n"},
			"path:a.pt:guess path:b.pt:guess path:c.pt:guess path:q.pt:guess"},
		"a package without __init__": {map[string]string{"x/lib/pkg/a.py": load + "from pkg.sub.b import P\ntorch.load(P)\n", "x/lib/pkg/sub/b.py": "P = 'a.pt'\n"}, "path:a.pt:exact"},
		"the src layout":             {map[string]string{"app.py": load + "from pkg.conf import P\ntorch.load(P)\n", "src/pkg/__init__.py": "", "src/pkg/conf.py": "P = 'a.pt'\n"}, "path:a.pt:exact"},
	} {
		file := "app.py"
		for _, other := range []string{"pkg/a.py", "x/lib/pkg/a.py"} {
			if _, ok := c.files[other]; ok {
				file = other
			}
		}
		if got := refs(t, c.files, file); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestVersions(t *testing.T) {
	for name, c := range map[string]struct{ file, text, low, high string }{
		"pinned":       {"requirements.txt", "numpy\ntorch==2.5.1  # cpu\n", "2.5.1", "2.5.2"},
		"range":        {"requirements.txt", "torch[x] >= 2.6, < 3\n", "2.6", "3"},
		"compatible":   {"requirements.txt", "Torch~=2.4.0\n", "2.4.0", "2.5"},
		"wildcard":     {"requirements.txt", "torch==2.4.*\n", "2.4", "2.5"},
		"pyproject":    {"pyproject.toml", "[project]\ndependencies = [\n  \"numpy>=1\",\n  \"torch>=2.10\",\n]\n", "2.10", ""},
		"one line":     {"pyproject.toml", "[project]\ndependencies = [\"numpy>=1\", \"torch>=2.10\"]\n", "2.10", ""},
		"lock":         {"uv.lock", "[[package]]\nname = \"torch\"\nversion = \"2.3.0\"\n", "2.3.0", "2.3.1"},
		"another name": {"requirements.txt", "torchvision==0.1\n", "", ""},
		"no version":   {"requirements.txt", "torch\n", "", ""},
		"in a comment": {"requirements.txt", "# torch==1.0\n", "", ""},
		"hostile":      {"requirements.txt", strings.Repeat("torch==", 10_000), "", ""},
	} {
		got := New([]string{tree(t, map[string]string{c.file: c.text})}, analyzers.Native).At("x.py").Version("torch")
		if got.Low != c.low || got.High != c.high {
			t.Errorf("%s: %+v, want %q to %q", name, got, c.low, c.high)
		}
	}
}

func TestFiles(t *testing.T) {
	root := tree(t, map[string]string{"a.py": "", "b.txt": "", "n.ipynb": "{}", ".git/HEAD": "", ".gitignore": "*.gen.py\n!keep.gen.py\n/build\nsub/**/x.py\n",
		"m.gen.py": "", "keep.gen.py": "", "build/c.py": "", "sub/build/d.py": "", "sub/deep/x.py": "", "venv/e.py": "", "__pycache__/f.py": "", "sub/.gitignore": "g.py", "sub/g.py": "", "g.py": ""})
	got, problems := Files([]string{root}, Filter{})
	var names []string
	for _, p := range got {
		rel, _ := filepath.Rel(root, p)
		names = append(names, filepath.ToSlash(rel))
	}
	want := []string{"a.py", "g.py", "keep.gen.py", "n.ipynb", "sub/build/d.py"}
	if !slices.Equal(names, want) || len(problems) != 0 {
		t.Errorf("got %v %v, want %v", names, problems, want)
	}
	if _, problems := Files([]string{filepath.Join(root, "none")}, Filter{}); len(problems) != 1 {
		t.Errorf("a missing path: %v", problems)
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{{"tests/", "tests/a/b.py", true}, {"*.py", "x/a.py", true}, {"/a.py", "x/a.py", false}, {"x/*.py", "x/a.py", true}, {"x/*.py", "x/y/a.py", false}, {"**/y/*.py", "x/y/a.py", true}} {
		if got := Matches(c.pattern, c.name); got != c.want {
			t.Errorf("%q %q: %v", c.pattern, c.name, got)
		}
	}
}

func TestReplaceRefusesAChangedFile(t *testing.T) {
	path := filepath.Join(tree(t, map[string]string{"a.py": "now"}), "a.py")
	if err := Replace(path, []byte("before"), []byte("new")); err == nil {
		t.Error("no error")
	}
	if err := Replace(path, []byte("now"), []byte("new")); err != nil {
		t.Error(err)
	}
	if text, err := Read(path); err != nil || string(text) != "new" {
		t.Errorf("%q %v", text, err)
	}
}
