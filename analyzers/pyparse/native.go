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

// Native is the C code itself, in this process: for sources that the user trusts.
var Native = newGrammar(nativeParse, nativeSymbol, nativeField)

func nativeParse(src []byte) Tree {
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
	return append([]Node(nil), unsafe.Slice((*Node)(unsafe.Pointer(at)), int(count))...)
}

func nativeSymbol(name string) uint32 {
	return nativeLookup(name, func(s *C.char, n C.uint32_t) C.uint32_t { return C.st_symbol(s, n) })
}

func nativeField(name string) uint32 {
	return nativeLookup(name, func(s *C.char, n C.uint32_t) C.uint32_t { return C.st_field(s, n) })
}

func nativeLookup(name string, in func(*C.char, C.uint32_t) C.uint32_t) uint32 {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	return uint32(in(text, C.uint32_t(len(name))))
}
