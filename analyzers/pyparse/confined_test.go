package pyparse

import (
	"errors"
	"strings"
	"testing"
)

var broken = []byte("x = load(\n")

// A grammar that was led astray is started anew, and what it says is believed only where it is a tree.
func TestConfinedGoesOn(t *testing.T) {
	want := len(Confined.read(broken).Nodes)
	if with(func(*guest) error { return errors.New("it trapped") }) {
		t.Error("a failure is no success")
	}
	if got := len(Confined.read(broken).Nodes); got != want || want == 0 {
		t.Errorf("%d nodes after a trap, %d before", got, want)
	}
	big := []byte(strings.Repeat("x = f(a, b)\n", 1<<14))
	if Confined.read(big).Failed {
		t.Error("a large source was not read")
	}
	if m, err := theMachine(); err != nil || m.instance != nil {
		t.Error("the memory that a large source took was kept")
	}
	if got := len(Confined.read(broken).Nodes); got != want {
		t.Errorf("%d nodes after a large source, %d before", got, want)
	}
}

func TestWellFormed(t *testing.T) {
	leaf := func(start, end, next uint32) Node { return Node{Start: start, End: end, Next: next} }
	for name, c := range map[string]struct {
		nodes []Node
		want  bool
	}{
		"nothing":           {nil, true},
		"a tree":            {[]Node{leaf(0, 9, 3), leaf(0, 3, 2), leaf(4, 9, 3)}, true},
		"behind the source": {[]Node{leaf(0, 11, 1)}, false},
		"backwards":         {[]Node{leaf(3, 2, 1)}, false},
		"a circle":          {[]Node{leaf(0, 9, 2), leaf(0, 3, 1)}, false},
		"behind the nodes":  {[]Node{leaf(0, 9, 2)}, false},
		"out of its parent": {[]Node{leaf(0, 5, 2), leaf(0, 9, 2)}, false},
		"longer than it":    {[]Node{leaf(0, 9, 3), leaf(0, 3, 2), leaf(0, 1, 4), leaf(0, 1, 4)}, false},
	} {
		if got := wellFormed(c.nodes, 10); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
