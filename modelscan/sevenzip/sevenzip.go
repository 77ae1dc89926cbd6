// Package sevenzip reads 7z archives. It is a reader of its own: headers are attacker's numbers, and every one
// is bounded before anything is allocated for it.
package sevenzip

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/compress"
	"github.com/secure-torch/secure-torch/modelscan/extract"
)

// Format is a 7z archive of one volume.
var Format = &modelscan.Format{Name: "7z", Sniff: sniff, Container: true, Scan: scan}

const (
	signature    = "7z\xbc\xaf\x27\x1c"
	signatureLen = 32
	maxHeader    = 16 << 20
)

func sniff(p modelscan.Probe) modelscan.Confidence {
	if bytes.HasPrefix(p.Head, []byte(signature)) {
		return modelscan.Yes
	}
	return modelscan.No
}

func scan(ctx context.Context, p *modelscan.Pass) error {
	folders, files, err := read(p)
	if err != nil {
		return err
	}
	next := 0 // file that has a stream
	for i := range folders {
		f := &folders[i]
		r, have, err := unpack(p, f)
		if err != nil {
			p.Fail(p.Name, f.offset, fmt.Errorf("7z: %w", err))
		}
		offset := int64(0)
		for _, size := range f.sizes {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			for next < len(files) && files[next].empty {
				next++
			}
			m := file{name: fmt.Sprintf("[folder %d]", i)}
			if next < len(files) {
				m = files[next]
				next++
			}
			if n := min(size, have-offset); n > 0 {
				member(ctx, p, m, io.NewSectionReader(r, offset, n), n)
			} else {
				extract.Check(p, extract.Member{Name: m.name, Offset: signatureLen})
			}
			offset += size
		}
	}
	for _, m := range files {
		if m.empty {
			extract.Check(p, extract.Member{Name: m.name, Offset: signatureLen, Kind: extract.Folder})
		}
	}
	return nil
}

// checksum says where a header does not have the CRC-32 that is told of it. It is read all the same: not every reader compares.
func checksum(p *modelscan.Pass, at int64, b, sum []byte) {
	if crc32.ChecksumIEEE(b) != binary.LittleEndian.Uint32(sum) {
		p.Fail(p.Name, at, fmt.Errorf("%w: the checksum of the header differs", errFormat))
	}
}

// read decodes the header, which may be packed itself, as often as not more than a few times.
func read(p *modelscan.Pass) ([]folder, []file, error) {
	start, err := p.Bytes(0, signatureLen, signatureLen)
	if err != nil {
		return nil, nil, err
	}
	at, size := binary.LittleEndian.Uint64(start[12:]), binary.LittleEndian.Uint64(start[20:])
	if at > uint64(p.Size)-signatureLen || size > uint64(p.Size)-signatureLen-at {
		return nil, nil, fmt.Errorf("%w: at %#x, outside the file", errFormat, at)
	}
	checksum(p, 8, start[12:], start[8:])
	if size == 0 {
		return nil, nil, nil
	}
	b, err := p.Bytes(signatureLen+int64(at), int64(size), maxHeader)
	if err != nil {
		return nil, nil, err
	}
	checksum(p, signatureLen+int64(at), b, start[28:])
	for range 4 {
		c := &cursor{b: b}
		switch id := c.number(); id {
		case idHeader:
			folders, files := c.header(p.Limits)
			return folders, files, c.err
		case idEncodedHeader:
			folders := c.streams(p.Limits)
			if c.err != nil {
				return nil, nil, c.err
			}
			if len(folders) != 1 {
				return nil, nil, fmt.Errorf("%w: packed into %d folders", errFormat, len(folders))
			}
			r, n, err := unpack(p, &folders[0])
			if err != nil {
				return nil, nil, fmt.Errorf("packed header: %w", err)
			}
			if b, err = (modelscan.Source{R: r, Size: n}).Bytes(0, n, maxHeader); err != nil {
				return nil, nil, fmt.Errorf("packed header: %w", err)
			}
		default:
			return nil, nil, fmt.Errorf("%w: begins with property %d", errFormat, id)
		}
	}
	return nil, nil, fmt.Errorf("%w: packed again and again", errFormat)
}

// header reads what stands between idHeader and idEnd.
func (c *cursor) header(lim *modelscan.Limits) (folders []folder, files []file) {
	for c.err == nil {
		switch id := c.number(); id {
		case idEnd:
			return folders, files
		case idArchiveProperties:
			for c.err == nil && c.number() != idEnd {
				c.take(c.number())
			}
		case idAdditionalStreams:
			c.streams(lim)
		case idMainStreams:
			folders = c.streams(lim)
		case idFiles:
			files = c.files(lim)
		default:
			c.fail("property %d in the header", id)
		}
	}
	return nil, nil
}

// unpack runs a folder's coders. What came before an error is there to be read.
func unpack(p *modelscan.Pass, f *folder) (io.ReaderAt, int64, error) {
	if f.unsupported != "" {
		return nil, 0, fmt.Errorf("%s: %w", f.unsupported, modelscan.ErrNotSupported)
	}
	packed := min(f.packed, p.Size-f.offset)
	if f.offset > p.Size || packed < 0 {
		return nil, 0, fmt.Errorf("%w: packed bytes at %#x, outside the file", errFormat, f.offset)
	}
	var codecs []compress.Codec
	for _, i := range f.chain {
		k, err := f.coders[i].codec()
		if err != nil {
			return nil, 0, err
		}
		if k != nil {
			codecs = append(codecs, k)
		}
	}
	if len(codecs) == 0 {
		return io.NewSectionReader(p.R, f.offset, packed), packed, nil
	}
	s, err := compress.Open(func() (io.Reader, error) {
		in := compress.Input{Reader: bufio.NewReader(io.NewSectionReader(p.R, f.offset, packed)), Packed: packed, Budget: p.Unpacked}
		for _, k := range codecs {
			next, err := k(in)
			if err != nil {
				return nil, err
			}
			in.Reader, in.Packed = bufio.NewReader(next), f.unpackedSize()
		}
		return io.LimitReader(in, f.unpackedSize()), nil
	}, p.Unpacked, nil)
	if s == nil {
		return nil, 0, err
	}
	return s, s.Size(), err
}

// codec of a coder, nil for one that copies.
func (k coder) codec() (compress.Codec, error) {
	switch k.id {
	case "\x00":
		return nil, nil
	case "\x03\x01\x01":
		return compress.RawLZMA(k.props, k.size), nil
	case "\x21":
		if len(k.props) != 1 {
			return nil, fmt.Errorf("%w: properties of LZMA2", errFormat)
		}
		return compress.LZMA2(k.props[0]), nil
	case "\x03":
		if len(k.props) != 1 {
			return nil, fmt.Errorf("%w: properties of delta", errFormat)
		}
		return compress.Delta(int(k.props[0]) + 1), nil
	case "\x04", "\x03\x03\x01\x03":
		return compress.X86, nil
	case "\x04\x01\x08":
		return compress.Deflate, nil
	case "\x04\x02\x02":
		return compress.Bzip2, nil
	case "\x04\xf7\x11\x01":
		return compress.Zstd, nil
	case "\x04\xf7\x11\x04":
		return compress.LZ4, nil
	case "\x06\xf1\x07\x01":
		return nil, fmt.Errorf("encrypted: %w", modelscan.ErrNotSupported)
	}
	return nil, fmt.Errorf("coder % x: %w", k.id, modelscan.ErrNotSupported)
}

func member(ctx context.Context, p *modelscan.Pass, m file, r io.ReaderAt, size int64) {
	x := extract.Member{Name: m.name, Offset: signatureLen}
	src := p.Member(m.name, r, size)
	const unixExtension, typeMask, link = 0x8000, 0o170000, 0o120000
	if m.attributes&unixExtension != 0 && m.attributes>>16&typeMask == link {
		x.Kind = extract.Symlink
		if target, err := src.Bytes(0, size, 4096); err == nil {
			x.Target = string(target)
		}
	}
	extract.Check(p, x)
	p.Emit.Descend(ctx, src)
}
