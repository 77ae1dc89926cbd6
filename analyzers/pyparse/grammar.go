package pyparse

import "sync"

// Grammar is tree-sitter's grammar of Python, which reads what is no Python. There are two, made of the same C code,
// and they give the same trees.
type Grammar struct {
	parse  func(src []byte) Tree
	tables func() *tables
}

// newGrammar makes a grammar of its functions. Kinds and fields have numbers of its own, which are asked for by name.
func newGrammar(parse func([]byte) Tree, symbol, field func(name string) uint32) *Grammar {
	return &Grammar{parse, sync.OnceValue(func() *tables { return newTables(symbol, field) })}
}

// read parses a source, or a part of one. A tree that is none is not let through: in untrusted hands the C code
// may write anything.
func (g *Grammar) read(src []byte) Tree {
	if len(src) == 0 {
		return Tree{}
	}
	tree := g.parse(src)
	if tree.Failed {
		return Tree{Failed: true}
	}
	t := g.tables()
	if !t.known || !wellFormed(tree.Nodes, len(src)) {
		return Tree{Failed: true}
	}
	t.translate(tree.Nodes)
	return tree
}

// wellFormed says whether nodes are a tree over a source of a size.
func wellFormed(nodes []Node, size int) bool {
	type parent struct{ end, next uint32 }
	open := []parent{{uint32(size), uint32(len(nodes))}}
	for i, n := range nodes {
		for open[len(open)-1].next <= uint32(i) {
			open = open[:len(open)-1]
		}
		in := open[len(open)-1]
		if n.Start > n.End || n.End > in.end || n.Next <= uint32(i) || n.Next > in.next {
			return false
		}
		open = append(open, parent{n.End, n.Next})
	}
	return true
}
