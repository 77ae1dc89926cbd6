// Package numpy reads .npy files (NEP 1) and knows an .npz when it sees one. Only arrays of Python objects
// can do harm: they are a pickle.
package numpy

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
	"github.com/secure-torch/secure-torch/modelscan/zip"
)

// Format is one array.
var Format = &modelscan.Format{Name: "npy", Sniff: sniff, Scan: scan}

// Npz is numpy.load's use of a zip: every member that begins like an .npy is one, whatever its name.
var Npz = &zip.Profile{Name: "npz", Open: func(a *zip.Archive) *zip.Use {
	for _, e := range a.Entries {
		if !strings.HasSuffix(e.Name, ".npy") {
			return nil
		}
	}
	if len(a.Entries) == 0 {
		return nil
	}
	return &zip.Use{}
}}

const magic = "\x93NUMPY"

// maxHeader is far above numpy's own limit of 10,000 bytes, which it drops with allow_pickle.
const maxHeader = 1 << 20

func sniff(p modelscan.Probe) modelscan.Confidence {
	if bytes.HasPrefix(p.Head, []byte(magic)) {
		return modelscan.Yes
	}
	return modelscan.No
}

// Header of an array.
type Header struct {
	Shape  []int64
	Item   int64 // bytes per element, 0 where Plain is false
	Plain  bool  // certainly no Python objects
	Object bool  // certainly Python objects
	Descr  string
	Data   int64 // offset of the data
}

// ReadHeader decodes the header of the array at the start of src.
func ReadHeader(src modelscan.Source) (Header, error) {
	var h Header
	b, err := src.Bytes(0, 12, 12)
	if err != nil {
		return h, err
	}
	size := int64(binary.LittleEndian.Uint16(b[8:]))
	h.Data = 10
	switch {
	case b[7] == 0 && b[6] == 1:
	case b[7] == 0 && (b[6] == 2 || b[6] == 3):
		size, h.Data = int64(binary.LittleEndian.Uint32(b[8:])), 12
	default:
		return h, fmt.Errorf("version %d.%d of the npy format", b[6], b[7])
	}
	text, err := src.Bytes(h.Data, size, maxHeader)
	if err != nil {
		return h, fmt.Errorf("header: %w", err)
	}
	h.Data += size
	p := &parser{text: string(text)}
	v, err := p.value()
	if err != nil {
		return h, err
	}
	if p.peek() != 0 || p.pos < len(p.text) {
		return h, p.fail("something behind the dictionary")
	}
	d, ok := v.(map[string]literal)
	if !ok {
		return h, p.fail("no dictionary")
	}
	return h, h.fill(d)
}

func (h *Header) fill(d map[string]literal) error {
	shape, ok := d["shape"].([]literal)
	if !ok || len(shape) > 64 {
		return fmt.Errorf("shape %v", d["shape"])
	}
	for _, n := range shape {
		v, ok := n.(int64)
		if !ok || v < 0 {
			return fmt.Errorf("shape %v", d["shape"])
		}
		h.Shape = append(h.Shape, v)
	}
	if _, ok := d["fortran_order"].(bool); !ok {
		return fmt.Errorf("fortran_order %v", d["fortran_order"])
	}
	h.Descr = fmt.Sprint(d["descr"])
	h.Item, h.Plain, h.Object = describe(d["descr"])
	return nil
}

// describe tells what numpy's descr_to_dtype makes of a descriptor: a text, a list of fields, or a pair of a
// descriptor and a shape.
func describe(v literal) (item int64, plain, object bool) {
	switch v := v.(type) {
	case string:
		item, plain = ItemSize(v)
		return item, plain, Object(v)
	case []literal:
		plain = len(v) > 0
		if len(v) == 2 { // (descr, shape): a sub-array, unless these are two fields
			if shape, ok := v[1].([]literal); ok && (len(shape) == 0 || isInt(shape[0])) {
				item, plain, object = describe(v[0])
				return times(item, shape, plain, object)
			}
		}
		for _, f := range v {
			n, p, o := describeField(f)
			item, plain, object = item+n, plain && p, object || o
		}
		return item, plain && item >= 0 && item < 1<<40, object
	}
	return 0, false, false
}

// describeField is describe for a (name, descriptor) or (name, descriptor, shape).
func describeField(v literal) (item int64, plain, object bool) {
	f, ok := v.([]literal)
	if !ok || len(f) < 2 || len(f) > 3 {
		return 0, false, false
	}
	item, plain, object = describe(f[1])
	if len(f) == 3 {
		shape, ok := f[2].([]literal)
		if !ok {
			shape = []literal{f[2]}
		}
		return times(item, shape, plain, object)
	}
	return item, plain, object
}

func isInt(v literal) bool { _, ok := v.(int64); return ok }

func times(item int64, shape []literal, plain, object bool) (int64, bool, bool) {
	for _, n := range shape {
		v, ok := n.(int64)
		if !ok || v < 0 || v > 1<<31 || item > 1<<31 {
			return 0, false, object
		}
		item *= v
	}
	return item, plain, object
}

func scan(ctx context.Context, p *modelscan.Pass) error {
	h, err := ReadHeader(p.Source)
	if err != nil {
		return err
	}
	if !h.Plain {
		return scanObjects(ctx, p, h)
	}
	size := h.Item
	for _, n := range h.Shape {
		if n > 0 && size > p.Size/n {
			return fmt.Errorf("array of shape %v is larger than the %d bytes there are", h.Shape, p.Size)
		}
		size *= n
	}
	end := h.Data + size
	if end > p.Size {
		return fmt.Errorf("array of %d bytes at %#x is cut off", size, h.Data)
	}
	p.Emit.Fact(modelscan.Fact{Kind: modelscan.TensorFact, Path: p.Name, DType: h.Descr, Shape: h.Shape, Offset: h.Data, Size: size})
	if end < p.Size { // numpy.save writes one array behind another into an open file
		p.Emit.Descend(ctx, p.Member(fmt.Sprintf("[%#x-%#x]", end, p.Size), io.NewSectionReader(p.R, end, p.Size-end), p.Size-end))
	}
	return nil
}

// scanObjects reads what numpy.load(allow_pickle=True) unpickles. Where the descriptor leaves a doubt, the
// data is read both ways.
func scanObjects(ctx context.Context, p *modelscan.Pass, h Header) error {
	if !h.Object {
		p.Fail(p.Name, 10, fmt.Errorf("npy: dtype %s: %w", h.Descr, modelscan.ErrNotSupported))
		head, err := p.Bytes(h.Data, min(p.Size-h.Data, modelscan.ProbeSize), modelscan.ProbeSize)
		if err != nil || pickle.Sniff(modelscan.Probe{Head: head, Tail: head, Size: p.Size - h.Data}) == modelscan.No {
			return err
		}
	}
	p.Emit.Finding(modelscan.Finding{Rule: rule.NpyObjectArray, Path: p.Name, Offset: h.Data, Subject: "dtype " + h.Descr,
		Message: "array of Python objects: numpy.load(allow_pickle=True) unpickles it, and numpy refuses without"})
	_, err := pickle.Scan(ctx, p, pickle.Options{Dialect: pickle.NumpyObject, Start: h.Data})
	return err
}
