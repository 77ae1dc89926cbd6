//go:build cgo

package pyparse

// #cgo CFLAGS: -std=c11 -O2
// #include "flatten.h"
// #include <stdlib.h>
import "C"

import (
	"runtime"
	"sync"
	"unsafe"

	_ "github.com/tree-sitter/go-tree-sitter"                 // links the parser library
	_ "github.com/tree-sitter/tree-sitter-python/bindings/go" // links the grammar
)

// Parse parses a whole source.
func Parse(src []byte) Tree {
	tree, root := parse(src, nil)
	C.st_free_tree(root)
	return tree
}

// Document keeps the parser's own tree between edits, so that a keystroke in a large file costs
// little. It is not safe for concurrent use.
type Document struct{ root unsafe.Pointer }

// NewDocument returns a Document that holds nothing yet.
func NewDocument() *Document {
	d := &Document{}
	runtime.SetFinalizer(d, func(d *Document) { C.st_free_tree(d.root) })
	return d
}

// Parse parses src, which differs from the source of the call before by the given changes, in order.
// With no call before it, or none known, the whole source is parsed.
func (d *Document) Parse(src []byte, changes []Change) Tree {
	for _, c := range changes {
		if d.root == nil {
			break
		}
		e := C.st_edit{start: C.uint32_t(c.Start), old_end: C.uint32_t(c.OldEnd), new_end: C.uint32_t(c.NewEnd),
			start_row: C.uint32_t(c.StartPoint.Row), start_col: C.uint32_t(c.StartPoint.Column),
			old_row: C.uint32_t(c.OldEndPoint.Row), old_col: C.uint32_t(c.OldEndPoint.Column),
			new_row: C.uint32_t(c.NewEndPoint.Row), new_col: C.uint32_t(c.NewEndPoint.Column)}
		C.st_apply(d.root, &e)
	}
	tree, root := parse(src, d.root)
	C.st_free_tree(d.root)
	d.root = root
	runtime.KeepAlive(d)
	return tree
}

// Forget drops the tree: the next Parse starts afresh.
func (d *Document) Forget() {
	C.st_free_tree(d.root)
	d.root = nil
}

var setup = sync.OnceFunc(func() { C.st_setup() })

func parse(src []byte, old unsafe.Pointer) (Tree, unsafe.Pointer) {
	if len(src) > MaxSource {
		return Tree{Failed: true}, nil
	}
	setup()
	var text *C.char
	if len(src) > 0 {
		text = (*C.char)(unsafe.Pointer(&src[0]))
	}
	var r C.st_result
	C.st_parse(text, C.uint32_t(len(src)), old, timeout, &r)
	defer C.st_free(&r)
	if r.failed != 0 {
		C.st_free_tree(r.tree)
		return Tree{Failed: true}, nil
	}
	return Tree{Nodes: copied(r.nodes, r.count), Comments: copied(r.comments, r.comment_count)}, r.tree
}

// copied takes nodes out of C's memory. A Node has st_node's layout.
func copied(at *C.st_node, count C.uint32_t) []Node {
	if count == 0 {
		return nil
	}
	nodes := append([]Node(nil), unsafe.Slice((*Node)(unsafe.Pointer(at)), int(count))...)
	translate(nodes)
	return nodes
}

func symbol(name string) uint32 {
	return lookup(name, func(s *C.char, n C.uint32_t) C.uint32_t { return C.st_symbol(s, n) })
}
func fieldID(name string) uint32 {
	return lookup(name, func(s *C.char, n C.uint32_t) C.uint32_t { return C.st_field(s, n) })
}

func lookup(name string, in func(*C.char, C.uint32_t) C.uint32_t) uint32 {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	return uint32(in(text, C.uint32_t(len(name))))
}
