// Package gguf reads GGUF files (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), versions
// 1 to 3 in both byte orders: counts, strings, arrays and tensors are checked against the bytes there
// are, and chat templates are judged as Jinja. Tensor data is never read.
package gguf

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math/bits"
	"unicode/utf8"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Format is GGUF.
var Format = &modelscan.Format{Name: "gguf", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if len(p.Head) >= 4 && string(p.Head[:4]) == "GGUF" {
		return modelscan.Yes
	}
	return modelscan.No
}, Scan: scan}

// newestVersion that this reader knows.
const newestVersion = 3

// absurd counts and lengths are no accident: a file cut short still states what its writer meant,
// and nobody means 2^40 strings. They make sizes overflow (CVE-2024-23605, CVE-2024-21836,
// CVE-2025-53630).
const absurd = 1 << 40

// errHostile has been reported as a finding: nothing after it can be read.
var errHostile = errors.New("a count or length that no file can have")

func scan(ctx context.Context, p *modelscan.Pass) error {
	f := &file{ctx: ctx, p: p, in: bufio.NewReaderSize(io.NewSectionReader(p.R, 0, p.Size), 64<<10), order: binary.LittleEndian, alignment: 32}
	err := f.read()
	if errors.Is(err, errHostile) {
		return nil
	}
	return err
}

// file is one GGUF file, read from its start.
type file struct {
	ctx       context.Context
	p         *modelscan.Pass
	in        *bufio.Reader
	off       int64
	order     binary.ByteOrder
	version   uint32
	alignment uint64
	next      uint64 // where the next tensor's data has to begin
	odd       int    // words of a vocabulary that are not UTF-8
	names     uniques
}

// uniques remembers names by their hashes, so that long ones cost no more than short ones.
type uniques struct {
	seed maphash.Seed
	seen map[uint64]bool
}

// maxNames bounds what is remembered; no model has a tenth of that many tensors.
const maxNames = 1 << 20

// add tells whether a name is new. Keys and tensors are spaces of their own.
func (u *uniques) add(space, name string) bool {
	if u.seen == nil {
		u.seed, u.seen = maphash.MakeSeed(), map[uint64]bool{}
	}
	h := maphash.String(u.seed, space+name)
	if u.seen[h] {
		return false
	}
	if len(u.seen) < maxNames {
		u.seen[h] = true
	}
	return true
}

func (f *file) read() error {
	if err := f.skip(4); err != nil {
		return err
	}
	version, err := f.number(4)
	if err != nil {
		return err
	}
	if version&0xffff == 0 { // written on a big-endian machine
		f.order, version = binary.BigEndian, uint64(bits.ReverseBytes32(uint32(version)))
	}
	if f.version = uint32(version); version == 0 || version > newestVersion {
		return fmt.Errorf("version %d", version)
	}
	tensors, err := f.count("tensors", 24)
	if err != nil {
		return err
	}
	pairs, err := f.count("metadata pairs", 13)
	if err != nil {
		return err
	}
	for i := range pairs {
		if err := f.ctx.Err(); err != nil {
			return err
		}
		if err := f.pair(); err != nil {
			return fmt.Errorf("metadata pair %d: %w", i, err)
		}
	}
	if f.odd > 0 {
		f.p.Emit.Note(fmt.Sprintf("%s: %d texts in lists are not UTF-8: llama.cpp takes them as they are, the gguf package refuses to list them", f.p.Name, f.odd))
	}
	return f.tensors(tensors)
}

// left is how many bytes follow.
func (f *file) left() uint64 { return uint64(f.p.Size - f.off) }

func (f *file) skip(n int64) error {
	if n > f.p.Size-f.off {
		return fmt.Errorf("%d bytes at %#x: %w", n, f.off, io.ErrUnexpectedEOF)
	}
	for n > 0 {
		done, err := f.in.Discard(int(min(n, 1<<30)))
		f.off, n = f.off+int64(done), n-int64(done)
		if err != nil {
			return fmt.Errorf("read at %#x: %w", f.off, err)
		}
	}
	return nil
}

// bytes are valid until the next read; at most the reader's buffer.
func (f *file) bytes(n int) ([]byte, error) {
	b, err := f.in.Peek(n)
	if err != nil {
		return nil, fmt.Errorf("%d bytes at %#x: %w", n, f.off, io.ErrUnexpectedEOF)
	}
	f.off += int64(n)
	_, err = f.in.Discard(n)
	return b, err
}

// number reads an unsigned integer of the given size in bytes.
func (f *file) number(size int) (uint64, error) {
	b, err := f.bytes(size)
	if err != nil {
		return 0, err
	}
	switch size {
	case 1:
		return uint64(b[0]), nil
	case 2:
		return uint64(f.order.Uint16(b)), nil
	case 4:
		return uint64(f.order.Uint32(b)), nil
	}
	return f.order.Uint64(b), nil
}

// count reads a count of things that take at least size bytes each. Version 1 has 32-bit counts.
func (f *file) count(of string, size uint64) (uint64, error) {
	width, off := 8, f.off
	if f.version == 1 {
		width = 4
	}
	n, err := f.number(width)
	if err != nil {
		return 0, err
	}
	if n >= absurd {
		return 0, f.hostile(off, of, fmt.Sprintf("the header claims %d %s", n, of))
	}
	if n > f.left()/size {
		return 0, fmt.Errorf("%d %s at %#x do not fit into the %d bytes that follow: %w", n, of, off, f.left(), io.ErrUnexpectedEOF)
	}
	return n, nil
}

// text reads a string. Of a longer one than keep bytes only the beginning is returned.
func (f *file) text(keep uint64) (string, error) {
	n, err := f.count("bytes of text", 1)
	if err != nil {
		return "", err
	}
	buf := make([]byte, min(n, keep))
	if _, err := io.ReadFull(f.in, buf); err != nil {
		return "", fmt.Errorf("text at %#x: %w", f.off, err)
	}
	f.off += int64(len(buf))
	return string(buf), f.skip(int64(n) - int64(len(buf)))
}

// name reads a key or a tensor's name, which gguf's reader decodes as it opens the file.
func (f *file) name() (string, error) {
	at := f.off
	s, err := f.text(maxKey)
	if err == nil && !utf8.ValidString(s) {
		f.p.Fail(f.p.Name, at, fmt.Errorf("the name %q is not UTF-8: the gguf package refuses the file", s[:min(len(s), 80)]))
	}
	return s, err
}

func (f *file) hostile(off int64, subject, message string) error {
	f.finding(rule.GgufOverflow, off, subject, message)
	return errHostile
}

func (f *file) finding(id rule.ID, off int64, subject, message string) {
	f.p.Emit.Finding(modelscan.Finding{Rule: id, Path: f.p.Name, Offset: off, Subject: subject, Message: message})
}
