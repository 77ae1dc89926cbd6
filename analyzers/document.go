package analyzers

import "github.com/secure-torch/secure-torch/analyzers/pyparse"

// Change is one edit between two versions of a source.
type Change = pyparse.Change

// Point is a place in a source: a line and a byte column, both from 0. Lines end with \n alone.
type Point = pyparse.Point

// Document summarises a source that is being edited. It is not safe for concurrent use.
type Document struct{}

// NewDocument returns a Document that has not seen any version.
func NewDocument() *Document { return &Document{} }

// Summarise is like the function of that name.
func (d *Document) Summarise(src []byte, changes []Change) *Summary { return Summarise(src) }
