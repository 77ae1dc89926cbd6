package compress

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"

	"github.com/secure-torch/secure-torch/modelscan"
)

// maxWindow bounds the dictionary that a stream may ask for (xz -9 asks for 64 MiB).
const maxWindow = 64 << 20

// Codec starts decompressing what r holds.
type Codec func(r io.Reader) (io.Reader, error)

// Deflate is RFC 1951 without any header.
func Deflate(r io.Reader) (io.Reader, error) { return flate.NewReader(r), nil }

// Bzip2 reads one or more concatenated streams.
func Bzip2(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }

// Zstd reads RFC 8878 frames one after the other.
func Zstd(r io.Reader) (io.Reader, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(1<<62))
}

// LZMA reads the .lzma ("alone") format: five bytes of properties, eight of size.
func LZMA(r io.Reader) (io.Reader, error) {
	head := make([]byte, lzma.HeaderLen)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("lzma header: %w", err)
	}
	return lzmaWith(head, r)
}

// RawLZMA reads a stream whose five bytes of properties and whose size stand elsewhere.
func RawLZMA(props []byte, size int64) Codec {
	return func(r io.Reader) (io.Reader, error) {
		if len(props) != 5 {
			return nil, fmt.Errorf("%d bytes of LZMA properties", len(props))
		}
		return lzmaWith(binary.LittleEndian.AppendUint64(props[:5:5], uint64(size)), r)
	}
}

// ZipLZMA reads method 14 of a zip (APPNOTE 5.8): version, length of properties, properties, stream.
func ZipLZMA(size int64) Codec {
	return func(r io.Reader) (io.Reader, error) {
		head := make([]byte, 9)
		if _, err := io.ReadFull(r, head); err != nil {
			return nil, fmt.Errorf("zip lzma header: %w", err)
		}
		if head[2] != 5 || head[3] != 0 {
			return nil, fmt.Errorf("zip lzma header with %d bytes of properties", int(head[2])|int(head[3])<<8)
		}
		rest, err := RawLZMA(head[4:], -1)(r) // to the end marker, or to the size
		if err != nil {
			return nil, err
		}
		return io.LimitReader(rest, size), nil
	}
}

// lzmaWith refuses a dictionary over the bound before any of it is allocated.
func lzmaWith(head []byte, r io.Reader) (io.Reader, error) {
	dict := int64(head[1]) | int64(head[2])<<8 | int64(head[3])<<16 | int64(head[4])<<24
	if dict > maxWindow {
		return nil, fmt.Errorf("lzma dictionary of %d bytes: %w", dict, modelscan.ErrLimit)
	}
	return lzma.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(head), r)))
}
