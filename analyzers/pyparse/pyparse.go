// Package pyparse turns Python source into a flat syntax tree. It never fails: a broken source gives a
// tree with Error nodes, one that cannot be parsed in time an empty tree.
//
// The nodes are those of tree-sitter's grammar. They come in source order in one slice without pointers: a
// tree whose depth an attacker chose is walked by index, never by recursion.
package pyparse

import "slices"

// Node is one named syntax node, or a token that has a field name (an operator).
type Node struct {
	Start, End uint32 // bytes in the source
	Next       uint32 // index of the first node behind this one's subtree
	Kind       Kind
	Field      Field
	Flags      uint8
}

// Missing is true of a node that the parser invented to go on after an error.
func (n Node) Missing() bool { return n.Flags != 0 }

// Tree is a source's syntax. The zero Tree is that of a source that was not parsed.
type Tree struct {
	Nodes []Node
	// Failed is true when the source was too large or took too long: Nodes is empty then.
	Failed bool

	pieces []piece
	wasted int
}

// Whole says whether Python itself would parse the source, as far as that is known: tree-sitter's grammar
// lets through what Python does not.
func (t Tree) Whole() bool {
	return !t.Failed && !slices.ContainsFunc(t.pieces, func(p piece) bool { return p.broken })
}

// MaxSource is the largest source that is parsed, in bytes.
const MaxSource = 64 << 20

// timeout bounds one parse, in microseconds: ordinary source takes about 0.1 s per megabyte.
const timeout = 20_000_000
