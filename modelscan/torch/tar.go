package torch

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
	"github.com/secure-torch/secure-torch/modelscan/tar"

	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// Tar is what torch.save wrote before 0.1.10: a tar of "storages", "tensors" and "pickle"
// (torch/serialization.py, legacy_load).
var Tar = &tar.Profile{Name: "torch-tar", Open: func(names map[string]bool) func(string) *modelscan.Format {
	if !names["pickle"] || !names["storages"] && !names["tensors"] {
		return nil
	}
	return func(name string) *modelscan.Format {
		switch name {
		case "pickle":
			return stateDict
		case "storages":
			return &modelscan.Format{Name: pickle.Format.Name, Scan: scanStorages}
		case "tensors":
			return &modelscan.Format{Name: pickle.Format.Name, Scan: scanTensors}
		}
		return nil
	}
}}

// storageType in a storage's pickle tells the size of its elements.
var storageType = pattern.Lazy(`torch(?:\.cuda|\.sparse)?\n(Double|Float|BFloat16|Half|Long|Int|Short|Char|Byte|Bool|ComplexFloat|ComplexDouble)Storage\n`)

// elementSize is in bytes, by the storage class without its "Storage".
var elementSize = map[string]int64{
	"Double": 8, "Float": 4, "BFloat16": 2, "Half": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1, "Bool": 1,
	"ComplexFloat": 8, "ComplexDouble": 16, "QInt8": 1, "QUInt8": 1, "QInt32": 4, "QUInt4x2": 1, "QUInt2x4": 1,
	"Untyped": 1, "_Untyped": 1,
}

// scanStorages reads a count, then for each storage a pickle (key, location, type), its number of elements
// and the elements; then a pickle of the views.
func scanStorages(ctx context.Context, p *modelscan.Pass) error {
	return alternate(ctx, p, func(start, end int64) (int64, error) {
		b, err := p.Bytes(start, end-start, 64<<10)
		if err != nil {
			return 0, err
		}
		m := storageType().FindSubmatch(b)
		if m == nil {
			return 0, nil // the count, or the views
		}
		n, err := p.Bytes(end, 8, 8)
		if err != nil {
			return 0, err
		}
		elements, size := int64(binary.LittleEndian.Uint64(n)), elementSize[string(m[1])]
		if elements < 0 || elements > p.Size/size {
			return 0, fmt.Errorf("storage at %#x of %d elements", end, elements)
		}
		return 8 + elements*size, nil
	})
}

// scanTensors reads a count, then for each tensor a pickle (key, storage, type), dimensions, sizes, strides, offset.
func scanTensors(ctx context.Context, p *modelscan.Pass) error {
	first := true
	return alternate(ctx, p, func(_, end int64) (int64, error) {
		if first {
			first = false
			return 0, nil
		}
		b, err := p.Bytes(end, 4, 4)
		if err != nil {
			return 0, err
		}
		dims := int64(binary.LittleEndian.Uint32(b))
		if dims > 64 {
			return 0, fmt.Errorf("tensor at %#x of %d dimensions", end, dims)
		}
		return 8 + 16*dims + 8, nil
	})
}

// alternate scans pickles with plain bytes between them; after tells how many follow the pickle in [start, end).
func alternate(ctx context.Context, p *modelscan.Pass, after func(start, end int64) (int64, error)) error {
	for off := int64(0); off < p.Size; {
		res, err := pickle.Scan(ctx, p, pickle.Options{Dialect: pickle.Torch, Start: off, MaxStreams: 1})
		if err != nil {
			return err
		}
		n, err := after(off, res.End)
		if err != nil {
			return err
		}
		off = res.End + n
		if rest, err := p.Bytes(off, min(p.Size-off, 512), 512); err == nil && int64(len(rest)) == p.Size-off && bytes.Count(rest, []byte{0}) == len(rest) {
			return nil
		}
	}
	return nil
}
