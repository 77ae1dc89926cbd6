package hdf5

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/secure-torch/secure-torch/modelscan"
)

// tree2 visits the records of a B-tree of version 2 (HDF5 file format specification, III.A.2). kind is the
// tree's type, record the address of a record.
func (f *file) tree2(at int64, visit func(kind, size uint64, record int64) error) error {
	if at < 0 {
		return nil
	}
	w := f.w
	if string(w.Bytes(at, 4)) != "BTHD" || w.Uint(at+4, 1) != 0 {
		return errors.Join(w.Err, fmt.Errorf("no B-tree at %#x", at))
	}
	t := &tree{f: f, kind: w.Uint(at+5, 1), record: int64(w.Uint(at+10, 2)), visit: visit}
	node, depth := int64(w.Uint(at+6, 4)), int64(w.Uint(at+12, 2))
	if w.Err != nil {
		return w.Err
	}
	if depth > maxTree || t.record == 0 || node < 10+t.record {
		return fmt.Errorf("a B-tree at %#x: depth %d, records of %d in nodes of %d bytes", at, depth, t.record, node)
	}
	f.summed(at, 18+f.offsets+f.lengths, "a B-tree")
	t.sizes(node, depth)
	root := at + 16
	return t.node(f.address(root), int64(w.Uint(root+f.offsets, 2)), depth)
}

// tree is a B-tree of version 2.
type tree struct {
	f      *file
	kind   uint64
	record int64 // bytes of a record
	visit  func(kind, size uint64, record int64) error
	counts int64   // bytes of a count of records in one child
	totals []int64 // bytes of a count of records below a child, by the child's depth; 0 for leaves
}

// nodeOverhead is a node's signature, version, type and checksum.
const nodeOverhead = 10

// sizes computes the widths of the counts as libhdf5 does (H5B2__hdr_init).
func (t *tree) sizes(node, depth int64) {
	most := (node - nodeOverhead) / t.record // records in a leaf
	t.counts = encoded(most)
	below, width := most, int64(0)
	t.totals = []int64{0}
	for range depth {
		pointer := t.f.offsets + t.counts + width
		most = max((node-nodeOverhead-pointer)/(t.record+pointer), 0)
		if below = (most+1)*below + most; below > 1<<55 {
			below = 1 << 55
		}
		width = encoded(below)
		t.totals = append(t.totals, width)
	}
}

// encoded is how many bytes a count up to n takes.
func encoded(n int64) int64 { return int64(bits.Len64(uint64(max(n, 1)))-1)/8 + 1 }

func (t *tree) node(at, records, depth int64) error {
	w, signature := t.f.w, "BTLF"
	if depth > 0 {
		signature = "BTIN"
	}
	if records == 0 && depth == 0 {
		return nil
	}
	if at < 0 || string(w.Bytes(at, 4)) != signature {
		return errors.Join(w.Err, fmt.Errorf("no B-tree node at %#x", at))
	}
	size := 6 + records*t.record
	if depth > 0 {
		size += (records + 1) * (t.f.offsets + t.counts + t.totals[depth-1])
	}
	t.f.summed(at, size, "a B-tree's node")
	for i := range records {
		if t.f.step(); w.Err != nil {
			return w.Err
		}
		if err := t.visit(t.kind, uint64(t.record), at+6+i*t.record); err != nil {
			return err
		}
	}
	if depth == 0 {
		return nil
	}
	child := at + 6 + records*t.record
	for range records + 1 {
		if t.f.step(); w.Err != nil {
			return w.Err
		}
		if err := t.node(t.f.address(child), int64(w.Uint(child+t.f.offsets, t.counts)), depth-1); err != nil {
			return err
		}
		child += t.f.offsets + t.counts + t.totals[depth-1]
	}
	return nil
}

// named finds the datatype of a committed one: the message of an object header that a Shared message points at.
func (f *file) named(shared int64) (int64, error) {
	const datatype, inHeap = 0x03, 1
	version, at := f.w.Uint(shared, 1), shared+2
	switch {
	case version == 1:
		at = shared + 8
	case version < 1 || version > 3 || version == 3 && f.w.Uint(shared+1, 1) == inHeap:
		return 0, fmt.Errorf("a shared datatype of version %d: %w", version, modelscan.ErrNotSupported)
	}
	found := int64(-1)
	err := f.messages(f.address(at), func(m message) error {
		if m.kind == datatype && m.flags&0x02 == 0 && found < 0 {
			found = m.off
		}
		return nil
	})
	if err == nil && found < 0 {
		err = fmt.Errorf("no datatype in the object at %#x", f.address(at))
	}
	return found, err
}
