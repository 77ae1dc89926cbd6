// Package safetensors checks the header of a safetensors file. Nothing in this format executes; what can go
// wrong is that two readers see different tensors, or that something else is hidden in the file.
//
// The rules are those of the reference implementation (safetensors/src/tensor.rs, "validate"): a header of at
// most 100 MB, known dtypes, offsets that cover the data without holes or overlaps, nothing behind.
package safetensors

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"
)

// Format reads safetensors headers. Tensor data is not read.
var Format = &modelscan.Format{Name: "safetensors", Sniff: sniff, Scan: scan}

// maxHeader is the reference implementation's MAX_HEADER_SIZE, in bytes.
const maxHeader = 100_000_000

// sniff: eight bytes of length, then "{". A length beyond 2^48 is somebody else's magic number; one beyond what the
// format allows may be (a pickle of (None, "{…") begins so).
func sniff(p modelscan.Probe) modelscan.Confidence {
	if len(p.Head) < 9 || p.Head[6] != 0 || p.Head[7] != 0 || p.Head[8] != '{' {
		return modelscan.No
	}
	switch n := binary.LittleEndian.Uint64(p.Head); {
	case n < 2:
		return modelscan.No
	case n > maxHeader:
		return modelscan.Maybe
	}
	return modelscan.Yes
}

// bits per element of every dtype the reference implementation knows.
var bits = map[string]int64{
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E5M2FNUZ": 8, "F8_E4M3FNUZ": 8,
	"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
	"I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
	"I64": 64, "U64": 64, "F64": 64, "C64": 64,
}

// span is where a tensor's bytes lie, counted from the end of the header.
type span struct{ begin, end, at int64 }

type header struct {
	*modelscan.Pass
	lexer
	data  int64 // bytes of tensor data there are
	spans []span
	names map[string]bool
	zero  int
}

func scan(ctx context.Context, p *modelscan.Pass) error {
	b, err := p.Bytes(0, 8, 8)
	if err != nil {
		return err
	}
	n := binary.LittleEndian.Uint64(b)
	switch {
	case n > maxHeader:
		return fmt.Errorf("header claims %d bytes, the format allows %d", n, maxHeader)
	case int64(n) > p.Size-8:
		return fmt.Errorf("header claims %d bytes, the file has %d", n, p.Size)
	}
	h := &header{Pass: p, data: p.Size - 8 - int64(n), names: map[string]bool{}}
	h.lexer = lexer{r: bufio.NewReaderSize(io.NewSectionReader(p.R, 8, int64(n)), 64<<10), off: 8}
	if err := h.object(func(key string) error { return h.entry(ctx, key) }); err != nil {
		return err
	}
	if err := h.rest(8 + int64(n)); err != nil {
		return err
	}
	h.layout(ctx, 8+int64(n))
	return nil
}

func (h *header) find(id rule.ID, at int64, subject, format string, args ...any) {
	h.Emit.Finding(modelscan.Finding{Rule: id, Path: h.Name, Offset: at, Subject: subject, Message: fmt.Sprintf(format, args...)})
}

// rest allows nothing but white space behind the object: writers pad with blanks.
func (h *header) rest(end int64) error {
	for h.off < end {
		if c, err := h.next(); err == nil {
			return h.fail("%q behind the header's object", c)
		} else if !errors.Is(err, errSyntax) {
			return err
		}
	}
	return nil
}

// entry reads one key of the header and its value.
func (h *header) entry(ctx context.Context, key string) error {
	at := h.off
	if h.names[key] {
		h.find(rule.SafetensorsAmbiguous, at, key, "the header describes %q twice: readers take the first, the last, or refuse", key)
	}
	if len(h.names) >= h.Limits.MaxEntries {
		return fmt.Errorf("more than %d tensors: %w", h.Limits.MaxEntries, modelscan.ErrLimit)
	}
	if len(h.names)&0xfff == 0 && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	h.names[key] = true
	if key == "__metadata__" {
		return h.object(func(name string) error {
			value, err := h.text()
			if err != nil {
				return fmt.Errorf("__metadata__ %q is not a text: %w", name, err)
			}
			if code := codetext.Find(value); code != "" {
				h.find(rule.MetadataCode, at, name, "the metadata %q holds code: %s", name, code)
			}
			h.Emit.Fact(modelscan.Fact{Kind: modelscan.MetadataFact, Path: h.Name, Name: name, Value: value})
			return nil
		})
	}
	if err := h.tensor(key, at); err != nil {
		return fmt.Errorf("tensor %q: %w", key, err)
	}
	return nil
}

// tensor reads {"dtype": …, "shape": […], "data_offsets": [begin, end]}.
func (h *header) tensor(name string, at int64) error {
	var dtype string
	var shape, offsets []int64
	seen := map[string]bool{}
	err := h.object(func(key string) (err error) {
		if seen[key] {
			h.find(rule.SafetensorsAmbiguous, h.off, name, "tensor %q has the field %q twice: readers take the first, the last, or refuse", name, key)
		}
		seen[key] = true
		switch key {
		case "dtype":
			dtype, err = h.text()
		case "shape":
			shape, err = h.naturals(64)
		case "data_offsets":
			offsets, err = h.naturals(2)
		default:
			err = h.fail("unknown field %q", key)
		}
		return err
	})
	if err != nil {
		return err
	}
	if !seen["dtype"] || !seen["shape"] || len(offsets) != 2 {
		return fmt.Errorf("dtype, shape and two data_offsets are all needed")
	}
	return h.place(name, at, dtype, shape, offsets)
}

// place checks a tensor's size against its offsets, and keeps it.
func (h *header) place(name string, at int64, dtype string, shape, offsets []int64) error {
	size, ok := bits[dtype]
	if !ok {
		return fmt.Errorf("dtype %q is not one of the format's", dtype)
	}
	for _, n := range shape {
		if n > 0 && size > (1<<62)/n {
			return fmt.Errorf("shape %v is larger than any file", shape)
		}
		size *= n
	}
	begin, end := offsets[0], offsets[1]
	switch {
	case begin > end || end > h.data:
		return fmt.Errorf("data_offsets %v lie outside the %d bytes of data", offsets, h.data)
	case size%8 != 0 || end-begin != size/8:
		return fmt.Errorf("%s of shape %v has %d bits, its data_offsets give it %d bytes", dtype, shape, size, end-begin)
	}
	if size == 0 {
		h.zero++
	}
	h.spans = append(h.spans, span{begin, end, at})
	h.Emit.Fact(modelscan.Fact{Kind: modelscan.TensorFact, Path: h.Name, Name: name, DType: dtype, Shape: shape, Offset: h.Size - h.data + begin, Size: end - begin})
	return nil
}

// naturals reads an array of at most n numbers.
func (h *header) naturals(n int) ([]int64, error) {
	list := []int64{}
	err := h.list('[', ']', func() error {
		if len(list) == n {
			return h.fail("more than %d numbers", n)
		}
		v, err := h.natural()
		list = append(list, v)
		return err
	})
	return list, err
}

// layout reports overlaps, holes and what lies behind the last tensor. Each is reported once.
func (h *header) layout(ctx context.Context, data int64) {
	slices.SortFunc(h.spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end)) })
	end := int64(0)
	overlaps, holes := 0, 0
	for _, s := range h.spans {
		switch {
		case s.begin < end && s.end > s.begin:
			if overlaps++; overlaps == 1 {
				h.find(rule.SafetensorsAmbiguous, s.at, "data_offsets", "two tensors share bytes from %#x on: the reference reader refuses the file", data+s.begin)
			}
		case s.begin > end:
			if holes++; holes == 1 {
				h.find(rule.SafetensorsAmbiguous, data+end, "data_offsets", "%d bytes at %#x belong to no tensor: the reference reader refuses the file", s.begin-end, data+end)
			}
			if holes <= 64 {
				h.hidden(ctx, data+end, s.begin-end)
			}
		}
		end = max(end, s.end)
	}
	if end < h.data {
		h.find(rule.SafetensorsAmbiguous, data+end, "trailing bytes", "%d bytes follow the last tensor: the reference reader refuses the file", h.data-end)
		h.hidden(ctx, data+end, h.data-end)
	}
	if h.zero > 0 {
		h.find(rule.SafetensorsZeroSize, 0, "shape", "%d tensors have no elements", h.zero)
	}
}

// hidden offers bytes that belong to no tensor to all formats.
func (h *header) hidden(ctx context.Context, at, size int64) {
	h.Emit.Descend(ctx, h.Source.Member(fmt.Sprintf("[%#x-%#x]", at, at+size), io.NewSectionReader(h.R, at, size), size))
}
