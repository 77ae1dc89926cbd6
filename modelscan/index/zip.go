package index

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/zip"
)

// isZip: where torch.load looks for it, and nowhere else.
func isZip(head []byte) bool { return bytes.HasPrefix(head, []byte("PK\x03\x04")) }

// archive is a zip and how its members are found.
type archive struct {
	*zip.Archive
	names *zip.Lookup
	src   modelscan.Source
	at    origin
}

func (b *builder) open(ctx context.Context, src modelscan.Source, at origin) (*archive, error) {
	a, err := zip.Open(ctx, &modelscan.Pass{Source: src, Limits: b.limits, Unpacked: modelscan.NewBudget(b.limits, src.Size)})
	if err != nil {
		return nil, err
	}
	names, err := a.Lookup()
	if err != nil {
		return nil, err
	}
	return &archive{a, names, src, at}, nil
}

// zip reads torch.save's archives (torch.serialization._load) and numpy's (numpy.load of an .npz).
func (b *builder) zip(ctx context.Context, src modelscan.Source, at origin) (Ref, error) {
	a, err := b.open(ctx, src, at)
	if err != nil {
		return 0, err
	}
	entries := a.Dirs[0].Entries
	if len(entries) == 0 {
		return 0, fmt.Errorf("zip without members: %w", ErrUnsupported)
	}
	if npy := func(e zip.Entry) bool { return strings.HasSuffix(e.Name, ".npy") }; npy(entries[0]) {
		return b.npz(ctx, a)
	}
	// The folder is that of the first member, up to its first slash (caffe2/serialize/inline_container.cc).
	dir, _, ok := strings.Cut(entries[0].Name, "/")
	if !ok {
		return 0, fmt.Errorf("zip that is no torch checkpoint: %w", ErrUnsupported)
	}
	if code, err := a.names.Find(dir + "/constants.pkl"); err != nil || code != nil {
		return 0, fmt.Errorf("TorchScript archive: it is a program, and runs its author's code when it is loaded; export its weights with state_dict(), and load those: %w", ErrUnsupported)
	}
	return b.torchZip(ctx, a, dir)
}

func (b *builder) torchZip(ctx context.Context, a *archive, dir string) (Ref, error) {
	e, err := a.names.Find(dir + "/data.pkl")
	if err != nil {
		return 0, err
	}
	if e == nil {
		return 0, fmt.Errorf("zip that is no torch checkpoint (it has no %s/data.pkl): %w", dir, ErrUnsupported)
	}
	src, at, err := a.member(ctx, e)
	if err != nil {
		return 0, err
	}
	m := b.machine(src, at)
	s := newStorages(m)
	if s.flags, err = a.byteOrder(dir); err != nil {
		return 0, err
	}
	s.locate = func(key string, st *storage) error { return a.locate(dir+"/data/"+key, st) }
	m.persist = s.zipID
	root, _, err := m.load(ctx, 0)
	return root, err
}

// member is an entry's content, and where it is if it is stored as it is.
func (a *archive) member(ctx context.Context, e *zip.Entry) (modelscan.Source, origin, error) {
	off, size, err := a.Place(e)
	if err != nil {
		return modelscan.Source{}, origin{}, err
	}
	if e.Method == 0 {
		src, at := section(a.src, a.at, e.Name, off, size)
		return src, at, nil
	}
	src, err := a.Content(ctx, e)
	return src, origin{}, err
}

// byteOrder of the numbers: a record that torch 2.1 added; little-endian without it.
func (a *archive) byteOrder(dir string) (flags int64, err error) {
	e, err := a.names.Find(dir + "/byteorder")
	if err != nil || e == nil {
		return 0, err
	}
	text, err := a.Read(e, 16)
	switch {
	case err != nil:
		return 0, err
	case string(text) == "big":
		return storageSwapped, nil
	case string(text) == "little":
		return 0, nil
	}
	return 0, fmt.Errorf("byte order %q is unknown", text)
}

// locate finds a storage's record and checks that it holds as many bytes as the pickle says. torch 1.13
// does not check, and reads on behind it.
func (a *archive) locate(name string, st *storage) error {
	e, err := a.names.Find(name)
	if err != nil {
		return err
	}
	if e == nil {
		return fmt.Errorf("there is no record %q", name)
	}
	if st.off, st.stored, err = a.Place(e); err != nil {
		return err
	}
	if e.Size < st.nbytes {
		return fmt.Errorf("record of %d bytes is shorter than the %d of the storage", e.Size, st.nbytes)
	}
	switch {
	case !a.at.known:
		return fmt.Errorf("tensors inside a compressed archive: %w", ErrUnsupported)
	case e.Method == 0:
		st.stored = st.nbytes
	case e.Method == 8:
		st.flags |= storageDeflated
	default:
		return fmt.Errorf("compression method %d: %w", e.Method, ErrUnsupported)
	}
	st.text, st.off = a.at.text, a.at.base+st.off
	return nil
}

// npz is a dict of the members, as numpy.load names them: without ".npy".
func (b *builder) npz(ctx context.Context, a *archive) (Ref, error) {
	dict := b.g.add(kDict, 0)
	for i := range a.Dirs[0].Entries {
		name := a.Dirs[0].Entries[i].Name
		e, err := a.names.Find(name)
		if err != nil {
			return 0, err
		}
		src, at, err := a.member(ctx, e)
		if err != nil {
			return 0, err
		}
		r, err := b.npy(ctx, src, at)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		key := b.g.str(kStr, []byte(strings.ToValidUTF8(strings.TrimSuffix(name, ".npy"), "?")))
		b.g.fill(kSetItems, dict, []Ref{key, r})
	}
	return dict, nil
}

const npyMagic = "\x93NUMPY"

func isNpy(head []byte) bool { return bytes.HasPrefix(head, []byte(npyMagic)) }

// maxNpyHeader is numpy's own bound on the text that it evaluates, in bytes.
const maxNpyHeader = 10_000

// npy hands over the header's text, a Python literal, and the numbers behind it (numpy/lib/format.py). An
// array of objects has a pickle there.
func (b *builder) npy(ctx context.Context, src modelscan.Source, at origin) (Ref, error) {
	head, err := src.Bytes(0, min(src.Size, 12), 12)
	if err != nil || len(head) < 12 || !isNpy(head) {
		return 0, fmt.Errorf("not an .npy file: %w", io.ErrUnexpectedEOF)
	}
	n, body := int64(head[8])|int64(head[9])<<8, int64(10)
	if head[6] > 1 { // versions 2 and 3 have a 32-bit length
		n, body = n|int64(head[10])<<16|int64(head[11])<<24, 12
	}
	text, err := src.Bytes(body, n, maxNpyHeader)
	if err != nil {
		return 0, fmt.Errorf("header of .npy: %w", err)
	}
	body += n
	m := b.machine(src, at)
	if bytes.Contains(text, []byte("|O")) || bytes.Contains(text, []byte("'O'")) {
		r, _, err := m.load(ctx, body)
		return r, err
	}
	data, err := m.fileBytes(body, src.Size-body)
	if err != nil {
		return 0, err
	}
	header := b.g.str(kStr, bytes.ToValidUTF8(text, []byte("?")))
	return b.g.addRefs(kCall, nil, b.g.intern("numpy.npy"), header, data), nil
}
