package analyzers

import "github.com/secure-torch/secure-torch/analyzers/pyparse"

// Document summarises a source that is being edited. It is not safe for concurrent use.
type Document struct {
	text []byte // as parsed last
	tree pyparse.Tree
}

// NewDocument returns a Document that has not seen any version.
func NewDocument() *Document { return &Document{} }

// Summarise is like the function of that name, but costs less when src differs little from the source of
// the call before. The result is the same.
func (d *Document) Summarise(src []byte, g *Grammar) *Summary {
	text := Readable(src)
	d.tree = pyparse.Again(text, d.text, d.tree, g)
	d.text = text
	return summarise(src, text, d.tree, g)
}
