package catboost

import (
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/flatbuffer"
	"github.com/secure-torch/secure-torch/modelscan/window"
)

// Slots of TCtrValueTable.
const (
	tableIndex = 1
	tableBlob  = 2
)

// parts stand behind the core in the order in which it names them.
func (f *forest) parts(ids flatbuffer.Vector, at int64) error {
	for i := range ids.Len {
		var err error
		switch id := ids.Text(i, maxText); {
		case f.w.Err != nil:
			return f.w.Err
		case id == "static_provider_v1":
			at, err = f.tables(at)
		default:
			f.p.Fail(f.p.Name, at, fmt.Errorf("catboost: the model's part %q: %w", id, modelscan.ErrNotSupported))
			return nil
		}
		if err != nil {
			return err
		}
	}
	if rest := f.p.Size - at; rest > 0 {
		f.p.Emit.Descend(f.ctx, f.p.Member("[behind]", io.NewSectionReader(f.p.R, at, rest), rest))
	}
	return f.w.Err
}

// tables of what categories meant in training: a count, then each with its size before it.
func (f *forest) tables(at int64) (int64, error) {
	all := window.New(f.p.R, f.p.Size)
	n := all.Uint(at, 4)
	at += 4
	for i := uint64(0); i < n; i++ {
		size := int64(all.Uint(at, 4))
		at += 4
		if all.Err == nil && size > f.p.Size-at {
			all.Err = fmt.Errorf("table of %d bytes at %#x: %w", size, at, io.ErrUnexpectedEOF)
		}
		if all.Err != nil {
			return at, all.Err
		}
		if err := f.ctx.Err(); err != nil {
			return at, err
		}
		if err := f.table(i, at, size); err != nil {
			return at, err
		}
		at += size
	}
	return at, all.Err
}

// table checks that what the hashes of categories lead to is there.
func (f *forest) table(i uint64, at, size int64) error {
	const (
		bucket = 12 // a hash of 64 bits, an index of 32
		value  = 4  // the least that an index stands for
		none   = 1<<64 - 1
	)
	w := window.New(io.NewSectionReader(f.p.R, at, size), size)
	t := flatbuffer.Root(w)
	if err := t.Verify(f.ctx, f.ofTable); err != nil {
		return fmt.Errorf("table %d: %w", i, err)
	}
	index, blob := t.Vector(tableIndex, 1), t.Vector(tableBlob, 1)
	if w.Err == nil && index.Len%bucket != 0 {
		return fmt.Errorf("table %d with an index of %d bytes: %w", i, index.Len, errShape)
	}
	for k := int64(0); k < index.Len; k += bucket {
		hash, to := index.Block(k, 8), index.Block(k+8, 4)
		if hash != none && int64(to) >= max(blob.Len/value, 1) {
			f.tell(at+t.Off(), fmt.Sprintf("table %d", i), "a category leads to value %d of %d", to, blob.Len/value)
			break
		}
		if w.Err != nil {
			break
		}
	}
	return w.Err
}
