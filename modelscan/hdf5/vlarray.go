package hdf5

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/secure-torch/secure-torch/modelscan"
)

// objects reads a PyTables array of Python objects, as pandas writes columns of objects: each row is a run of bytes in the
// global heap, which reading the row unpickles. Source: tables/atom.py, ObjectAtom; tables/vlarray.py.
func (f *file) objects() error {
	const chunked = 2
	m := f.chunks
	version, class := f.w.Uint(m.off, 1), f.w.Uint(m.off+1, 1)
	switch {
	case f.w.Err != nil || m.size == 0:
		return f.w.Err
	case f.filtered, version != 3, class != chunked:
		return fmt.Errorf("an array of Python objects (layout %d.%d, filters: %t): %w", version, class, f.filtered, modelscan.ErrNotSupported)
	}
	dims := int64(f.w.Uint(m.off+2, 1)) // the last one is the size of an element
	tree := f.address(m.off + 3)
	element := int64(f.w.Uint(m.off+3+f.offsets+(dims-1)*4, 4))
	if dims < 2 || element != 4+f.offsets+4 {
		return errors.Join(f.w.Err, fmt.Errorf("an array of Python objects with elements of %d bytes in %d dimensions", element, dims))
	}
	return f.chunkTree(tree, 8+8*dims, func(at, size int64) error {
		for row := at; row+element <= at+size && f.w.Err == nil; row += element {
			f.step()
			if err := f.row(row); err != nil {
				return err
			}
		}
		return f.w.Err
	})
}

// row is one element: a length, and where in the global heap it lies.
func (f *file) row(at int64) error {
	n, collection := int64(f.w.Uint(at, 4)), f.address(at+4)
	if n == 0 || collection <= 0 { // nothing was written
		return f.w.Err
	}
	b, err := f.heapObject(collection, f.w.Uint(at+4+f.offsets, 4), f.p.Limits.MaxBuffer)
	if err != nil {
		return err
	}
	b = b[:min(int64(len(b)), n)]
	f.p.Emit.Descend(context.Background(), f.p.Member(fmt.Sprintf("object@%#x", at+f.w.Base), bytes.NewReader(b), int64(len(b))))
	return nil
}

// chunkTree visits the chunks of a B-tree of version 1, whose keys take so many bytes and begin with the chunk's size.
func (f *file) chunkTree(tree, key int64, visit func(at, size int64) error) error {
	return f.descend(tree, func(node int64, push func(int64)) error {
		switch {
		case node < 0: // no chunk was written
			return nil
		case string(f.w.Bytes(node, 4)) != "TREE" || f.w.Uint(node+4, 1) != 1:
			return errors.Join(f.w.Err, fmt.Errorf("no B-tree of chunks at %#x", node))
		}
		leaf := f.w.Uint(node+5, 1) == 0
		at := node + 8 + 2*f.offsets
		for range f.w.Uint(node+6, 2) {
			if f.step(); f.w.Err != nil {
				break
			}
			child := f.address(at + key)
			if !leaf {
				push(child)
			} else if err := visit(child, int64(f.w.Uint(at, 4))); err != nil {
				return err
			}
			at += key + f.offsets
		}
		return nil
	})
}
