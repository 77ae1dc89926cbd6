package pyparse

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// comparable leaves out what the two parsers see in different ways: the inside of types, and the span of a
// module.
func comparable(nodes []Node) []Node {
	out := []Node{}
	for i := 1; i < len(nodes); i++ {
		n := nodes[i]
		if n.Kind == Type {
			i = int(n.Next) - 1
		}
		n.Next = 0
		out = append(out, n)
	}
	return out
}

// difference tells where Parse sees a source differently from tree-sitter's grammar; "" when it does not, or
// when the grammar is known to be wrong, or finds the source broken.
func difference(src []byte) string {
	want := Native.read(src)
	for _, n := range want.Nodes {
		if n.Kind == Error || n.Missing() || n.Kind == ListSplat && n.Field != NoField && n.Field != FieldSubscript {
			return "" // the last: of *a.b the grammar makes (*a).b
		}
	}
	got := Parse(src, Native)
	if i := slices.IndexFunc(got.pieces, func(p piece) bool { return p.broken }); i >= 0 {
		return fmt.Sprintf("is broken: %.300q", src[got.pieces[i].at:])
	}
	a, b := comparable(got.Nodes), comparable(want.Nodes)
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return "is read as" + show(src, a, i) + "\n  the grammar has" + show(src, b, i)
		}
	}
	return ""
}

func show(src []byte, nodes []Node, at int) string {
	var s strings.Builder
	for j := max(0, at-2); j < min(at+4, len(nodes)); j++ {
		n := nodes[j]
		fmt.Fprintf(&s, "\n    %s field %d %d-%d %.60q", n.Kind, n.Field, n.Start, n.End, src[n.Start:n.End])
	}
	return s.String()
}

// What both parsers read they read alike. With ST_SOURCES the sources below that folder are compared too.
func TestSameAsGrammar(t *testing.T) {
	src, err := os.ReadFile("testdata/syntax.py")
	if err != nil {
		t.Fatal(err)
	}
	if diff := difference(src); diff != "" {
		t.Errorf("testdata/syntax.py: %s", diff)
	}
	dir := os.Getenv("ST_SOURCES")
	if dir == "" {
		return
	}
	eachSource(t, dir, func(path string, src []byte) {
		if diff := difference(src); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	})
}

func eachSource(t *testing.T, dir string, f func(path string, src []byte)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".py" {
			return err
		}
		src, err := os.ReadFile(path)
		if err == nil {
			f(path, src)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// alike fails where the grammars read a source differently, whole or statement by statement.
func alike(t *testing.T, src []byte) {
	t.Helper()
	a, b := Native.read(src), Confined.read(src)
	if a.Failed || b.Failed || !slices.Equal(a.Nodes, b.Nodes) {
		t.Errorf("the grammars differ on %.300q", src)
	}
	if a, b := Parse(src, Native), Parse(src, Confined); !slices.Equal(a.Nodes, b.Nodes) || a.Whole() != b.Whole() {
		t.Errorf("with the two grammars %.300q is read differently", src)
	}
}

// The grammars give the same trees of what is Python, and of what is left of it when bytes are lost or doubled. With
// ST_SOURCES the sources below that folder are looked at too.
func TestGrammarsAreAlike(t *testing.T) {
	if Native == Confined {
		t.Skip("there is one grammar in a build without cgo")
	}
	whole, err := os.ReadFile("testdata/syntax.py")
	if err != nil {
		t.Fatal(err)
	}
	alike(t, whole)
	for seed := range 150 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 9))
		from := rnd.IntN(len(whole))
		src := slices.Clone(whole[from:min(len(whole), from+rnd.IntN(4000))])
		for range 1 + rnd.IntN(6) {
			at := rnd.IntN(len(src) + 1)
			to := min(len(src), at+rnd.IntN(9))
			if rnd.IntN(2) == 0 {
				src = slices.Delete(src, at, to)
			} else {
				src = slices.Concat(src[:to], src[at:])
			}
		}
		alike(t, src)
	}
	if dir := os.Getenv("ST_SOURCES"); dir != "" {
		eachSource(t, dir, func(_ string, src []byte) { alike(t, src) })
	}
}

func FuzzParse(f *testing.F) {
	src, err := os.ReadFile("testdata/syntax.py")
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range strings.SplitAfter(string(src), "\n") {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if !wellFormed(Parse(src, Native).Nodes, len(src)) {
			t.Errorf("no tree of %q", src)
		}
		alike(t, src)
	})
}

// A statement that is broken takes nothing with it but itself.
func TestBrokenStatements(t *testing.T) {
	whole := "import a\n\n\ndef f():\n    \"\"\"Doc.\"\"\"\n    return a.b(1)\n\n\nclass C:\n    '''Doc.'''\n    x = [\n        1,\n    ]\n\n\nlast = f()\n"
	for _, broken := range []string{"x = (", "def f(", "y = 'abc", "z = '''", "if x", "$", "x = )", "class", "    )", "print 'x'", "\\", "f'{", "@x"} {
		for at := range strings.SplitAfter(whole, "\n") {
			lines := strings.SplitAfter(whole, "\n")
			lines[at] = broken + "\n" + lines[at]
			src := []byte(strings.Join(lines, ""))
			nodes := Parse(src, Native).Nodes
			if !wellFormed(nodes, len(src)) {
				t.Fatalf("no tree of %q", src)
			}
			alike(t, src)
			if at == 0 || at > 13 || at == 8 || broken == "@x" || strings.Contains(broken, "'") {
				continue
			}
			found := false
			for _, n := range nodes {
				found = found || n.Kind == Assignment && string(src[n.Start:n.End]) == "last = f()"
			}
			if !found {
				t.Errorf("%q at line %d hides the last line", broken, at)
			}
		}
	}
}

// After any edits Again says what Parse says.
func TestAgain(t *testing.T) {
	whole, err := os.ReadFile("testdata/syntax.py")
	if err != nil {
		t.Fatal(err)
	}
	inserted := []string{"", "", "x", " ", "\n", "\n    ", "(", ")", "\"", "'", "\"\"\"", "'''", "#", ":", "f(\"y\")", "\r\n", "\r", "é", "def f():\n    return 1\n",
		",", "\\", "[", "}", "if x:\n", "else:\n", "match ", "with (", "@", "    ", "f'{", "\ufeff", "async "}
	for seed := range 12 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 4))
		from := rnd.IntN(len(whole) / 2)
		src := slices.Clone(whole[from : from+rnd.IntN(len(whole)-from)])
		old := Parse(src, Native)
		for range 30 {
			before := src
			for range 1 + rnd.IntN(2) {
				at := rnd.IntN(len(src) + 1)
				to := min(len(src), at+rnd.IntN(6))
				src = slices.Concat(src[:at], []byte(inserted[rnd.IntN(len(inserted))]), src[to:])
			}
			if rnd.IntN(12) == 0 {
				src = slices.Clone(whole)
			}
			g := []*Grammar{Native, Confined}[rnd.IntN(2)] // trust comes and goes
			got, want := Again(src, before, old, g), Parse(src, Native)
			if !slices.Equal(got.Nodes, want.Nodes) || got.Whole() != want.Whole() {
				t.Fatalf("seed %d: from\n%q\nto\n%q", seed, before, src)
			}
			old = got
		}
	}
}
