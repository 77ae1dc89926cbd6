// Package index describes what a model file holds so exactly that a loader can rebuild it without an
// unpickler: a flat table of nodes, the tensors among them as views of storages, the storages as ranges
// of the file. Nothing is called and no class is imported: what is not plain data becomes an opaque node.
//
// It has the same opcode decoder as the scan (modelscan/pickle), and believes no more: every storage is
// checked against the bytes there are, every tensor against its storage.
package index

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/tar"
)

// ErrUnsupported is wrapped by every error that says a file can't be loaded this way.
var ErrUnsupported = errors.New("not supported")

// MaxBytes bounds an index, and so the memory it takes: 20 MB hold a checkpoint of 100,000 tensors.
const MaxBytes = 240 << 20

// Index of one file.
type Index struct {
	enc   *encoder
	calls []string
}

// origin says where the bytes of a source are for the one who rebuilds.
type origin struct {
	known bool
	text  int64 // the string that holds them, -1 for the file itself
	base  int64 // offset of the source's first byte there
}

// file tells the offset in the artifact of the source's offset off.
func (o origin) file(off int64) (int64, bool) { return o.base + off, o.known && o.text < 0 }

// builder reads one file, and the files inside it, into one graph.
type builder struct {
	g      *graph
	limits *modelscan.Limits
	steps  *[256]step
	calls  map[string]bool // names of everything that a pickle calls
	depth  int
}

// Build indexes src as the loader that would be given it reads it.
func Build(ctx context.Context, src modelscan.Source, limits modelscan.Limits) (*Index, error) {
	b, root, err := graphOf(ctx, src, limits)
	if err != nil {
		return nil, err
	}
	enc, err := encode(b.g, root)
	return &Index{enc: enc, calls: slices.Sorted(maps.Keys(b.calls))}, err
}

func graphOf(ctx context.Context, src modelscan.Source, limits modelscan.Limits) (*builder, Ref, error) {
	b := &builder{g: newGraph(MaxBytes), limits: &limits, steps: steps(), calls: map[string]bool{}}
	root, err := b.any(ctx, src, origin{known: true, text: -1})
	if err == nil {
		err = b.g.check()
	}
	return b, root, err
}

// any dispatches by the first bytes, as the loaders do. No name is looked at.
func (b *builder) any(ctx context.Context, src modelscan.Source, at origin) (Ref, error) {
	if b.depth++; b.depth > b.limits.MaxDepth {
		return 0, fmt.Errorf("files inside files: %w (%d)", modelscan.ErrLimit, b.limits.MaxDepth)
	}
	defer func() { b.depth-- }()
	if src.Size == 0 {
		return 0, errors.New("the file is empty")
	}
	head, err := src.Bytes(0, min(src.Size, modelscan.ProbeSize), modelscan.ProbeSize)
	if err != nil {
		return 0, err
	}
	for _, f := range []struct {
		match func(head []byte) bool
		build func(*builder, context.Context, modelscan.Source, origin) (Ref, error)
	}{
		{isZip, (*builder).zip},
		{tar.Recognised, (*builder).tar},
		{isSafetensors, (*builder).safetensors},
		{isNpy, (*builder).npy},
		{isLegacy, (*builder).legacy},
	} {
		if f.match(head) {
			return f.build(b, ctx, src, at)
		}
	}
	if f := compression(modelscan.Probe{Head: head, Size: src.Size}); f != nil {
		return b.compressed(ctx, f, src)
	}
	if isPickle(head) {
		return b.pickle(ctx, src, at)
	}
	return 0, fmt.Errorf("a file that begins %q: %w", head[:min(len(head), 8)], ErrUnsupported)
}

// isPickle: a PROTO opcode, or an opcode with which protocol 0 and 1 pickles begin.
func isPickle(head []byte) bool {
	return len(head) > 1 && (head[0] == 0x80 || bytes.IndexByte([]byte("()]}cNIJKMLFGSTUVX"), head[0]) >= 0)
}

// machine for a source of this graph.
func (b *builder) machine(src modelscan.Source, at origin) *machine {
	return &machine{g: b.g, b: b, src: src, at: at}
}

// pickle reads a file that holds one pickle and nothing after it.
func (b *builder) pickle(ctx context.Context, src modelscan.Source, at origin) (Ref, error) {
	m := b.machine(src, at)
	m.inline = m.joblibArray
	r, end, err := m.load(ctx, 0)
	if err == nil && end != src.Size {
		err = fmt.Errorf("%d bytes after the pickle: %w", src.Size-end, ErrUnsupported)
	}
	return r, err
}

// section is a part of a source, and where it is.
func section(src modelscan.Source, at origin, name string, off, n int64) (modelscan.Source, origin) {
	at.base += off
	return src.Member(name, io.NewSectionReader(src.R, off, n), n), at
}
