package hdf5

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/secure-torch/secure-torch/modelscan"
)

// heap is a fractal heap: where an object keeps its links or attributes when there are many of them. Its blocks
// grow by doubling, row by row (HDF5 file format specification, III.G).
type heap struct {
	f            *file
	at           int64 // of the header
	offsetBytes  int64 // of an offset in a heap ID
	lengthBytes  int64
	sums         bool // direct blocks have checksums
	idLength     int64
	hugeTree     int64 // B-tree of objects too large for the blocks, -1 for none
	width        int64 // blocks in a row
	start, large int64 // bytes of the smallest and the largest direct block
	root         int64
	rows         int64 // of the root indirect block; 0 where the root is a direct block
}

var errHeapFiltered = fmt.Errorf("a compressed fractal heap: %w", modelscan.ErrNotSupported)

// openHeap reads the header "FRHP".
func (f *file) openHeap(at int64) (*heap, error) {
	w, l, o := f.w, f.lengths, f.offsets
	if string(w.Bytes(at, 4)) != "FRHP" || w.Uint(at+4, 1) != 0 {
		return nil, errors.Join(w.Err, fmt.Errorf("no fractal heap at %#x", at))
	}
	h := &heap{f: f, at: at, idLength: int64(w.Uint(at+5, 2))}
	if w.Uint(at+7, 2) != 0 {
		return nil, errHeapFiltered
	}
	const summedBlocks = 2
	h.sums = w.Uint(at+9, 1)&summedBlocks != 0
	f.summed(at, 22+12*l+3*o, "a fractal heap")
	largest := w.Uint(at+10, 4) // of an object in a block
	h.hugeTree = f.address(at + 14 + l)
	shape := at + 14 + 10*l + 2*o
	h.width, h.start, h.large = int64(w.Uint(shape, 2)), f.length(shape+2), f.length(shape+2+l)
	space := int64(w.Uint(shape+2+2*l, 2)) // bits of an offset
	h.root, h.rows = f.address(shape+6+2*l), int64(w.Uint(shape+6+2*l+o, 2))
	if w.Err != nil {
		return nil, w.Err
	}
	if !power(h.start) || !power(h.large) || !power(h.width) || h.start > h.large || h.large > 1<<31 || space > 64 || h.rows > 64 || h.idLength < 1 {
		return nil, fmt.Errorf("fractal heap at %#x: %d blocks of %d to %d bytes, %d bits, %d rows", at, h.width, h.start, h.large, space, h.rows)
	}
	h.offsetBytes = (space + 7) / 8
	h.lengthBytes = min(int64(bits.Len64(uint64(h.large))-1+7)/8, int64(bits.Len64(largest)-1)/8+1)
	return h, nil
}

func power(n int64) bool { return n > 0 && n&(n-1) == 0 }

// object tells where the object is whose heap ID stands at id.
func (h *heap) object(id int64) (at, size int64, err error) {
	const managed, huge, tiny = 0, 1, 2
	w := h.f.w
	first := w.Uint(id, 1)
	switch kind := first >> 4 & 3; {
	case first>>6 != 0:
		return 0, 0, fmt.Errorf("heap ID of version %d at %#x", first>>6, id)
	case kind == managed:
		off := int64(w.Uint(id+1, h.offsetBytes))
		size = int64(w.Uint(id+1+h.offsetBytes, h.lengthBytes))
		at, err = h.place(off)
		return at, size, errors.Join(err, w.Err)
	case kind == huge:
		return h.huge(id)
	case kind == tiny && h.idLength <= 17:
		return id + 1, int64(first&15) + 1, nil
	}
	return 0, 0, fmt.Errorf("heap ID of kind %d at %#x: %w", first>>4&3, id, modelscan.ErrNotSupported)
}

// huge objects stand by themselves: the ID says where, or is the key of a record that does.
func (h *heap) huge(id int64) (at, size int64, err error) {
	if h.idLength > h.f.offsets+h.f.lengths {
		return h.f.address(id + 1), h.f.length(id + 1 + h.f.offsets), h.f.w.Err
	}
	key := h.f.w.Uint(id+1, min(h.f.lengths, h.idLength-1))
	found := false
	err = h.f.tree2(h.hugeTree, func(kind, _ uint64, record int64) error {
		const indirect = 1
		if kind != indirect {
			return fmt.Errorf("huge objects in a B-tree of type %d: %w", kind, modelscan.ErrNotSupported)
		}
		if uint64(h.f.length(record+h.f.offsets+h.f.lengths)) == key {
			at, size, found = h.f.address(record), h.f.length(record+h.f.offsets), true
		}
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("no huge object %d in the fractal heap at %#x", key, h.at)
	}
	return at, size, err
}

// place finds the byte at an offset of the heap's space, whose blocks count with their headers.
func (h *heap) place(off int64) (int64, error) {
	if h.rows == 0 {
		if off < 0 || off >= h.start {
			return 0, fmt.Errorf("offset %#x outside the only block of the fractal heap at %#x", off, h.at)
		}
		return h.root + off, h.direct(h.root, h.start)
	}
	block, rows := h.root, h.rows
	for range 64 { // blocks of blocks
		row, rowSize, rowStart := h.row(off)
		if row >= rows || block < 0 || string(h.f.w.Bytes(block, 4)) != "FHIB" {
			break
		}
		h.f.summed(block, 5+h.f.offsets+h.offsetBytes+rows*h.width*h.f.offsets, "a fractal heap's block of blocks")
		column := (off - rowStart) / rowSize
		child := h.f.address(block + 5 + h.f.offsets + h.offsetBytes + (row*h.width+column)*h.f.offsets)
		if child < 0 || h.f.w.Err != nil {
			break
		}
		off -= rowStart + column*rowSize
		if rowSize <= h.large {
			return child + off, h.direct(child, rowSize)
		}
		block, rows = child, int64(bits.Len64(uint64(rowSize))-bits.Len64(uint64(h.start*h.width)))+1
	}
	return 0, errors.Join(h.f.w.Err, fmt.Errorf("offset %#x of the fractal heap at %#x has no block", off, h.at))
}

// direct checks a block that holds objects: its signature, whose it is, and its checksum where it has one.
func (h *heap) direct(at, size int64) error {
	w := h.f.w
	if string(w.Bytes(at, 4)) != "FHDB" || h.f.address(at+5) != h.at {
		return errors.Join(w.Err, fmt.Errorf("no block of the fractal heap at %#x at %#x", h.at, at))
	}
	if h.sums {
		h.f.sum(at, size, at+5+h.f.offsets+h.offsetBytes, "a fractal heap's block")
	}
	return w.Err
}

// row of the doubling table that an offset lies in, the size of its blocks, and where it starts.
func (h *heap) row(off int64) (row, size, start int64) {
	size = h.start
	for row = 0; row < 62 && off-start >= h.width*size && size < 1<<56; row++ {
		start += h.width * size
		if row > 0 {
			size *= 2
		}
	}
	return row, size, start
}

// dense visits the messages of an object that are in a fractal heap. The B-tree has a record for each, with its
// heap ID; behind the ID of an attribute stand its message's flags.
func (f *file) dense(at, tree int64, visit func(message)) error {
	if at < 0 || tree < 0 {
		return nil
	}
	h, err := f.openHeap(at)
	if err != nil {
		return err
	}
	return f.tree2(tree, func(kind, _ uint64, record int64) error {
		const linkByName, attributeByName = 5, 8
		id, flags := record, uint64(0)
		switch kind {
		case linkByName:
			id += 4 // the name's hash
		case attributeByName:
			flags = f.w.Uint(record+h.idLength, 1)
		default:
			return fmt.Errorf("a B-tree of type %d: %w", kind, modelscan.ErrNotSupported)
		}
		const shared = 0x02
		if flags&shared != 0 {
			f.missing["a shared attribute message"] = true
			return nil
		}
		where, size, err := h.object(id)
		if err != nil {
			return err
		}
		visit(message{off: where, size: size})
		return f.w.Err
	})
}
