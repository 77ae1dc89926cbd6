package index

import (
	"context"
	"errors"
	"fmt"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/compress"
	"github.com/secure-torch/secure-torch/modelscan/safetensors"
)

// collector keeps what a scanner says of a file that is to be loaded: its tensors and what is inside.
type collector struct {
	facts    []modelscan.Fact
	sources  []modelscan.Source
	findings int // above info
	gaps     []string
}

func (c *collector) Finding(f modelscan.Finding) {
	if f.Rule.Severity() > rule.Info {
		c.findings++
	}
}

func (c *collector) Gap(g modelscan.Gap)   { c.gaps = append(c.gaps, g.Reason) }
func (c *collector) Fact(f modelscan.Fact) { c.facts = append(c.facts, f) }
func (c *collector) Descend(_ context.Context, s modelscan.Source) bool {
	c.sources = append(c.sources, s)
	return true
}
func (c *collector) Claim(string) {}
func (c *collector) Note(string)  {}

func (b *builder) collect(ctx context.Context, f *modelscan.Format, src modelscan.Source) (*collector, error) {
	c := &collector{}
	err := f.Scan(ctx, &modelscan.Pass{
		Source: src, Limits: b.limits, Emit: c, Unpacked: modelscan.NewBudget(b.limits, src.Size), Claimed: modelscan.Yes,
	})
	if err == nil && len(c.gaps) > 0 {
		err = errors.New(c.gaps[0])
	}
	return c, err
}

// safetensorTypes are torch's names for the format's dtypes.
var safetensorTypes = map[string]string{
	"BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32", "U64": "uint64", "I64": "int64",
	"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64", "C64": "complex64",
	"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu", "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz",
}

func isSafetensors(head []byte) bool {
	return safetensors.Format.Sniff(modelscan.Probe{Head: head}) == modelscan.Yes
}

// safetensors is a dict of tensors in the header's order. A header that readers understand differently is refused.
func (b *builder) safetensors(ctx context.Context, src modelscan.Source, at origin) (Ref, error) {
	if !at.known {
		return 0, fmt.Errorf("compressed safetensors: %w", ErrUnsupported)
	}
	c, err := b.collect(ctx, safetensors.Format, src)
	if err == nil && c.findings > 0 {
		err = errors.New("readers would see different tensors in this file")
	}
	if err != nil {
		return 0, err
	}
	dict := b.g.add(kDict, 0)
	var items []Ref
	device := b.g.intern("cpu")
	for _, f := range c.facts {
		if f.Kind != modelscan.TensorFact {
			continue
		}
		dtype, ok := safetensorTypes[f.DType]
		if !ok {
			return 0, fmt.Errorf("dtype %s: %w", f.DType, ErrUnsupported)
		}
		name := b.g.intern(dtype)
		b.g.storages = append(b.g.storages, storage{
			text: at.text, off: at.base + f.Offset, stored: f.Size, nbytes: f.Size, dtype: name, device: device, root: -1,
		})
		strides := make([]int64, len(f.Shape))
		numel := int64(1)
		for i := len(f.Shape) - 1; i >= 0; i-- {
			strides[i] = numel
			numel *= max(f.Shape[i], 1)
		}
		if err := inside(0, f.Shape, strides, f.Size/itemSizes[dtype]); err != nil {
			return 0, fmt.Errorf("%q: %w", f.Name, err)
		}
		b.g.tensors = append(b.g.tensors, tensor{
			storage: int64(len(b.g.storages) - 1), dtype: name, dims: int64(len(b.g.dims)), ndim: int64(len(f.Shape)),
		})
		b.g.dims = append(append(b.g.dims, f.Shape...), strides...)
		items = append(items, b.g.str(kStr, []byte(f.Name)), b.g.add(kTensor, int64(len(b.g.tensors)-1)))
	}
	if len(items) > 0 {
		b.g.fill(kSetItems, dict, items)
	}
	return dict, b.g.check()
}

// compressed reads what a compressed file holds.
func (b *builder) compressed(ctx context.Context, f *modelscan.Format, src modelscan.Source) (Ref, error) {
	c, err := b.collect(ctx, f, src)
	if err != nil {
		return 0, err
	}
	if len(c.sources) != 1 {
		return 0, fmt.Errorf("%s: %w", f.Name, ErrUnsupported)
	}
	return b.any(ctx, c.sources[0], origin{})
}

// compression that the source has, nil for none.
func compression(probe modelscan.Probe) *modelscan.Format {
	for _, f := range compress.Formats {
		if f.Sniff(probe) == modelscan.Yes {
			return f
		}
	}
	return nil
}
