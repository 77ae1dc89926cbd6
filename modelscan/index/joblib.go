package index

import (
	"context"
	"fmt"
	"strconv"
)

// joblibWrapper announces an array whose numbers stand in the file right after the opcode that made it
// (joblib.numpy_pickle.NumpyArrayWrapper.read).
const joblibWrapper = "joblib.numpy_pickle.NumpyArrayWrapper"

// joblibArray reads the numbers that follow a wrapper and puts the array in its place.
func (m *machine) joblibArray(ctx context.Context, target, state Ref, next int64) (int64, error) {
	g := m.g
	if g.kind(target) != kOpaque || g.globalName(Ref(g.run(target)[1])) != joblibWrapper {
		return next, nil
	}
	shape, ok := m.ints(g.lookup(state, "shape"))
	dtype := g.resolve(g.lookup(state, "dtype"))
	size, sized := g.dtypeSize(dtype)
	if !ok || !sized {
		return 0, fmt.Errorf("joblib array of an unknown dtype: %w", ErrUnsupported)
	}
	if size == 0 { // objects: a pickle of its own follows
		inner := m.b.machine(m.src, m.at)
		inner.inline = inner.joblibArray
		r, end, err := inner.load(ctx, next)
		g.alias[target] = r
		return end, err
	}
	n := size
	for _, d := range shape {
		if d < 0 || d > 0 && n > m.src.Size/d {
			return 0, fmt.Errorf("joblib array of shape %v is larger than the file", shape)
		}
		n *= d
	}
	if align := g.lookup(state, "numpy_array_alignment_bytes"); align != 0 { // joblib 1.1: a count of padding bytes first
		pad, err := m.src.Bytes(next, 1, 1)
		if err != nil {
			return 0, err
		}
		next += 1 + int64(pad[0])
	}
	data, err := m.fileBytes(next, n)
	if err != nil {
		return 0, fmt.Errorf("joblib array: %w", err)
	}
	g.alias[target] = g.addRefs(kCall, nil, g.intern("joblib.array"), dtype, g.lookup(state, "shape"), g.lookup(state, "order"), data)
	return next + n, nil
}

// fileBytes is a bytes node for a range of the source.
func (m *machine) fileBytes(off, n int64) (Ref, error) {
	if off < 0 || n < 0 || off > m.src.Size || n > m.src.Size-off {
		return 0, fmt.Errorf("%d bytes at %#x lie outside the %d bytes there are", n, off, m.src.Size)
	}
	if at, ok := m.at.file(off); ok {
		return m.g.span(at, n), nil
	}
	b, err := m.src.Bytes(off, n, maxString)
	if err != nil {
		return 0, err
	}
	return m.g.str(kBytes, b), nil
}

// dtypeSize is the item size in bytes of a numpy dtype node; 0 for objects.
func (g *graph) dtypeSize(dtype Ref) (int64, bool) {
	if g.kind(dtype) != kCall {
		return 0, false
	}
	run := g.run(dtype)
	spec := 1
	if string(g.bytes(Ref(run[0]))) == "numpy.dtype+state" {
		spec = 2
	} else if string(g.bytes(Ref(run[0]))) != "numpy.dtype" {
		return 0, false
	}
	text, _ := g.text(Ref(run[spec]))
	if text == "" {
		return 0, false
	}
	if text[0] == 'O' {
		return 0, true
	}
	n, err := strconv.ParseInt(text[1:], 10, 32)
	if text[0] == 'U' {
		n *= 4
	}
	return n, err == nil && n > 0
}
