//go:build cgo

package pyparse

// #cgo CFLAGS: -std=c11 -O2
// #include "flatten.h"
// #include <stdlib.h>
import "C"

import (
	"sync"
	"unsafe"

	_ "github.com/tree-sitter/go-tree-sitter"                 // links the parser library
	_ "github.com/tree-sitter/tree-sitter-python/bindings/go" // links the grammar
)

// fallback parses a source, or a part of one, with tree-sitter's grammar.
func fallback(src []byte) Tree {
	if len(src) == 0 {
		return Tree{}
	}
	setup()
	var r C.st_result
	C.st_parse((*C.char)(unsafe.Pointer(&src[0])), C.uint32_t(len(src)), timeout, &r)
	defer C.st_free(&r)
	if r.failed != 0 {
		return Tree{Failed: true}
	}
	return Tree{Nodes: copied(r.nodes, r.count)}
}

var setup = sync.OnceFunc(func() { C.st_setup() })

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
