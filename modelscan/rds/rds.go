// Package rds reads what R's saveRDS and save write: R objects in R's own serialization (R Internals, section 1.8;
// src/main/serialize.c of R 4). Most of it is data. What is not: promises, which R evaluates when someone looks at the
// object (CVE-2024-27322), functions, which run when they are called, and vectors that a class makes anew.
package rds

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
	"github.com/secure-torch/secure-torch/modelscan/window"
)

// Formats are files of saveRDS and of save. They are compressed as a rule, and found within.
func Formats() []*modelscan.Format {
	return []*modelscan.Format{
		{Name: "rds", Sniff: func(p modelscan.Probe) modelscan.Confidence {
			// The serialization's version, which is 2 since R 1.4 and 3 since 3.5, follows the encoding's letter.
			for _, magic := range [...]string{"X\n\x00\x00\x00\x02", "X\n\x00\x00\x00\x03", "B\n\x02\x00\x00\x00", "B\n\x03\x00\x00\x00"} {
				if bytes.HasPrefix(p.Head, []byte(magic)) {
					return modelscan.Yes
				}
			}
			if ascii().Match(p.Head) {
				return modelscan.Yes
			}
			return modelscan.No
		}, Scan: func(ctx context.Context, p *modelscan.Pass) error { return scan(ctx, p, 0) }},
		{Name: "rdata", Sniff: func(p modelscan.Probe) modelscan.Confidence {
			if len(p.Head) >= magicSize && bytes.HasPrefix(p.Head, []byte("RD")) && bytes.IndexByte([]byte("XAB"), p.Head[2]) >= 0 && (p.Head[3] == '2' || p.Head[3] == '3') && p.Head[4] == '\n' {
				return modelscan.Yes
			}
			return modelscan.No
		}, Scan: func(ctx context.Context, p *modelscan.Pass) error { return scan(ctx, p, magicSize) }},
	}
}

// ascii is the header in numbers of decimal digits; a version such as 4.2.2 is one of six.
var ascii = pattern.Lazy(`^A\n[23]\n[0-9]{6}\n[0-9]{6}\n`)

const magicSize = 5 // "RDX3\n"

var errEncoding = fmt.Errorf("the ASCII and native encodings of R: %w", modelscan.ErrNotSupported)

// reader goes through one object.
type reader struct {
	ctx         context.Context
	p           *modelscan.Pass
	w           *window.Window
	off         int64
	symbolNames []string
	refs        int64 // symbols, environments and the like that later items refer to
	told        map[string]bool
	raws        int // raw vectors that were looked into
}

func scan(ctx context.Context, p *modelscan.Pass, at int64) error {
	r := &reader{ctx: ctx, p: p, w: window.New(p.R, p.Size), off: at, told: map[string]bool{}}
	if r.w.Text(at, 2, 2) != "X\n" {
		return errors.Join(r.w.Err, errEncoding)
	}
	r.off += 2
	version := r.int()
	r.skip(8) // of the writer, of the oldest reader
	if version == 3 {
		r.text(r.int()) // the native encoding
	}
	if r.w.Err == nil {
		_, err := r.item(place{})
		if err != nil {
			return fmt.Errorf("at %#x: %w", r.off, err)
		}
	}
	if r.w.Err != nil {
		return r.w.Err
	}
	if rest := p.Size - r.off; rest > 0 { // R does not look at it
		p.Emit.Descend(ctx, p.Member("[behind]", io.NewSectionReader(p.R, r.off, rest), rest))
	}
	return nil
}

// int reads a signed number of 32 bits, big-endian.
func (r *reader) int() int64 {
	b := r.w.Bytes(r.off, 4)
	if b == nil {
		return 0
	}
	r.off += 4
	return int64(int32(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])))
}

func (r *reader) skip(n int64) {
	if r.w.Err == nil && (n < 0 || n > r.w.Len()-r.off) {
		r.w.Err = fmt.Errorf("%d bytes at %#x: %w", n, r.off, io.ErrUnexpectedEOF)
	}
	if r.w.Err == nil {
		r.off += n
	}
}

// maxText is what is kept of a text.
const maxText = 200

func (r *reader) text(n int64) string {
	at := r.off
	r.skip(n)
	return r.w.Text(at, n, maxText)
}

// length of a vector; more than 2 to the 31 takes two numbers behind a -1.
func (r *reader) length() int64 {
	n := r.int()
	if n != -1 {
		return n
	}
	high, low := r.int(), r.int()
	return high<<32 | low&(1<<32-1)
}
