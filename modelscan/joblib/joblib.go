// Package joblib reads pickles as joblib.load does: where the stream has just built a NumpyArrayWrapper, the
// bytes of an array stand between its opcodes.
package joblib

import (
	"context"
	"fmt"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/numpy"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
)

// Format stands in the list for pickle.Format: a stream without a wrapper is read by both loaders alike.
var Format = &modelscan.Format{Name: pickle.Format.Name, Sniff: pickle.Sniff, Scan: scan}

// reading is one turn at a stream.
type reading struct {
	*modelscan.Pass
	arrays int
	see    func(off, n int64) // is told of the numbers' bytes, where it is set
}

func scan(ctx context.Context, p *modelscan.Pass) error {
	r := &reading{Pass: p}
	_, err := pickle.Scan(ctx, p, pickle.Options{Dialect: pickle.Joblib, AfterBuild: r.afterBuild})
	if r.arrays == 0 {
		return err
	}
	p.Emit.Claim("joblib")
	// pickle.load takes the arrays' bytes for opcodes. It breaks there, unless they were made for it.
	plain := *p
	plain.Emit = accusing{p.Emit}
	_, _ = pickle.Scan(ctx, &plain, pickle.Options{})
	return err
}

// accusing lets only what would do harm through: of a reading that is expected to break. Among numbers an
// extension code is one byte of them, and CPython refuses one that nobody registered.
type accusing struct{ modelscan.Sink }

func (a accusing) Finding(f modelscan.Finding) {
	if f.Rule.Severity() >= rule.High && f.Rule != rule.PickleExtensionCode {
		a.Sink.Finding(f)
	}
}

func (accusing) Gap(modelscan.Gap)   {}
func (accusing) Fact(modelscan.Fact) {}
func (accusing) Note(string)         {}

// afterBuild passes over what joblib.load reads by itself (joblib/numpy_pickle.py, load_build).
func (r *reading) afterBuild(ctx context.Context, b pickle.Built) (int64, error) {
	switch b.Module + "." + b.Name {
	case "joblib.numpy_pickle.NumpyArrayWrapper", "sklearn.externals.joblib.numpy_pickle.NumpyArrayWrapper":
		r.arrays++
		return r.array(ctx, b)
	case "joblib.numpy_pickle.NDArrayWrapper", "joblib.numpy_pickle_compat.NDArrayWrapper", "joblib.numpy_pickle_compat.ZNDArrayWrapper",
		"joblib.numpy_pickle.ZNDArrayWrapper", "sklearn.externals.joblib.numpy_pickle.NDArrayWrapper", "sklearn.externals.joblib.numpy_pickle.ZNDArrayWrapper":
		r.arrays++
		r.sideFile(b)
	}
	return b.Pos, nil
}

// array is NumpyArrayWrapper.read_array: objects are a pickle of their own, numbers come behind padding.
func (r *reading) array(ctx context.Context, b pickle.Built) (int64, error) {
	dtype, _ := b.State.Get("dtype")
	item, plain, object := describe(dtype)
	if object || !plain {
		res, err := pickle.Scan(ctx, r.Pass, pickle.Options{Dialect: pickle.NumpyObject, Start: b.Pos, MaxStreams: 1})
		if err != nil && !object {
			return 0, fmt.Errorf("array of an unknown dtype at %#x: %w", b.Pos, err)
		}
		return res.End, err
	}
	return r.numbers(b, item)
}

// size returns the bytes of an array of plain elements of the given size.
func (r *reading) size(b pickle.Built, item int64) (int64, error) {
	shape, ok := b.State.Get("shape")
	if !ok || shape.Kind != pickle.TupleNode && shape.Kind != pickle.ListNode || shape.Cut {
		return 0, fmt.Errorf("array of an unknown shape at %#x", b.Pos)
	}
	size := item
	for _, n := range shape.Items {
		if n.Kind != pickle.IntNode || n.Int < 0 || n.Int > 0 && size > r.Size/n.Int {
			return 0, fmt.Errorf("array at %#x is larger than the %d bytes there are", b.Pos, r.Size)
		}
		size *= n.Int
	}
	return size, nil
}

// numbers returns the offset behind an array of plain elements of the given size.
func (r *reading) numbers(b pickle.Built, item int64) (int64, error) {
	size, err := r.size(b, item)
	if err != nil {
		return 0, err
	}
	at := b.Pos
	if align, ok := b.State.Get("numpy_array_alignment_bytes"); ok && align.Kind != pickle.NoneNode { // since joblib 1.2
		pad, err := r.Bytes(at, 1, 1)
		if err != nil {
			return 0, fmt.Errorf("padding: %w", err)
		}
		at += 1 + int64(pad[0])
	}
	if at > r.Size || size > r.Size-at {
		return 0, fmt.Errorf("array of %d bytes at %#x is cut off", size, at)
	}
	if r.see != nil {
		r.see(at, size)
	}
	return at + size, nil
}

// describe tells what kind of elements a dtype's node has: the call numpy.dtype("f8", False, True) with the
// state (3, '<', subdtype, names, fields, size, alignment, flags).
func describe(n pickle.Node) (item int64, plain, object bool) {
	if n.Kind != pickle.CallNode || len(n.Items) < 2 || n.Items[1].Kind != pickle.StrNode {
		return 0, false, false
	}
	text := n.Items[1].Text
	if numpy.Object(text) {
		return 0, false, true
	}
	item, plain = numpy.ItemSize(text)
	if n.State == nil {
		return item, plain, false
	}
	s := n.State.Items
	if n.State.Cut || len(s) < 8 {
		return item, false, false
	}
	if s[7].Kind == pickle.IntNode && s[7].Int&1 != 0 { // NPY_ITEM_REFCOUNT
		return item, false, true
	}
	p, o := fields(s[4])
	plain, object = plain && p, o
	if s[5].Kind == pickle.IntNode && s[5].Int > 0 { // the size of a structure
		item = s[5].Int
	}
	return item, plain && !object, object
}

// fields tells of a structure's fields, a dictionary of (dtype, offset), whether all are plain, and whether
// one holds objects.
func fields(n pickle.Node) (plain, object bool) {
	plain = n.Kind == pickle.NoneNode || n.Kind == pickle.DictNode && !n.Cut
	for i := 1; n.Kind == pickle.DictNode && i < len(n.Items); i += 2 {
		if f := n.Items[i]; len(f.Items) > 0 {
			_, p, o := describe(f.Items[0])
			plain, object = plain && p, object || o
		}
	}
	return plain, object
}

// sideFile is NDArrayWrapper.read of joblib before 0.10: numpy.load of a file beside this one, pickles allowed.
func (r *reading) sideFile(b pickle.Built) {
	name, _ := b.State.Get("filename")
	if why := modelscan.Escapes(name.Text); why != "" {
		r.Emit.Finding(modelscan.Finding{Rule: rule.JoblibSideFile, Path: r.Name, Offset: b.Pos, Subject: name.Text,
			Message: fmt.Sprintf("would load the array file %q, which %s", name.Text, why)})
	}
	r.Fail(r.Name, b.Pos, fmt.Errorf("joblib loads the file %q from beside this one, scan it too: %w", name.Text, modelscan.ErrNotSupported))
}
