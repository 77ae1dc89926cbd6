package analyzers

import "github.com/secure-torch/secure-torch/analyzers/pyparse"

// Whole says whether Python itself would parse the source, as far as that is known.
func (s *Summary) Whole() bool { return s.tree.Whole() }

// Broken is the first place that is no Python, and whether there is one.
func (s *Summary) Broken() (Span, bool) {
	for i, n := range s.tree.Nodes {
		if n.Kind == pyparse.Error || n.Missing() {
			return s.span(node(i)), true
		}
	}
	return Span{}, false
}
