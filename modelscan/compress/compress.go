package compress

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/pierrec/lz4/v4"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Formats are the compressed files that joblib, pandas, pickle users and tar readers open without asking.
var Formats = []*modelscan.Format{
	format("gzip", Gzip, prefix(modelscan.Yes, "\x1f\x8b\x08")),
	format("bzip2", Bzip2, sniffBzip2),
	format("xz", XZ, prefix(modelscan.Yes, "\xfd7zXZ\x00")),
	format("zstd", Zstd, prefix(modelscan.Yes, "\x28\xb5\x2f\xfd")),
	format("lz4", LZ4, prefix(modelscan.Yes, "\x04\x22\x4d\x18", "\x02\x21\x4c\x18")),
	format("zlib", Zlib, sniffZlib),
	format("lzma", LZMA, sniffLZMA),
	format("zf", oldJoblib, prefix(modelscan.Yes, "ZF0x")),
}

// Gzip reads RFC 1952 members one after the other.
func Gzip(in Input) (io.Reader, error) { return gzip.NewReader(in) }

// Zlib reads RFC 1950.
func Zlib(in Input) (io.Reader, error) { return zlib.NewReader(in) }

// LZ4 reads the frame format and the legacy one.
func LZ4(in Input) (io.Reader, error) {
	_, err := in.window(8 << 20)
	return lz4.NewReader(in), err
}

// oldJoblib reads what joblib wrote before 0.10: "ZF", the length in hexadecimal in 19 bytes, zlib
// (joblib/numpy_pickle_compat.py, read_zfile).
func oldJoblib(in Input) (io.Reader, error) {
	if _, err := io.CopyN(io.Discard, in, 21); err != nil {
		return nil, fmt.Errorf("ZF header: %w", err)
	}
	b := bufio.NewReader(in) // some wrote the length in 20 bytes
	if c, err := b.Peek(1); err == nil && c[0] == ' ' {
		_, _ = b.Discard(1)
	}
	return zlib.NewReader(b)
}

func prefix(c modelscan.Confidence, magics ...string) func(modelscan.Probe) modelscan.Confidence {
	return func(p modelscan.Probe) modelscan.Confidence {
		if slices.ContainsFunc(magics, func(m string) bool { return bytes.HasPrefix(p.Head, []byte(m)) }) {
			return c
		}
		return modelscan.No
	}
}

func sniffBzip2(p modelscan.Probe) modelscan.Confidence {
	h := p.Head
	if len(h) < 14 || string(h[:3]) != "BZh" || h[3] < '1' || h[3] > '9' {
		return modelscan.No
	}
	if block := string(h[4:10]); block == "\x31\x41\x59\x26\x53\x59" || block == "\x17\x72\x45\x38\x50\x90" {
		return modelscan.Yes
	}
	return modelscan.No
}

// sniffZlib: RFC 1950 has no magic, only a two-byte header that every 1,000th file has by accident.
func sniffZlib(p modelscan.Probe) modelscan.Confidence {
	if len(p.Head) < 8 || p.Head[0]&15 != 8 || p.Head[0]>>4 > 7 || binary.BigEndian.Uint16(p.Head)%31 != 0 || p.Head[1]&0x20 != 0 {
		return modelscan.No
	}
	return plausible(Zlib, p)
}

// sniffLZMA: one byte of properties, a power of two of dictionary, a size that is unknown or plausible.
func sniffLZMA(p modelscan.Probe) modelscan.Confidence {
	if len(p.Head) < 18 || p.Head[0] >= 9*5*5 || p.Head[13] != 0 {
		return modelscan.No
	}
	dict, size := binary.LittleEndian.Uint32(p.Head[1:]), binary.LittleEndian.Uint64(p.Head[5:])
	if top := bits.OnesCount32(dict); top == 0 || top > 2 || size != 1<<64-1 && size > 1<<40 {
		return modelscan.No
	}
	// However large the dictionary is said to be, these first bytes need no more than a small one.
	p.Head = bytes.Clone(p.Head)
	binary.LittleEndian.PutUint32(p.Head[1:], min(dict, 1<<20))
	return plausible(LZMA, p)
}

// plausible tries to decompress the first bytes.
func plausible(codec Codec, p modelscan.Probe) modelscan.Confidence {
	r, err := codec(Input{Reader: bytes.NewReader(p.Head), Packed: int64(len(p.Head))})
	switch {
	case errors.Is(err, modelscan.ErrLimit):
		return modelscan.Yes
	case err != nil:
		return modelscan.No
	}
	n, err := fill(r, make([]byte, 256))
	whole := int64(len(p.Head)) == p.Size
	switch {
	case n == 256, errors.Is(err, io.EOF):
		return modelscan.Yes
	case n > 0 && (!whole || errors.Is(err, io.ErrUnexpectedEOF)):
		return modelscan.Maybe
	}
	return modelscan.No
}

func format(name string, codec Codec, sniff func(modelscan.Probe) modelscan.Confidence) *modelscan.Format {
	return &modelscan.Format{Name: name, Sniff: sniff, Container: true, Scan: func(ctx context.Context, p *modelscan.Pass) error {
		return scan(ctx, p, name, codec)
	}}
}

func scan(ctx context.Context, p *modelscan.Pass, name string, codec Codec) error {
	s, err := Open(func() (io.Reader, error) {
		return codec(Input{bufio.NewReaderSize(io.NewSectionReader(p.R, 0, p.Size), 32<<10), p.Size, p.Unpacked})
	}, p.Unpacked, nil)
	if s != nil && s.Size() > 0 {
		p.Emit.Descend(ctx, p.Member(name, s, s.Size()))
	}
	return err
}
