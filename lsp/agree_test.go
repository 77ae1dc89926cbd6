package lsp

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/workspace"
)

// agreeing is a folder in which files import one another, say a version, and ask for silence.
var agreeing = map[string]string{
	"evil.pt":          "x",
	"requirements.txt": "torch==2.5.1\n",
	"paths.py":         "WEIGHTS = 'evil.pt'\nSAFE = True\n",
	"imports.py":       "import torch\nfrom paths import WEIGHTS\ntorch.load(WEIGHTS)\n",
	"helper.py":        "import torch\n\ndef read_weights(path):\n    return torch.load(path)\n",
	"caller.py":        "from helper import read_weights\nread_weights('evil.pt')\n",
	"plain.py":         "import torch\ntorch.load('evil.pt', weights_only=True)\ntorch.load('none.pt')\n",
	"quiet.py": "import torch\ntorch.load('none.pt')  # secure-torch: ignore[ST101, ST190] ours\n" +
		"torch.load('evil.pt')  # secure-torch: ignore[ST201]\nx = 1  # secure-torch: ignore[ST101] nothing here\n" +
		"y = 1  # secure-torch: ignore[no-such-rule] why\n",
	"broken.py":     "import torch\ntorch.load('evil.pt'\n",
	"unrelated.py":  "def f(:\n    return 1\n",
	"pkg/inner.py":  "import torch, pickle\nfrom paths import WEIGHTS\nwith open(WEIGHTS, 'rb') as f:\n    pickle.load(f)\n",
	"é/ünicode.py":  "import torch\n'🚀'; torch.load('evil.pt')\n",
	"wrapped.py":    "from mylib import load_checkpoint\nload_checkpoint('evil.pt')\n",
	"configured.py": "import torch\ntorch.load('none.pt')\n",
	"secure-torch.toml": "[[ignore]]\nrule = 'ST101'\npath = 'configured.py'\nreason = 'ours'\n" +
		"[[ignore]]\npath = 'plain.py'\nrule = 'ST190'\nreason = 'made later'\n[sinks]\n'mylib.load_checkpoint' = 'path'\n",
}

// The editor and the command line say the same of the same folder.
func TestEditorAndCommandLineAgree(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		t.Run(fmt.Sprint("trusted ", trusted), func(t *testing.T) {
			e, sc, uriOf := real(t, agreeing)
			sc.set("evil.pt", evilCall)
			e.options = obj{"trusted": trusted}
			e.initialize(full("utf-16"))
			dir := strings.TrimPrefix(e.root, "file://")
			want := commandLine(t, dir, sc, trusted)
			all := 0
			for _, name := range slices.Sorted(maps.Keys(agreeing)) {
				if filepath.Ext(name) != ".py" {
					continue
				}
				all += len(want[name])
				e.open(uriOf(name), 1, agreeing[name])
				var got []string
				settle(e, uriOf(name), func(d []shownDiag) bool {
					got = lines(d)
					return slices.Equal(got, want[name])
				}, func() { t.Errorf("%s (-command line +editor):\n%s", name, cmp.Diff(want[name], got)) })
			}
			if all < 12 {
				t.Errorf("only %d diagnostics: %v", all, want)
			}
		})
	}
}

// settle waits for diagnostics as latest does, and says what is wrong before it gives up.
func settle(e *editor, uri string, ok func([]shownDiag) bool, wrong func()) {
	e.t.Helper()
	good := false
	defer func() {
		if !good {
			wrong()
		}
	}()
	e.latest(uri, 1, ok)
	good = true
}

func lines(shown []shownDiag) []string {
	out := []string{}
	for _, d := range shown {
		out = append(out, fmt.Sprintf("%d:%d %s %s", d.Range.Start.Line+1, d.Range.Start.Character+1, d.Code, d.Message))
	}
	slices.Sort(out)
	return out
}

// commandLine is what `secure-torch check` reports, by the files' names in dir.
func commandLine(t *testing.T, dir string, sc check.Scanner, trusted bool) map[string][]string {
	t.Helper()
	paths, problems := workspace.Files([]string{dir}, workspace.Filter{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var inputs []check.Input
	for _, p := range paths {
		inputs = append(inputs, check.Input{Path: p})
	}
	ws := workspace.New([]string{dir}, analyzers.Native)
	r := newRoot(dir, trusted)
	out := map[string][]string{}
	for _, f := range check.New(check.Options{WorkDir: dir, Workspace: ws.At, Sinks: check.Sinks(r.settings())}).Run(context.Background(), inputs, ws, sc, trusted).Files {
		rel, err := filepath.Rel(dir, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.ToSlash(rel)
		m := newMapper(f.Source, "utf-16")
		out[name] = []string{}
		for _, d := range f.Diagnostics {
			if _, silenced := check.Silenced(r.settings(), d, f.Path); !silenced {
				p := m.position(d.Span.Start)
				out[name] = append(out[name], fmt.Sprintf("%d:%d %s %s", p.Line+1, p.Character+1, d.Rule, visible(d.Message)))
			}
		}
		slices.Sort(out[name])
	}
	return out
}

// What lies outside of a folder that is not trusted is not read, by no link either.
func TestUntrustedModules(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		outside := t.TempDir()
		if err := os.WriteFile(filepath.Join(outside, "secret.py"), []byte("NAME = 'evil.pt'\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		e, sc, uriOf := real(t, map[string]string{"evil.pt": "x", "own.py": "NAME = 'evil.pt'\n"})
		sc.set("evil.pt", evilCall)
		dir := strings.TrimPrefix(e.root, "file://")
		if err := os.Symlink(filepath.Join(outside, "secret.py"), filepath.Join(dir, "linked.py")); err != nil {
			t.Skip(err)
		}
		e.options = obj{"trusted": trusted}
		e.initialize(full("utf-16"))
		e.open(uriOf("a.py"), 1, "import torch, own, linked\ntorch.load(own.NAME, weights_only=False)\ntorch.load(linked.NAME, weights_only=False)\n")
		got := e.latest(uriOf("a.py"), 1, coded("ST201"))
		read := slices.ContainsFunc(got, func(d shownDiag) bool { return d.Code == "ST201" && d.Range.Start.Line == 2 })
		if read != trusted {
			t.Errorf("trusted %v: the link's target was read: %v", trusted, read)
		}
	}
}

// An unsaved change of one file counts in another when that is read again.
func TestUnsavedModule(t *testing.T) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x", "m.py": "NAME = 'good.pt'\n"})
	sc.set("evil.pt", evilCall)
	e.initialize(full("utf-16"))
	e.open(uriOf("m.py"), 1, "NAME = 'evil.pt'\n")
	e.latest(uriOf("m.py"), 1, func([]shownDiag) bool { return true })
	e.open(uriOf("a.py"), 1, "import torch, m\ntorch.load(m.NAME)\n")
	e.latest(uriOf("a.py"), 1, coded("ST201"))
}

// The C code reads sources in this process only where the user trusts them, and from then on.
func TestGrammarOfRoots(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	dir := t.TempDir()
	if g := newRoot(dir, true).modules().Grammar(); g != analyzers.Native {
		t.Error("sources of a trusted folder are read in confinement")
	}
	if g := newRoot(dir, false).modules().Grammar(); g != analyzers.Confined {
		t.Error("sources of a folder that is not trusted are read in this process")
	}
	var none *workspace.Workspace
	if none.Grammar() != analyzers.Confined {
		t.Error("a document of no folder is read in this process")
	}
	if err := config.TrustFolder(dir); err != nil {
		t.Fatal(err)
	}
	if g := newRoot(dir, false).modules().Grammar(); g != analyzers.Native {
		t.Error("sources of a folder that came to be trusted are read in confinement")
	}
}
