package analyzers

import (
	"sync"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
)

// Summary is one Python file looked at alone. It does not change once made and may be shared.
type Summary struct {
	src     []byte // as given
	text    string // as parsed: src with the bytes masked that would mislead the parser, of the same length
	tree    pyparse.Tree
	grammar *Grammar // reads what is in its strings too
	parent  []int32  // of every node; -1 for the root
	scope   []int32  // the scope that a name in this node is looked up in
	scopes  []scope
	opened  map[node]int32 // the scope that a node opens
	binds   []binding
	stars   []string // modules imported with *
	ones    []int32  // what scope.names is made of
	calls   []node
	named   func() map[string][]node // the calls by the last part of the callee's name
	attrs   map[string][]node        // assignments to attributes, by the attribute's name
	// entries are assignments to items of a name, by that name.
	entries map[string][]node
}

// Grammar reads statements that are no Python, in C code: Native in this process, Confined in a memory of its own,
// which is slower.
type Grammar = pyparse.Grammar

// The grammars. Only a source that the user trusts is read with Native.
var (
	Native   = pyparse.Native
	Confined = pyparse.Confined
)

// node is an index into the tree. none stands for "no such node".
type node = int32

const none node = -1

// Summarise reads one source. It never fails: what could not be understood is absent. The summary is the same with
// either grammar.
func Summarise(src []byte, g *Grammar) *Summary {
	text := Readable(src)
	return summarise(src, text, pyparse.Parse(text, g), g)
}

func summarise(src, text []byte, tree pyparse.Tree, g *Grammar) *Summary {
	s := &Summary{src: src, text: string(text), tree: tree, grammar: g, opened: map[node]int32{}, attrs: map[string][]node{}, entries: map[string][]node{}}
	s.parents()
	s.bind()
	s.named = sync.OnceValue(s.nameCalls)
	return s
}

// callsOf are the calls of something whose name ends in the given part.
func (s *Summary) callsOf(name string) []node { return s.named()[name] }

func (s *Summary) nameCalls() map[string][]node {
	out := make(map[string][]node, len(s.calls)/2)
	for _, n := range s.calls {
		if name := s.lastName(s.field(n, pyparse.FieldFunction)); name != "" {
			out[name] = append(out[name], n)
		}
	}
	return out
}

// Source is the bytes that were summarised.
func (s *Summary) Source() []byte { return s.src }

// Failed is true when the source was too large, or took too long, to be parsed at all.
func (s *Summary) Failed() bool { return s.tree.Failed }

func (s *Summary) parents() {
	nodes := s.tree.Nodes
	s.parent = make([]int32, len(nodes))
	var open []node
	for i := range nodes {
		for len(open) > 0 && nodes[open[len(open)-1]].Next <= uint32(i) {
			open = open[:len(open)-1]
		}
		s.parent[i] = none
		if len(open) > 0 {
			s.parent[i] = open[len(open)-1]
		}
		if nodes[i].Next > uint32(i)+1 {
			open = append(open, node(i))
		}
	}
}

func (s *Summary) kind(n node) pyparse.Kind {
	if n < 0 {
		return pyparse.Other
	}
	return s.tree.Nodes[n].Kind
}

func (s *Summary) span(n node) Span {
	return Span{int(s.tree.Nodes[n].Start), int(s.tree.Nodes[n].End)}
}

// code is the node's source text. It keeps the whole source in memory: what outlives the summary is copied.
func (s *Summary) code(n node) string {
	if n < 0 {
		return ""
	}
	at := s.tree.Nodes[n]
	return s.text[at.Start:at.End]
}

// children calls yield for every direct child.
func (s *Summary) children(n node) func(yield func(node) bool) {
	return func(yield func(node) bool) {
		if n < 0 {
			return
		}
		nodes := s.tree.Nodes
		for c, end := uint32(n)+1, nodes[n].Next; c < end; c = nodes[c].Next {
			if !yield(node(c)) {
				return
			}
		}
	}
}

// field is the first child in the given role.
func (s *Summary) field(n node, f pyparse.Field) node {
	for c := range s.children(n) {
		if s.tree.Nodes[c].Field == f {
			return c
		}
	}
	return none
}

// child is the i-th direct child.
func (s *Summary) child(n node, i int) node {
	for c := range s.children(n) {
		if i == 0 {
			return c
		}
		i--
	}
	return none
}

// first is the first direct child of a kind.
func (s *Summary) first(n node, k pyparse.Kind) node {
	for c := range s.children(n) {
		if s.kind(c) == k {
			return c
		}
	}
	return none
}

// within says whether n is outer or lies inside it.
func (s *Summary) within(n, outer node) bool {
	return n >= outer && uint32(n) < s.tree.Nodes[outer].Next
}

// enclosing is the nearest node around n (n itself excluded) of one of the kinds.
func (s *Summary) enclosing(n node, kinds ...pyparse.Kind) node {
	for p := s.parent[n]; p >= 0; p = s.parent[p] {
		for _, k := range kinds {
			if s.kind(p) == k {
				return p
			}
		}
	}
	return none
}
