package analyzers

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// sound fails when a span of what was found lies outside of the source or inside a character.
func sound(t interface{ Fatalf(string, ...any) }, src []byte) *Linked {
	linked := Link(Summarise(src, Native), Options{})
	check := func(s Span) {
		if s.Start < 0 || s.End > len(src) || s.Start > s.End {
			t.Fatalf("span %v of %d bytes", s, len(src))
		}
		for _, at := range []int{s.Start, s.End} {
			if utf8.Valid(src) && at < len(src) && !utf8.RuneStart(src[at]) {
				t.Fatalf("offset %d is inside a character of %q", at, src)
			}
		}
	}
	fixes := func(fs []Fix) {
		for _, f := range fs {
			last := 0
			for _, e := range f.Edits {
				check(e.Span)
				if e.Span.Start < last {
					t.Fatalf("edits of %q are not in order: %v", f.Title, f.Edits)
				}
				last = e.Span.End
			}
		}
	}
	for _, c := range linked.Calls {
		check(c.Span)
		check(c.FuncSpan)
		fixes(c.Fixes)
		for _, r := range c.Refs {
			if strings.ContainsAny(r.Value+r.File, hole+fromSource) {
				t.Fatalf("a mark is left in %+v", r)
			}
		}
	}
	for _, d := range linked.Diagnostics {
		check(d.Span)
		fixes(d.Fixes)
	}
	return linked
}

func FuzzLink(f *testing.F) {
	for _, src := range snippets(f) {
		f.Add([]byte(src))
	}
	f.Add([]byte("x = x + x\nimport torch\ntorch.load(x)\n"))
	f.Add([]byte("import torch\ndef f(a):\n  return f(a)\ntorch.load(f(f))\n"))
	f.Add([]byte("# coding: shift_jis\nimport torch\ntorch.load('\x83\x5c.pt')\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		sound(t, src)
		SkimSource(src, nil)
		if nb, err := ReadNotebook(src); err == nil {
			sound(t, nb.Source)
		}
	})
}

func snippets(t testing.TB) []string {
	paths, err := filepath.Glob("../internal/rule/catalog/ST1*.md")
	if err != nil || len(paths) == 0 {
		t.Fatal("no pages", err)
	}
	var out []string
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pythonBlocks(string(text))...)
	}
	return out
}

// rapid's examples are the same in every run; -rapid.seed and -rapid.checks look for others.
var _ = flag.Set("rapid.seed", "1")

// TestAnySource cuts and joins real snippets: whatever comes out is linked without harm.
func TestAnySource(t *testing.T) {
	all := snippets(t)
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(1, 6).Draw(t, "pieces") {
			s := rapid.SampledFrom(all).Draw(t, "snippet")
			from := rapid.IntRange(0, len(s)-1).Draw(t, "from")
			to := rapid.IntRange(from, len(s)).Draw(t, "to")
			b.WriteString(s[from:to])
			b.WriteString(rapid.SampledFrom([]string{"", "\n", "(", ")", "'''", "\"", "\\", "\r\n", "\x00", "é", "\xff", "    ", "lambda: ", "[x for x in "}).Draw(t, "glue"))
		}
		sound(t, []byte(b.String()))
	})
}

// TestHostileSources are sources made to exhaust a stack, memory or time.
func TestHostileSources(t *testing.T) {
	head := "import torch\ntorch.load('a.pt')\n"
	for name, src := range map[string]string{
		"brackets":       head + "x = " + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "\n",
		"open brackets":  head + strings.Repeat("(", 100_000),
		"attributes":     head + "x" + strings.Repeat(".y", 100_000) + "\n",
		"calls":          head + "x" + strings.Repeat("()", 100_000) + "\n",
		"sum":            head + "torch.load('a'" + strings.Repeat("+'a'", 50_000) + ")\n",
		"nested loads":   "import torch\n" + strings.Repeat("torch.load(", 2000) + strings.Repeat(")", 2000) + "\n",
		"comprehensions": head + strings.Repeat("[x for x in ", 2000) + "y" + strings.Repeat("]", 2000) + "\n",
		"rebound":        head + strings.Repeat("p = p + '/x'\n", 20_000) + "torch.load(p)\n",
		"branches":       head + strings.Repeat("if a:\n  p = 'b'\n", 5_000) + "torch.load(p)\n",
		"cycle":          head + "def f(a): return g(a)\ndef g(a): return f(a)\ntorch.load(f(1))\n",
		"set attributes": "import torch\ndef f(x, c):\n" + strings.Repeat("    if c:\n        x.a = x.a\n", 5_000) + strings.Repeat("    torch.load(x.a)\n", 200),
		"one line":       head + "x = '" + strings.Repeat("a", 10<<20) + "'\n",
		"long":           head + strings.Repeat("value = compute(value, 1, name='x')\n", 60_000),
		"nul":            head + "x = '\x00'\n\x00\x00",
		"lambdas":        head + "x = " + strings.Repeat("lambda a=", 3000) + "1" + strings.Repeat(": 1", 3000) + "\n",
		"indents":        head + deep(80) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			linked := sound(t, []byte(src))
			if len(linked.Calls) == 0 {
				t.Error("the load call at the top was not found")
			}
		})
	}
}

// deep is n blocks inside one another.
func deep(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "if x:\n")
	}
	return b.String() + strings.Repeat(" ", n) + "pass"
}

// A name that is set anew in one branch after another has twice as many meanings with each: their number has to be
// bounded, or this never ends.
func TestManyBranches(t *testing.T) {
	src := "import torch\nx = y = torch\n" + strings.Repeat("if a:\n    x = x.view(1)\nif b:\n    x = x.flip(0)\n", 40) + "x.load('a.pt')\ntorch.load('b.pt')\n"
	calls := Link(Summarise([]byte(src), Native), Options{}).Calls
	if len(calls) == 0 || calls[len(calls)-1].Loader != "torch.load" {
		t.Errorf("got %v", calls)
	}
}

func TestEncodings(t *testing.T) {
	call := "import torch\ntorch.load('a.pt')\n"
	for name, src := range map[string][]byte{
		"bom":       []byte("\xef\xbb\xbf" + call),
		"crlf":      []byte(strings.ReplaceAll(call, "\n", "\r\n")),
		"cr":        []byte(strings.ReplaceAll(call, "\n", "\r")),
		"latin-1":   []byte("# -*- coding: latin-1 -*-\nx = 'caf\xe9'\n" + call),
		"shift_jis": []byte("# coding: shift_jis\nx = '\x83\x5c'\n" + call),
		"gbk":       []byte("#!/usr/bin/python\n# vim: set fileencoding=gbk :\nx = '\x81\x5c'\n" + call),
		"no utf-8":  []byte("# \xff\xfe\n" + call),
		"form feed": []byte("\f\n" + call),
	} {
		if calls := sound(t, src).Calls; len(calls) != 1 || len(calls[0].Refs) != 1 || calls[0].Refs[0].Value != "a.pt" {
			t.Errorf("%s: %+v", name, calls)
		}
	}
}

// TestWhileTyping inserts one unfinished line into a module of many functions, at every place where one
// may be typing: nearly all of its load calls are still found.
func TestWhileTyping(t *testing.T) {
	var b strings.Builder
	b.WriteString("import os\nimport torch\nfrom transformers import AutoModel\n\n\n")
	const functions = 60
	for i := range functions {
		fmt.Fprintf(&b, "def load_%d(path, device=\"cpu\"):\n    \"\"\"Loads part %d.\"\"\"\n    if not os.path.exists(path):\n        raise FileNotFoundError(path)\n", i, i)
		fmt.Fprintf(&b, "    state = torch.load(os.path.join(path, \"part_%d.pt\"), map_location=device)\n    model = AutoModel.from_pretrained(path)\n    model.load_state_dict(state)\n    return model\n\n\n", i)
	}
	lines := strings.SplitAfter(b.String(), "\n")
	total, found := 0, 0
	for _, broken := range []string{"x = torch.load(", "foo(bar, ", "if x", "def f(", "y = \"abc", "z = {'a': ", "with open(", "class", "import"} {
		for at := 14; at < len(lines)-10; at += 97 {
			indent := lines[at][:len(lines[at])-len(strings.TrimLeft(lines[at], " "))]
			src := strings.Join(lines[:at], "") + indent + broken + "\n" + strings.Join(lines[at:], "")
			starts := map[string]int{}
			for _, c := range Link(Summarise([]byte(src), Native), Options{}).Calls {
				starts[c.Loader]++
			}
			total += 2 * functions
			found += min(starts["torch.load"], functions) + min(starts["from_pretrained"], functions)
		}
	}
	t.Logf("%d of %d calls found", found, total)
	if found*100 < total*98 {
		t.Errorf("%d of %d calls found while a line is typed", found, total)
	}
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"2.10", "2.6", 1}, {"2.6.0", "2.6", 0}, {"2.6.0+cu118", "2.6", 0}, {"1.13", "2.0rc1", -1}, {"", "0", 0}} {
		got := CompareVersions(c.a, c.b)
		if got > 0 && c.want <= 0 || got < 0 && c.want >= 0 || got == 0 && c.want != 0 {
			t.Errorf("%q against %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// pinned is a workspace that knows nothing but torch's version.
type pinned struct{ Constraint }

func (pinned) Module(*Summary, string) (Module, bool)        { return Module{}, false }
func (pinned) Callers(*Summary, string, bool) []Site         { return nil }
func (pinned) Targets(*Summary, string) []Site               { return nil }
func (pinned) Subclasses(*Summary, string) []Site            { return nil }
func (pinned) Config(*Summary, string, bool) (Module, bool)  { return Module{}, false }
func (pinned) Compose(*Summary, string, bool) (Module, bool) { return Module{}, false }

func (pinned) Settings(*Summary, string) []Module { return nil }

func (pinned) CommandLines(*Summary) []Module { return nil }

func (pinned) PassesOn(string) bool { return false }

func (p pinned) Version(string) Constraint { return p.Constraint }

func TestTorchVersionDecides(t *testing.T) {
	src := "import torch\ntorch.load('a.pt')\ntorch.load('a.pt', weights_only=True)\n"
	for _, c := range []struct {
		low, high, want string
	}{
		{"", "", "[2 ST101]"},
		{"2.10", "", "[]"},
		{"2.6", "2.7", "[2 ST126 3 ST126]"},
		{"2.5", "2.6", "[2 ST101 3 ST126]"},
		{"2.0", "", "[2 ST101]"},
	} {
		got := fmt.Sprint(judge(src, Options{Workspace: pinned{Constraint{"torch", c.low, c.high}}}))
		if got != c.want {
			t.Errorf("torch from %q to before %q: %s, want %s", c.low, c.high, got, c.want)
		}
	}
}

func TestNotebook(t *testing.T) {
	nb, err := ReadNotebook([]byte(`{"cells":[{"cell_type":"code","source":["%%bash\n","torch.load(1)"]},{"cell_type":"markdown","source":"a"},
		{"cell_type":"code","source":"!ls\nimport torch\n  %time x\ntorch.load('a.pt')"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := "#%bash\n#orch.load(1)\n#ls\nimport torch\n  0    ;x\ntorch.load('a.pt')\n"
	if string(nb.Source) != want || len(nb.Starts) != 2 || nb.Cells[1] != 3 || !bytes.HasPrefix(nb.Source[nb.Starts[1]:], []byte("#ls")) {
		t.Errorf("%q %v %v", nb.Source, nb.Starts, nb.Cells)
	}
	for _, bad := range []string{"", "{", "[]", `{"cells":3}`, `{"cells":[{"cell_type":"code","source":3}]}`, `{"worksheets":[{}]}`} {
		if _, err := ReadNotebook([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}
