package analyzers

import (
	"slices"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
)

// Change is one edit between two versions of a source.
type Change = pyparse.Change

// Point is a place in a source: a line and a byte column, both from 0. Lines end with \n alone.
type Point = pyparse.Point

// Document summarises a source that is being edited. It is not safe for concurrent use.
type Document struct {
	parser *pyparse.Document
	whole  bool // what the parser holds is the syntax of the version before, without any error
}

// NewDocument returns a Document that has not seen any version.
func NewDocument() *Document { return &Document{parser: pyparse.NewDocument()} }

// Summarise is like the function of that name, but costs less when src differs little from the source of
// the call before. The changes lead from that one to src, in order; with all they must be. A source with a
// syntax error is parsed whole: how a parser mends an error may depend on what it saw before, and a result
// must depend on the source alone.
func (d *Document) Summarise(src []byte, changes []Change) *Summary {
	text := Readable(src)
	if d.whole && sameBytes(text, src) {
		if tree := d.parser.Parse(text, changes); !broken(tree) {
			return summarise(src, text, tree)
		}
	}
	d.parser.Forget()
	tree := d.parser.Parse(text, nil)
	d.whole = sameBytes(text, src) && !broken(tree)
	return summarise(src, text, tree)
}

func sameBytes(a, b []byte) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

func broken(t pyparse.Tree) bool {
	return t.Failed || slices.ContainsFunc(t.Nodes, func(n pyparse.Node) bool { return n.Kind == pyparse.Error || n.Missing() })
}
