package hdf5

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/compress"
)

// chunking says where the pieces of a dataset are.
type chunking struct {
	index   uint64 // kind of index
	at      int64  // of the index, or of the only chunk; -1 where nothing was written
	dims    int64  // of the dataset, and one for the bytes of an element
	size    int64  // bytes of a chunk before the filters
	element int64  // bytes
	packed  int64  // bytes of the only chunk
	mask    uint64 // filters that the only chunk did not go through
}

// Kinds of index: 0 is the B-tree of version 1, the others are those of a layout of version 4 or 5.
const (
	indexTree1      = 0
	indexSingle     = 1
	indexFixedArray = 3
	indexTree2      = 5
)

// chunked reads a layout message; false where the data are in one piece, or their index is of another kind.
func (f *file) chunked(m message) (c chunking, ok bool) {
	const class = 2
	version, w := f.w.Uint(m.off, 1), f.w
	if m.size == 0 || version < 3 || version > 5 || w.Uint(m.off+1, 1) != class {
		return c, false
	}
	width, at := int64(4), m.off+3+f.offsets
	if version == 3 {
		c.dims, c.at = int64(w.Uint(m.off+2, 1)), f.address(m.off+3)
	} else {
		c.dims, width, at = int64(w.Uint(m.off+3, 1)), int64(w.Uint(m.off+4, 1)), m.off+5
	}
	c.size = 1
	for range c.dims {
		c.element = int64(w.Uint(at, width))
		hi, lo := bits.Mul64(uint64(c.size), uint64(c.element))
		if hi != 0 || lo > 1<<32 {
			lo = 1 << 32 // no library writes it
		}
		c.size, at = int64(lo), at+width
	}
	if version == 3 {
		return c, w.Err == nil
	}
	c.index, at = w.Uint(at, 1), at+1
	const partialAsTheyAre, filtered = 1, 2
	if w.Uint(m.off+2, 1)&partialAsTheyAre != 0 {
		return c, false
	}
	switch c.index {
	case indexSingle:
		if c.packed = c.size; w.Uint(m.off+2, 1)&filtered != 0 {
			c.packed, c.mask, at = f.length(at), w.Uint(at+f.lengths, 4), at+f.lengths+4
		}
	case indexFixedArray:
		at++
	case indexTree2:
		at += 6
	default:
		return c, false
	}
	c.at = f.address(at)
	return c, w.Err == nil
}

// each visits the chunks: where one is, its bytes in the file, and the filters it did not go through.
func (f *file) each(c chunking, visit func(at, packed int64, mask uint64) error) error {
	switch c.index {
	case indexTree1:
		return f.chunkTree(c.at, 8+8*c.dims, visit)
	case indexFixedArray:
		return f.fixedArray(c, visit)
	case indexTree2:
		return f.tree2(c.at, func(kind, size uint64, record int64) error {
			const plain, filtered = 10, 11
			switch rest := int64(size) - f.offsets - 8*(c.dims-1) - 4; {
			case kind == plain:
				return visit(f.address(record), c.size, 0)
			case kind == filtered && rest > 0 && rest <= 8:
				return visit(f.address(record), int64(f.w.Uint(record+f.offsets, rest)), f.w.Uint(record+f.offsets+rest, 4))
			}
			return fmt.Errorf("a B-tree of type %d with records of %d bytes for chunks", kind, size)
		})
	}
	if c.at < 0 {
		return nil
	}
	return visit(c.at, c.packed, c.mask)
}

// fixedArray is the index of a dataset that can't grow. One in pages is not followed.
func (f *file) fixedArray(c chunking, visit func(at, packed int64, mask uint64) error) error {
	w := f.w
	if c.at < 0 {
		return nil
	}
	if string(w.Bytes(c.at, 4)) != "FAHD" {
		return errors.Join(w.Err, fmt.Errorf("no fixed array at %#x", c.at))
	}
	filtered, entry, page := w.Uint(c.at+5, 1) != 0, int64(w.Uint(c.at+6, 1)), w.Uint(c.at+7, 1)
	entries, block := f.length(c.at+8), f.address(c.at+8+f.lengths)
	f.summed(c.at, 8+f.lengths+f.offsets, "a fixed array")
	if block < 0 || page > 62 || entries > 1<<page {
		return w.Err
	}
	if string(w.Bytes(block, 4)) != "FADB" || f.address(block+6) != c.at {
		return errors.Join(w.Err, fmt.Errorf("no block of the fixed array at %#x at %#x", c.at, block))
	}
	f.summed(block, 6+f.offsets+entries*entry, "a fixed array's block")
	for at := block + 6 + f.offsets; entries > 0 && w.Err == nil; entries, at = entries-1, at+entry {
		packed, mask := c.size, uint64(0)
		if wide := entry - f.offsets - 4; filtered {
			packed, mask = int64(w.Uint(at+f.offsets, wide)), w.Uint(at+f.offsets+wide, 4)
		}
		if err := visit(f.address(at), packed, mask); err != nil {
			return err
		}
	}
	return w.Err
}

// maxChunksPlaced of a file are looked for where nothing but their place can be checked.
const maxChunksPlaced = 4096

// errEnough ends a walk.
var errEnough = errors.New("enough of them were looked at")

// numbers verifies the pieces of a dataset: that they are in the file, and, of as many as the limits allow, that they come
// back through the filters.
func (f *file) numbers() error {
	c, ok := f.chunked(f.chunks)
	if !ok || f.p.Limits.MaxRawSummed == 0 {
		return f.w.Err
	}
	err := f.each(c, func(at, packed int64, mask uint64) error {
		if f.step(); at < 0 || f.w.Err != nil {
			return f.w.Err
		}
		if packed < 0 || packed > f.w.Len()-at {
			return fmt.Errorf("a chunk of %d bytes at %#x: %w", packed, at, io.ErrUnexpectedEOF)
		}
		f.placed++
		if most := f.p.Limits.MaxRawSummed; most > 0 && (f.placed > maxChunksPlaced || len(f.filters) > 0 && packed > most-f.summedBytes) {
			f.unread = true
			return errEnough
		}
		if len(f.filters) == 0 {
			return nil
		}
		f.summedBytes += packed
		_, err := f.unfiltered(at, packed, mask, c.size)
		if errors.Is(err, modelscan.ErrNotSupported) {
			f.unread, err = true, errEnough
		}
		return err
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return err
}

// Filters of the library itself.
const (
	filterDeflate    = 1
	filterShuffle    = 2
	filterFletcher32 = 3
)

// filter is one step of a pipeline.
type filter struct {
	id    uint64
	width int64 // the first of its parameters: a shuffle's bytes of an element
}

// pipeline reads a filter pipeline message.
func (f *file) pipeline(m message) ([]filter, error) {
	version, n := f.w.Uint(m.off, 1), f.w.Uint(m.off+1, 1)
	if version < 1 || version > 2 || n > 32 {
		return nil, fmt.Errorf("%d filters in version %d", n, version)
	}
	at := m.off + 8
	if version == 2 {
		at = m.off + 2
	}
	var all []filter
	for range n {
		const named = 256 // from here on a filter has a name, and in version 1 all do
		id, name := f.w.Uint(at, 2), int64(0)
		at += 2
		if version == 1 || id >= named {
			name, at = int64(f.w.Uint(at, 2)), at+2
		}
		values := int64(f.w.Uint(at+2, 2))
		at += 4 + name
		all = append(all, filter{id, int64(f.w.Uint(at, 4))})
		at += 4 * values
		if version == 1 && values%2 == 1 {
			at += 4
		}
		if at > m.off+m.size {
			return nil, errors.Join(f.w.Err, fmt.Errorf("a filter runs past its message at %#x", m.off))
		}
	}
	return all, f.w.Err
}

// unfiltered reads a chunk and undoes its filters, the last one first; size is what has to come out.
func (f *file) unfiltered(at, packed int64, mask uint64, size int64) ([]byte, error) {
	b, err := f.p.Bytes(f.w.Base+at, packed, f.p.Limits.MaxBuffer)
	if err != nil {
		return nil, err
	}
	for i := len(f.filters) - 1; i >= 0 && err == nil; i-- {
		if mask>>i&1 != 0 {
			continue
		}
		switch step := f.filters[i]; step.id {
		case filterDeflate:
			b, err = f.inflate(b, size)
		case filterShuffle:
			b = unshuffle(b, step.width)
		case filterFletcher32:
			b, err = fletcher(b)
		default:
			err = fmt.Errorf("filter %d: %w", step.id, modelscan.ErrNotSupported)
		}
	}
	if err == nil && int64(len(b)) != size {
		err = fmt.Errorf("%d bytes, and not %d", len(b), size)
	}
	if err != nil {
		return nil, fmt.Errorf("the chunk at %#x: %w", at, err)
	}
	return b, nil
}

// inflate undoes zlib. A checksum may follow what has the chunk's size.
func (f *file) inflate(b []byte, size int64) ([]byte, error) {
	const sum = 4
	if size+sum > f.p.Limits.MaxBuffer {
		return nil, fmt.Errorf("%d bytes: %w (%d)", size, modelscan.ErrLimit, f.p.Limits.MaxBuffer)
	}
	if err := f.p.Unpacked.Take(size + sum); err != nil {
		return nil, err
	}
	r, err := compress.Zlib(compress.Input{Reader: bytes.NewReader(b), Packed: int64(len(b)), Budget: f.p.Unpacked})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	_, err = io.Copy(&out, io.LimitReader(r, size+sum+1))
	return out.Bytes(), err
}

// unshuffle puts the bytes of each element together again. What is left over was not moved.
func unshuffle(b []byte, width int64) []byte {
	n := 0
	if width > 1 && width <= int64(len(b)) {
		n = len(b) / int(width)
	}
	if n < 2 {
		return b
	}
	out := bytes.Clone(b)
	for k := range int(width) {
		for i := range n {
			out[i*int(width)+k] = b[k*n+i]
		}
	}
	return out
}

// fletcher verifies and takes off the checksum at the end (H5_checksum_fletcher32). Libraries before 1.6.3 wrote the bytes of
// its halves the other way round, and all of them read both.
func fletcher(b []byte) ([]byte, error) {
	n := len(b) - 4
	if n < 0 {
		return nil, io.ErrUnexpectedEOF
	}
	var one, two uint32
	for i := 0; i < n; i += 2 {
		v := uint32(b[i]) << 8
		if i+1 < n {
			v |= uint32(b[i+1])
		}
		one = (one + v) % 0xffff
		two = (two + one) % 0xffff
	}
	said := binary.LittleEndian.Uint32(b[n:])
	for _, v := range []uint32{said, said>>8&0xff00ff | said&0xff00ff<<8} {
		if v>>16%0xffff == two && v&0xffff%0xffff == one {
			return b[:n], nil
		}
	}
	return nil, fmt.Errorf("the checksum is %#08x, the file says %#08x", two<<16|one, said)
}
