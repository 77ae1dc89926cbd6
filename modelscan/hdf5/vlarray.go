package hdf5

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
)

// objects reads a PyTables array of Python objects, as pandas writes columns of objects: each row is a run of bytes in the
// global heap, which reading the row unpickles. Source: tables/atom.py, ObjectAtom; tables/vlarray.py.
func (f *file) objects() error {
	c, ok := f.chunked(f.chunks)
	element := 4 + f.offsets + 4
	switch {
	case f.w.Err != nil || f.chunks.size == 0:
		return f.w.Err
	case !ok:
		return fmt.Errorf("an array of Python objects in a layout of version %d: %w", f.w.Uint(f.chunks.off, 1), modelscan.ErrNotSupported)
	case c.dims < 2 || c.element != element:
		return fmt.Errorf("an array of Python objects with elements of %d bytes in %d dimensions", c.element, c.dims)
	}
	return f.each(c, func(at, packed int64, mask uint64) error {
		if at < 0 {
			return f.w.Err
		}
		rows, err := f.unfiltered(at, packed, mask, c.size)
		if err != nil {
			return err
		}
		for i := int64(0); i < c.size && f.w.Err == nil; i += element {
			f.step()
			if err := f.row(rows[i:i+element], at+i); err != nil {
				return err
			}
		}
		return f.w.Err
	})
}

// row is one element: a length, and where in the global heap it lies. at is where it would stand were the chunk as written.
func (f *file) row(b []byte, at int64) error {
	var place [8]byte
	le := binary.LittleEndian
	copy(place[:], b[4:4+f.offsets])
	n, collection := int64(le.Uint32(b)), int64(le.Uint64(place[:]))
	if n == 0 || collection <= 0 || collection == 1<<(8*f.offsets)-1 { // nothing was written
		return nil
	}
	b, err := f.heapObject(collection, uint64(le.Uint32(b[4+f.offsets:])), f.p.Limits.MaxBuffer)
	if err != nil {
		return err
	}
	b = b[:min(int64(len(b)), n)]
	object := f.p.Member(fmt.Sprintf("object@%#x", at+f.w.Base), bytes.NewReader(b), int64(len(b)))
	object.As = pickle.Format
	f.p.Emit.Descend(context.Background(), object)
	return nil
}

// chunkTree visits the chunks of a B-tree of version 1, whose keys take so many bytes and begin with the chunk's size and the
// filters that it did not go through.
func (f *file) chunkTree(tree, key int64, visit func(at, packed int64, mask uint64) error) error {
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
			} else if err := visit(child, int64(f.w.Uint(at, 4)), f.w.Uint(at+4, 4)); err != nil {
				return err
			}
			at += key + f.offsets
		}
		return nil
	})
}
