package gguf

import (
	"fmt"
	"io"
	"math"
	"math/bits"

	"github.com/secure-torch/secure-torch/modelscan"
)

// maxDims of a tensor: readers keep them in an array of four.
const maxDims = 4

// block is how many elements a quantised type packs into how many bytes.
type block struct {
	name            string
	elements, bytes uint64
}

// blocks by type number (ggml.h, enum ggml_type). Numbers that were removed have no entry.
var blocks = map[uint64]block{
	0: {"F32", 1, 4}, 1: {"F16", 1, 2}, 2: {"Q4_0", 32, 18}, 3: {"Q4_1", 32, 20}, 6: {"Q5_0", 32, 22}, 7: {"Q5_1", 32, 24},
	8: {"Q8_0", 32, 34}, 9: {"Q8_1", 32, 40}, 10: {"Q2_K", 256, 84}, 11: {"Q3_K", 256, 110}, 12: {"Q4_K", 256, 144},
	13: {"Q5_K", 256, 176}, 14: {"Q6_K", 256, 210}, 15: {"Q8_K", 256, 292}, 16: {"IQ2_XXS", 256, 66}, 17: {"IQ2_XS", 256, 74},
	18: {"IQ3_XXS", 256, 98}, 19: {"IQ1_S", 256, 50}, 20: {"IQ4_NL", 32, 18}, 21: {"IQ3_S", 256, 110}, 22: {"IQ2_S", 256, 82},
	23: {"IQ4_XS", 256, 136}, 24: {"I8", 1, 1}, 25: {"I16", 1, 2}, 26: {"I32", 1, 4}, 27: {"I64", 1, 8}, 28: {"F64", 1, 8},
	29: {"IQ1_M", 256, 56}, 30: {"BF16", 1, 2}, 34: {"TQ1_0", 256, 54}, 35: {"TQ2_0", 256, 66}, 39: {"MXFP4", 32, 17},
	40: {"NVFP4", 64, 36}, 41: {"Q1_0", 128, 18},
}

// removed numbers stood for types that ggml had once: Q4_2, Q4_3, and repacked ones.
var removed = map[uint64]bool{4: true, 5: true, 31: true, 32: true, 33: true, 36: true, 37: true, 38: true}

// lastKind is the highest number known here.
const lastKind = 41

// tensors reads the tensor infos and checks that the data they point at is there.
func (f *file) tensors(n uint64) error {
	end := uint64(0) // of the data, counted from its start
	for i := range n {
		if err := f.ctx.Err(); err != nil {
			return err
		}
		last, err := f.tensor()
		if err != nil {
			return fmt.Errorf("tensor %d: %w", i, err)
		}
		end = max(end, last)
	}
	if n == 0 {
		return nil
	}
	start := (uint64(f.off) + f.alignment - 1) &^ (f.alignment - 1)
	if end > math.MaxInt64 || start+end > uint64(f.p.Size) {
		return fmt.Errorf("tensor data up to %#x: %w", start+end, io.ErrUnexpectedEOF)
	}
	return nil
}

// tensor reads one tensor info and returns where its data ends.
func (f *file) tensor() (end uint64, err error) {
	at := f.off
	name, err := f.name()
	if err != nil {
		return 0, err
	}
	if !f.names.add("tensor ", name) {
		f.p.Fail(f.p.Name, at, fmt.Errorf("the tensor %q is there twice: readers take one or the other, or refuse", name))
	}
	dims, err := f.number(4)
	if err != nil {
		return 0, err
	}
	if dims > maxDims {
		return 0, f.hostile(at, name, fmt.Sprintf("the tensor %q has %d dimensions", name, dims))
	}
	elements := uint64(1)
	shape := make([]int64, dims)
	for i := range shape {
		d, err := f.number(f.wide())
		if err != nil {
			return 0, err
		}
		hi, lo := bits.Mul64(elements, d)
		if hi > 0 || lo > math.MaxInt64 || d > math.MaxInt64 {
			return 0, f.hostile(at, name, fmt.Sprintf("the shape of tensor %q overflows", name))
		}
		elements, shape[i] = lo, int64(d)
	}
	kind, err := f.number(4)
	if err != nil {
		return 0, err
	}
	off, err := f.number(8)
	if err != nil {
		return 0, err
	}
	return f.place(at, name, shape, elements, kind, off)
}

// wide is the size of a dimension: version 1 has 32-bit ones.
func (f *file) wide() int {
	if f.version == 1 {
		return 4
	}
	return 8
}

func (f *file) place(at int64, name string, shape []int64, elements, kind, off uint64) (uint64, error) {
	b, known := blocks[kind]
	switch {
	case removed[kind]: // llama.cpp names them and refuses them
		b = block{fmt.Sprintf("type %d", kind), 1, 0}
	case !known && kind > lastKind:
		return 0, fmt.Errorf("tensor %q has type %d, which no reader knows: %w", name, kind, modelscan.ErrNotSupported)
	case !known:
		return 0, fmt.Errorf("tensor %q has type %d, which was never given out", name, kind)
	}
	if known && len(shape) > 0 && uint64(shape[0])%b.elements != 0 {
		return 0, fmt.Errorf("tensor %q has rows of %d elements, which are no multiple of the %d that %s packs", name, shape[0], b.elements, b.name)
	}
	hi, size := bits.Mul64((elements+b.elements-1)/b.elements, b.bytes)
	end, carry := bits.Add64(off, size, 0)
	switch {
	case hi > 0, carry > 0, end > math.MaxInt64:
		return 0, f.hostile(at, name, fmt.Sprintf("the data of tensor %q lies at an offset that overflows", name))
	case off%f.alignment != 0:
		return 0, fmt.Errorf("tensor %q at offset %#x is not aligned to %d bytes", name, off, f.alignment)
	}
	if off != f.next { // gguf.cpp refuses the file
		f.p.Fail(f.p.Name, at, fmt.Errorf("tensor %q lies at offset %#x, the one before it ends at %#x: llama.cpp refuses", name, off, f.next))
	}
	f.next = (end + f.alignment - 1) &^ (f.alignment - 1)
	if f.p.Limits.MaxFacts > 0 {
		f.p.Emit.Fact(modelscan.Fact{Kind: modelscan.TensorFact, Path: f.p.Name, Name: name, DType: b.name, Shape: shape, Offset: int64(off), Size: int64(size)})
	}
	return end, nil
}
