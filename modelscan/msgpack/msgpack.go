// Package msgpack reads the checkpoints of Flax (flax.serialization.to_bytes): one MessagePack value, a map of maps
// whose leaves are arrays in extension types. Nothing in it runs; what can go wrong is an array whose shape is not
// its data's, and something else behind the value (https://github.com/msgpack/msgpack/blob/master/spec.md).
package msgpack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"
	"github.com/secure-torch/secure-torch/modelscan/window"
)

// Format is a Flax checkpoint. MessagePack has no magic number: a map whose first key is a text comes near.
var Format = &modelscan.Format{Name: "flax-msgpack", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if len(p.Head) < 4 {
		return modelscan.No
	}
	at := 1
	switch c := p.Head[0]; {
	case c > 0x80 && c <= 0x8f:
	case c == 0xde:
		at = 3
	case c == 0xdf:
		at = 5
	default:
		return modelscan.No
	}
	if key, ok := firstKey(p.Head[min(at, len(p.Head)):]); ok && plain(key) {
		return modelscan.Maybe
	}
	return modelscan.No
}, Scan: scan}

// firstKey reads a text of at most 255 bytes.
func firstKey(b []byte) (key []byte, ok bool) {
	n, at := 0, 1
	switch {
	case len(b) > 0 && b[0] >= 0xa1 && b[0] <= 0xbf:
		n = int(b[0] & 0x1f)
	case len(b) > 1 && b[0] == 0xd9:
		n, at = int(b[1]), 2
	}
	if n == 0 || len(b) < at+n {
		return nil, false
	}
	return b[at : at+n], true
}

func plain(key []byte) bool {
	return strings.TrimFunc(string(key), func(r rune) bool { return r > ' ' && r < 0x7f }) == ""
}

// maxDepth of maps in maps; flax's own reader is msgpack's, which stops at 1024.
const maxDepth = 512

var errNoArrays = errors.New("MessagePack, but no arrays of Flax")

func scan(ctx context.Context, p *modelscan.Pass) error {
	r := &reader{ctx: ctx, p: p, w: window.New(p.R, p.Size)}
	err := r.value("", 0)
	switch {
	case r.arrays == 0:
		return errors.Join(err, errNoArrays)
	case err != nil:
		return r.told(err)
	case r.off < p.Size: // msgpack.unpackb refuses it
		p.Emit.Finding(modelscan.Finding{Rule: rule.FlaxInconsistent, Path: p.Name, Offset: r.off, Subject: "trailing bytes", Message: fmt.Sprintf("%d bytes follow the checkpoint: Flax refuses the file", p.Size-r.off)})
		p.Emit.Descend(ctx, p.Member("[behind]", io.NewSectionReader(p.R, r.off, p.Size-r.off), p.Size-r.off))
	}
	return nil
}

type reader struct {
	ctx    context.Context
	p      *modelscan.Pass
	w      *window.Window
	off    int64
	arrays int
}

// told makes an error a gap although the sniff was a guess: arrays of Flax were read before it.
func (r *reader) told(err error) error {
	r.p.Fail(r.p.Name, r.off, fmt.Errorf("flax-msgpack: %w", err))
	return nil
}

// number reads a big-endian number of n bytes.
func (r *reader) number(n int64) int64 {
	b := r.w.Bytes(r.off, n)
	r.off += n
	v := uint64(0)
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return int64(min(v, 1<<62))
}

// sizes of the values whose type byte says nothing but how many bytes follow, from 0xca on.
var sizes = [...]int64{4, 8, 1, 2, 4, 8, 1, 2, 4, 8}

// value reads one value. name is the path of keys that leads to it.
func (r *reader) value(name string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d: %w", maxDepth, modelscan.ErrLimit)
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	c := r.number(1)
	if r.w.Err != nil {
		return r.w.Err
	}
	switch {
	case c <= 0x7f, c >= 0xe0, c == 0xc0, c == 0xc2, c == 0xc3: // numbers, nil, booleans
		return nil
	case c <= 0x8f:
		return r.fields(name, c&0x0f, depth)
	case c <= 0x9f:
		return r.items(name, c&0x0f, depth)
	case c <= 0xbf:
		return r.text(name, c&0x1f)
	}
	return r.sized(name, c, depth)
}

// sized reads a value of a type whose length, if it has one, stands behind the type's byte.
func (r *reader) sized(name string, c int64, depth int) error {
	switch {
	case c == 0xd9, c == 0xda, c == 0xdb:
		return r.text(name, r.number(1<<(c-0xd9)))
	case c >= 0xc4 && c <= 0xc6:
		return r.skip(r.number(1 << (c - 0xc4)))
	case c >= 0xc7 && c <= 0xc9:
		return r.extension(name, r.number(1<<(c-0xc7)))
	case c >= 0xca && c <= 0xd3:
		return r.skip(sizes[c-0xca])
	case c >= 0xd4 && c <= 0xd8:
		return r.extension(name, 1<<(c-0xd4))
	case c == 0xdc, c == 0xdd:
		return r.items(name, r.number(2<<(c-0xdc)), depth)
	case c == 0xde, c == 0xdf:
		return r.fields(name, r.number(2<<(c-0xde)), depth)
	}
	return fmt.Errorf("no type of MessagePack: %#x", c)
}

func (r *reader) skip(n int64) error {
	if n > r.p.Size-r.off {
		return fmt.Errorf("%d bytes at %#x: %w", n, r.off, io.ErrUnexpectedEOF)
	}
	r.off += n
	return r.w.Err
}

func (r *reader) items(name string, n int64, depth int) error {
	for i := range n {
		if err := r.value(fmt.Sprintf("%s[%d]", name, i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

const maxText = 4096

func (r *reader) fields(name string, n int64, depth int) error {
	for range n {
		start := r.off
		if err := r.value("", depth+1); err != nil { // a text, or an index that was made one
			return err
		}
		key, _ := firstKey(r.w.Bytes(start, min(r.off-start, 260)))
		if err := r.value(strings.TrimPrefix(name+"."+string(key), "."), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) text(name string, n int64) error {
	at := r.off
	if err := r.skip(n); err != nil {
		return err
	}
	if code := codetext.Find(r.w.Text(at, n, maxText)); code != "" {
		r.p.Emit.Finding(modelscan.Finding{Rule: rule.MetadataCode, Path: r.p.Name, Offset: at, Subject: name, Message: fmt.Sprintf("the text %q holds code: %s", name, code)})
	}
	return r.w.Err
}

// Extension types of Flax: an array and a scalar are a packed (shape, dtype, bytes).
const (
	extArray  = 1
	extScalar = 3
)

func (r *reader) extension(name string, n int64) error {
	kind := r.number(1)
	end := r.off + n
	if n > r.p.Size-r.off {
		return fmt.Errorf("%d bytes at %#x: %w", n, r.off, io.ErrUnexpectedEOF)
	}
	if kind == extArray || kind == extScalar {
		if err := r.array(name, end); err != nil {
			return fmt.Errorf("array %q: %w", name, err)
		}
	}
	r.off = end
	return r.w.Err
}

var errNotArray = errors.New("not a tuple of shape, dtype and bytes")

// array checks that the shape is the data's: numpy refuses it otherwise.
func (r *reader) array(name string, end int64) error {
	at := r.off
	if r.number(1) != 0x93 {
		return errNotArray
	}
	shape, elements, err := r.shape()
	if err != nil {
		return err
	}
	if elements < 0 {
		r.inconsistent(at, name, shape)
		return nil
	}
	start := r.off
	if err := r.value("", maxDepth); err != nil {
		return err
	}
	dtype, ok := firstKey(r.w.Bytes(start, min(r.off-start, 260)))
	kind := string(dtype)
	c := r.number(1)
	if !ok || c < 0xc4 || c > 0xc6 {
		return errNotArray
	}
	size := r.number(1 << (c - 0xc4))
	if size > end-r.off {
		return io.ErrUnexpectedEOF
	}
	if width := widths[kind]; width > 0 && (elements > 1<<50 || elements*width != size) {
		r.inconsistent(at, name, shape)
	} else {
		r.arrays++
	}
	if r.p.Limits.MaxFacts > 0 {
		r.p.Emit.Fact(modelscan.Fact{Kind: modelscan.TensorFact, Path: r.p.Name, Name: name, DType: kind, Shape: shape, Offset: r.off, Size: size})
	}
	return r.w.Err
}

// shape reads the dimensions and multiplies them; elements is -1 where one is no number, or the product too large.
func (r *reader) shape() (shape []int64, elements int64, err error) {
	rank := r.number(1)
	if rank < 0x90 || rank > 0x9f {
		return nil, 0, errNotArray
	}
	shape, product := make([]int64, rank&0x0f), uint64(1)
	for i := range shape {
		n := r.natural()
		hi, lo := bits.Mul64(product, uint64(n))
		if product = lo; hi > 0 || lo > math.MaxInt64 || n < 0 {
			return shape, -1, nil
		}
		shape[i] = n
	}
	return shape, int64(product), nil
}

// natural reads an unsigned number, -1 for anything else.
func (r *reader) natural() int64 {
	switch c := r.number(1); {
	case c <= 0x7f:
		return c
	case c >= 0xcc && c <= 0xcf:
		return r.number(1 << (c - 0xcc))
	}
	return -1
}

func (r *reader) inconsistent(at int64, name string, shape []int64) {
	r.arrays++
	r.p.Emit.Finding(modelscan.Finding{Rule: rule.FlaxInconsistent, Path: r.p.Name, Offset: at, Subject: name, Message: fmt.Sprintf("the array %q of shape %v has other data than its shape says", name, shape)})
}

// widths of numpy's and ml_dtypes' types, in bytes. Of others the size is not checked.
var widths = map[string]int64{
	"bool": 1, "int8": 1, "uint8": 1, "float8_e4m3fn": 1, "float8_e5m2": 1, "int16": 2, "uint16": 2, "float16": 2, "bfloat16": 2,
	"int32": 4, "uint32": 4, "float32": 4, "int64": 8, "uint64": 8, "float64": 8, "complex64": 8, "complex128": 16,
}
