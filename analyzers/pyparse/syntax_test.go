package pyparse

import (
	"os"
	"strings"
	"testing"
)

// What Python reads is read here, without the grammar that mends: one case a paragraph. Most are newer than
// that grammar. Every call of f is found, whatever it stands in.
func TestNewerSyntax(t *testing.T) {
	src, err := os.ReadFile("testdata/newer.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range strings.Split(string(src), "\n\n") {
		tree := Parse([]byte(c), Native)
		if !wellFormed(tree.Nodes, len(c)) {
			t.Errorf("%q: no tree", c)
		}
		calls := 0
		for _, n := range tree.Nodes {
			if n.Kind == Error || n.Missing() {
				t.Errorf("%q: broken at %q", c, c[n.Start:n.End])
			}
			if n.Kind == Call && strings.HasPrefix(c[n.Start:n.End], "f(") {
				calls++
			}
		}
		if want := strings.Count(c, "f("); !tree.Whole() || calls != want {
			t.Errorf("%q: whole: %t, %d of %d calls", c, tree.Whole(), calls, want)
		}
	}
}

// What Python refuses inside the braces of a string takes nothing with it but its statement.
func TestStringEndsInBraces(t *testing.T) {
	for _, broken := range []string{"t'{x:'", "t'{x:'}'", "f'''{x:'''", "f'{x!s:'", "t'{x:{;}}'", "f'{1:d\n}'", "f'{x:\\", "rt'{x:\\N{'"} {
		src := broken + "\n\n\nlast = g()\n"
		if tree := Parse([]byte(src), Native); tree.Whole() {
			t.Errorf("%q is read", broken)
		} else if n := tree.Nodes[len(tree.Nodes)-1]; !strings.HasSuffix(src[:n.End], "g()") {
			t.Errorf("%q hides what follows: the last node is %q", broken, src[n.Start:n.End])
		}
	}
}
