package analyzers

import (
	"unicode/utf8"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
)

// Whole says whether Python itself would parse the source, as far as that is known. Of one that has to be
// decoded first it is not, and one that is not in the encoding that it should be in Python refuses.
func (s *Summary) Whole() bool {
	if _, encoded := Encoded(s.src); encoded || !s.tree.Whole() {
		return false
	}
	return utf8.Valid(s.src) || !isUTF8(Coding(s.src))
}

// Broken is the first place that is no Python, and whether there is one.
func (s *Summary) Broken() (Span, bool) {
	for i, n := range s.tree.Nodes {
		if n.Kind == pyparse.Error || n.Missing() {
			return s.span(node(i)), true
		}
	}
	return Span{}, false
}
