package hdf5

import (
	"errors"
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Types of header messages.
const (
	msgLinkInfo      = 0x02
	msgLink          = 0x06
	msgExternalFiles = 0x07
	msgLayout        = 0x08
	msgFilters       = 0x0b
	msgAttribute     = 0x0c
	msgContinuation  = 0x10
	msgSymbolTable   = 0x11
	msgAttributeInfo = 0x15
)

// maxChunks of one object header.
const maxChunks = 10_000

// chunk is a run of messages of an object header.
type chunk struct{ off, end int64 }

// object acts on all messages of the object header at an address.
func (f *file) object(at int64) error {
	if len(f.seen) > maxObjects {
		return fmt.Errorf("more than %d objects: %w", maxObjects, modelscan.ErrLimit)
	}
	f.chunks, f.pickled, f.filters = message{}, false, nil
	if err := f.messages(at, f.interpret); err != nil {
		return err
	}
	if f.pickled {
		return f.unlessMissing(f.objects())
	}
	if err := f.numbers(); err != nil && f.w.Err == nil {
		f.p.Fail(f.p.Name, f.w.Base+at, fmt.Errorf("hdf5: the numbers of the object at %#x: %w", at, err))
	}
	return f.w.Err
}

// messages visits all messages of the object header at an address.
func (f *file) messages(at int64, visit func(message) error) error {
	var chunks []chunk
	prefix := int64(8) // of a message: type, size, flags, reserved
	v2 := string(f.w.Bytes(at, 4)) == "OHDR"
	if v2 {
		var first chunk
		first, prefix = f.headerV2(at)
		chunks = []chunk{first}
	} else {
		if version := f.w.Uint(at, 1); f.w.Err == nil && version != 1 {
			return fmt.Errorf("object header version %d", version)
		}
		chunks = []chunk{{at + 16, at + 16 + int64(f.w.Uint(at+8, 4))}}
	}
	for i := 0; i < len(chunks); i++ {
		if len(chunks) > maxChunks {
			return fmt.Errorf("more than %d chunks: %w", maxChunks, modelscan.ErrLimit)
		}
		for off := chunks[i].off; off+prefix <= chunks[i].end && f.w.Err == nil; {
			f.step()
			m := f.message(off, prefix, v2)
			if m.off+m.size > chunks[i].end {
				return fmt.Errorf("message at %#x runs past its header", off)
			}
			if m.kind == msgContinuation {
				chunks = append(chunks, f.continuation(m, v2))
			} else if err := visit(m); err != nil {
				return fmt.Errorf("message %#x at %#x: %w", m.kind, off, err)
			}
			off = m.off + m.size
		}
	}
	return f.w.Err
}

// headerV2 returns the first chunk and the size of a message's prefix.
func (f *file) headerV2(at int64) (chunk, int64) {
	flags := f.w.Uint(at+5, 1)
	off := at + 6
	if flags&0x20 != 0 {
		off += 16 // times
	}
	if flags&0x10 != 0 {
		off += 4 // when attributes move to a heap
	}
	width := int64(1) << (flags & 3)
	size := int64(f.w.Uint(off, width))
	prefix := int64(4)
	if flags&0x04 != 0 {
		prefix += 2 // creation order
	}
	f.summed(at, off+width+size-at, "an object header")
	return chunk{off + width, off + width + size}, prefix
}

// message is one header message.
type message struct {
	kind, flags uint64
	off, size   int64
}

func (f *file) message(off, prefix int64, v2 bool) message {
	if v2 {
		return message{f.w.Uint(off, 1), f.w.Uint(off+3, 1), off + prefix, int64(f.w.Uint(off+1, 2))}
	}
	return message{f.w.Uint(off, 2), f.w.Uint(off+4, 1), off + prefix, int64(f.w.Uint(off+2, 2))}
}

func (f *file) continuation(m message, v2 bool) chunk {
	off, size := f.address(m.off), f.length(m.off+f.offsets)
	if v2 { // "OCHK" before, a checksum behind
		if string(f.w.Bytes(off, 4)) != "OCHK" && f.w.Err == nil {
			f.w.Err = fmt.Errorf("no continuation of an object header at %#x", off)
		}
		f.summed(off, size-4, "an object header's continuation")
		return chunk{off + 4, off + size - 4}
	}
	return chunk{off, off + size}
}

// interpret acts on the messages that matter.
func (f *file) interpret(m message) error {
	const shared = 0x02
	if m.flags&shared != 0 {
		if m.kind == msgAttribute {
			f.missing["a shared attribute message"] = true
		}
		return nil
	}
	switch m.kind {
	case msgSymbolTable:
		return f.symbolTable(f.address(m.off), f.address(m.off+f.offsets))
	case msgLink:
		f.link(m)
	case msgLinkInfo:
		at := m.off + 2
		if f.w.Uint(m.off+1, 1)&1 != 0 {
			at += 8
		}
		return f.unlessMissing(f.dense(f.address(at), f.address(at+f.offsets), f.link))
	case msgAttributeInfo:
		at := m.off + 2
		if f.w.Uint(m.off+1, 1)&1 != 0 {
			at += 2
		}
		return f.unlessMissing(f.dense(f.address(at), f.address(at+f.offsets), f.attribute))
	case msgExternalFiles:
		f.externalFiles(m)
	case msgLayout:
		f.chunks = m
		f.layout(m)
	case msgFilters:
		var err error
		if f.filters, err = f.pipeline(m); err != nil {
			return err
		}
	case msgAttribute:
		f.attribute(m)
	}
	return f.w.Err
}

// unlessMissing remembers what is not supported, so that the objects behind it are still read.
func (f *file) unlessMissing(err error) error {
	if errors.Is(err, modelscan.ErrNotSupported) && f.w.Err == nil {
		f.missing[strings.TrimSuffix(err.Error(), ": "+modelscan.ErrNotSupported.Error())] = true
		return nil
	}
	return err
}

// maxTree is the depth of a B-tree that no library writes.
const maxTree = 64

// descend opens the nodes of a B-tree of version 1, beginning with its root; open pushes those below the one at its address.
func (f *file) descend(root int64, open func(at int64, push func(int64)) error) error {
	type node struct{ at, depth int64 }
	nodes := []node{{root, 0}}
	for len(nodes) > 0 && f.w.Err == nil {
		f.step()
		n := nodes[len(nodes)-1]
		nodes = nodes[:len(nodes)-1]
		if n.depth > maxTree {
			return fmt.Errorf("a B-tree deeper than %d: %w", maxTree, modelscan.ErrLimit)
		}
		if err := open(n.at, func(child int64) { nodes = append(nodes, node{child, n.depth + 1}) }); err != nil {
			return err
		}
	}
	return f.w.Err
}

// symbolTable walks the B-tree of an old-style group.
func (f *file) symbolTable(tree, heap int64) error {
	names, size := f.address(heap+8+2*f.lengths), f.length(heap+8)
	if string(f.w.Bytes(heap, 4)) != "HEAP" || names < 0 || size < 0 || size > f.w.Len()-names {
		return errors.Join(f.w.Err, fmt.Errorf("no local heap at %#x, or one of %d bytes at %#x", heap, size, names))
	}
	return f.descend(tree, func(at int64, push func(int64)) error {
		if string(f.w.Bytes(at, 4)) == "SNOD" {
			f.symbols(at, names)
			return nil
		}
		if f.w.Err == nil && string(f.w.Bytes(at, 4)) != "TREE" {
			return fmt.Errorf("no B-tree node at %#x", at)
		}
		used := int64(f.w.Uint(at+6, 2))
		first := at + 8 + 2*f.offsets + f.lengths
		for i := range used {
			if f.step(); f.w.Err != nil {
				break
			}
			push(f.address(first + i*(f.offsets+f.lengths)))
		}
		return nil
	})
}

// symbols visits the objects of a symbol table node. Links in it stay inside the file.
func (f *file) symbols(at, _ int64) {
	entry := 2*f.offsets + 24
	for i := range int64(f.w.Uint(at+6, 2)) {
		if f.step(); f.w.Err != nil {
			return
		}
		const symbolicLink = 2
		if e := at + 8 + i*entry; f.w.Uint(e+2*f.offsets, 4) != symbolicLink {
			f.visit(f.address(e + f.offsets))
		}
	}
}
