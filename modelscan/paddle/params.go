package paddle

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
	"github.com/secure-torch/secure-torch/modelscan/wire"
)

// Params are tensors behind one another: a version of 0, levels of detail, a version of 0 again, a TensorDesc, numbers.
var Params = &modelscan.Format{Name: "paddle-params", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	const before = 16 // both versions, no levels
	if len(p.Head) < before+6 || !bytes.Equal(p.Head[:before], make([]byte, before)) {
		return modelscan.No
	}
	if n := p.Head[before]; n < 2 || !bytes.Equal(p.Head[before+1:before+5], []byte{0, 0, 0, descType << 3}) {
		return modelscan.No
	}
	return modelscan.Maybe
}, Scan: scanParams}

// Fields of a TensorDesc.
const (
	descType = 1
	descDims = 2
)

// widths of the types of numbers (VarType.Type), in bytes.
var widths = map[uint64]uint64{0: 1, 1: 2, 2: 4, 3: 8, 4: 2, 5: 4, 6: 8, 19: 8, 20: 1, 21: 1, 22: 2, 23: 8, 24: 16, 32: 1, 33: 1}

const (
	maxLevels = 64
	maxDesc   = 4096
)

var errTensor = errors.New("not a tensor of PaddlePaddle")

// tensors are read one behind the other.
type tensors struct {
	p   *modelscan.Pass
	w   *window.Window
	off int64
	n   int
}

func scanParams(ctx context.Context, p *modelscan.Pass) error {
	t := &tensors{p: p, w: window.New(p.R, p.Size)}
	for t.off < p.Size {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := t.off
		err := t.tensor()
		if err == nil {
			t.n++
			continue
		}
		if t.n == 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err // something else that begins with zeros
		}
		p.Fail(p.Name, at, fmt.Errorf("paddle: tensor %d at %#x: %w", t.n, at, err))
		if rest := p.Size - at; errors.Is(err, errTensor) {
			p.Emit.Descend(ctx, p.Member("[behind]", io.NewSectionReader(p.R, at, rest), rest))
		}
		return nil
	}
	return nil
}

func (t *tensors) skip(n uint64) {
	if t.w.Err == nil && n > uint64(max(t.w.Len()-t.off, 0)) {
		t.w.Err = fmt.Errorf("%d bytes at %#x: %w", n, t.off, io.ErrUnexpectedEOF)
	}
	if t.w.Err == nil {
		t.off += int64(n)
	}
}

func (t *tensors) number(n int64) uint64 {
	t.off += n
	return t.w.Uint(t.off-n, n)
}

func (t *tensors) tensor() error {
	version, levels := t.number(4), t.number(8)
	if t.w.Err == nil && (version != 0 || levels > maxLevels) {
		return errTensor
	}
	for range levels {
		t.skip(t.number(8))
	}
	version, size := t.number(4), t.number(4)
	if t.w.Err == nil && (version != 0 || size < 2 || size > maxDesc) {
		return errTensor
	}
	at := t.off
	if t.skip(size); t.w.Err != nil {
		return t.w.Err
	}
	need, err := t.desc(at, int64(size))
	if err != nil {
		return err
	}
	t.skip(need)
	return t.w.Err
}

// desc reads a TensorDesc and tells how many bytes its numbers take.
func (t *tensors) desc(at, size int64) (uint64, error) {
	kind, dims := uint64(math.MaxUint64), []int64{}
	m := wire.Open(io.NewSectionReader(t.p.R, at, size), size)
	err := m.Each(func(f wire.Field) error {
		switch {
		case f.IsInt(descType):
			kind = f.Int
		case f.IsInt(descDims):
			dims = append(dims, int64(f.Int))
		default:
			return errTensor
		}
		return nil
	})
	width, known := widths[kind]
	if err != nil || !known {
		return 0, errors.Join(err, errTensor)
	}
	need, overflows := width, false
	for _, d := range dims {
		hi, lo := bits.Mul64(need, uint64(max(d, 0)))
		need, overflows = lo, overflows || hi > 0 || d < 0 || lo > math.MaxInt64
	}
	if overflows {
		t.p.Emit.Finding(modelscan.Finding{Rule: rule.ModelOutside, Path: t.p.Name, Offset: at, Subject: fmt.Sprintf("tensor %d", t.n), Message: fmt.Sprintf("the size of tensor %d of shape %v overflows", t.n, dims)})
		return math.MaxUint64, nil
	}
	if t.p.Limits.MaxFacts > 0 {
		t.p.Emit.Fact(modelscan.Fact{Kind: modelscan.TensorFact, Path: t.p.Name, Name: fmt.Sprint(t.n), DType: fmt.Sprint(kind), Shape: dims, Offset: t.off, Size: int64(need)})
	}
	return need, nil
}
