// Package mxnet reads the models of Apache MXNet: lists of arrays (.params, src/ndarray/ndarray.cc) and graphs
// (-symbol.json, nnvm's saveload_json.cc). Nothing in an array runs. A graph can name operators of somebody's code, or
// give an address to call.
package mxnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/window"
)

// Params is a list of arrays, with names or without.
var Params = &modelscan.Format{Name: "mxnet-params", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if bytes.HasPrefix(p.Head, []byte("\x12\x01\x00\x00\x00\x00\x00\x00")) {
		return modelscan.Yes
	}
	return modelscan.No
}, Scan: scanParams}

// Magic numbers of an array's encoding. Before the first of them an array began with the number of its dimensions.
const (
	withLongDims = 0xF993FAC8
	withStorage  = 0xF993FAC9
	withNumPy    = 0xF993FACA // 0 dimensions are a number, not nothing
)

// Kinds of storage.
const (
	dense, rows, csr = 0, 1, 2
)

// widths of the types, in bytes, by their flags.
var widths = [...]uint64{4, 8, 2, 1, 4, 1, 8, 1, 2, 2, 4, 8, 2}

const (
	headerSize = 16
	maxDims    = 64
	maxArrays  = 1 << 24
	maxName    = 4096
)

var errArray = errors.New("not an array of MXNet")

// arrays are read one behind the other.
type arrays struct {
	p    *modelscan.Pass
	w    *window.Window
	off  int64
	told int
}

func scanParams(ctx context.Context, p *modelscan.Pass) error {
	a := &arrays{p: p, w: window.New(p.R, p.Size), off: headerSize}
	n := a.u64()
	if n > maxArrays {
		return fmt.Errorf("%d arrays: %w", n, errArray)
	}
	for i := range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.array(int64(i)); err != nil {
			return fmt.Errorf("array %d at %#x: %w", i, a.off, err)
		}
	}
	names := a.u64()
	if a.w.Err == nil && names != 0 && names != n {
		return fmt.Errorf("%d names for %d arrays: %w", names, n, errArray)
	}
	for range names {
		if a.skip(a.u64()); a.w.Err != nil {
			return a.w.Err
		}
	}
	if rest := p.Size - a.off; a.w.Err == nil && rest > 0 {
		p.Emit.Descend(ctx, p.Member("[behind]", io.NewSectionReader(p.R, a.off, rest), rest))
	}
	return a.w.Err
}

func (a *arrays) u32() uint64 {
	a.off += 4
	return a.w.Uint(a.off-4, 4)
}

func (a *arrays) u64() uint64 {
	a.off += 8
	return a.w.Uint(a.off-8, 8)
}

func (a *arrays) skip(n uint64) {
	if a.w.Err == nil && n > uint64(max(a.w.Len()-a.off, 0)) {
		a.w.Err = fmt.Errorf("%d bytes at %#x: %w", n, a.off, io.ErrUnexpectedEOF)
	}
	if a.w.Err == nil {
		a.off += int64(n)
	}
}

// shape reads dimensions of so many bytes each.
func (a *arrays) shape(n uint64, width int64) ([]int64, error) {
	if n == math.MaxUint32 { // not known
		return nil, nil
	}
	if n > maxDims {
		return nil, fmt.Errorf("%d dimensions: %w", n, errArray)
	}
	dims := make([]int64, n)
	for i := range dims {
		if width == 4 {
			dims[i] = int64(a.u32())
		} else {
			dims[i] = int64(a.u64())
		}
	}
	return dims, a.w.Err
}

// layout is what is said of an array before its data.
type layout struct {
	shape, stored []int64
	storage       uint64
	nothing       bool // there is no more of it
}

func (a *arrays) layout() (l layout, err error) {
	switch first := a.u32(); first {
	case withStorage, withNumPy:
		if l.storage = a.u32(); l.storage > csr {
			return l, fmt.Errorf("storage of kind %d: %w", l.storage, errArray)
		}
		if l.storage != dense {
			if l.stored, err = a.shape(a.u32(), 8); err != nil {
				return l, err
			}
		}
		n := a.u32()
		l.nothing = n == 0 && first == withStorage || n == math.MaxUint32
		l.shape, err = a.shape(n, 8)
	case withLongDims:
		n := a.u32()
		l.nothing = n == 0
		l.shape, err = a.shape(n, 8)
	default:
		l.nothing = first == 0
		l.shape, err = a.shape(first, 4)
	}
	return l, err
}

// array: its layout, the device it came from, its type, the shapes of its indices where it is sparse, its data.
func (a *arrays) array(i int64) error {
	at := a.off
	l, err := a.layout()
	if err != nil || l.nothing {
		return err
	}
	a.skip(8)
	kind := a.u32()
	size := a.size(at, i, l.shape, kind)
	if l.storage != dense {
		size = a.size(at, i, l.stored, kind)
	}
	var indices []uint64
	for range l.storage { // one list of indices for rows, two for CSR
		kind := a.u32()
		shape, err := a.shape(a.u32(), 8)
		if err != nil {
			return err
		}
		indices = append(indices, a.size(at, i, shape, kind))
	}
	if kind >= uint64(len(widths)) {
		return fmt.Errorf("type %d: %w", kind, errArray)
	}
	if a.p.Limits.MaxFacts > 0 && a.w.Err == nil {
		a.p.Emit.Fact(modelscan.Fact{Kind: modelscan.TensorFact, Path: a.p.Name, Name: fmt.Sprint(i), DType: fmt.Sprint(kind), Shape: l.shape, Offset: a.off, Size: int64(min(size, math.MaxInt64))})
	}
	a.skip(size)
	for _, n := range indices {
		a.skip(n)
	}
	return a.w.Err
}

// maxTold findings are enough.
const maxTold = 20

// size of the data of a shape and type. MXNet multiplies without looking.
func (a *arrays) size(at, i int64, shape []int64, kind uint64) uint64 {
	width := uint64(1)
	if kind < uint64(len(widths)) {
		width = widths[kind]
	}
	size, overflows := width, false
	for _, d := range shape {
		hi, lo := bits.Mul64(size, uint64(max(d, 0)))
		size, overflows = lo, overflows || hi > 0 || d < 0 || lo > math.MaxInt64
	}
	if !overflows || a.w.Err != nil {
		return size
	}
	if a.told++; a.told <= maxTold {
		a.p.Emit.Finding(modelscan.Finding{Rule: rule.ModelOutside, Path: a.p.Name, Offset: at, Subject: fmt.Sprintf("array %d", i), Message: fmt.Sprintf("the size of array %d of shape %v overflows", i, shape)})
	}
	return math.MaxUint64
}
