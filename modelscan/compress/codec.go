package compress

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"

	"github.com/secure-torch/secure-torch/modelscan"
)

// maxWindow bounds the dictionary that a stream may ask for (xz -9 asks for 64 MiB).
const maxWindow = 64 << 20

// Input is a compressed stream.
type Input struct {
	io.Reader
	Packed int64             // bytes of it there are, at most
	Budget *modelscan.Budget // pays for dictionaries too: a million small streams may each ask for a large one
}

// window says how much to allocate for a dictionary that the stream asks for: no more than the input could fill.
func (in Input) window(asked int64) (int, error) {
	const mostGain = 16 << 10 // output bytes for a byte of input, above what LZMA can reach
	if asked > maxWindow {
		return 0, fmt.Errorf("dictionary of %d bytes: %w", asked, modelscan.ErrLimit)
	}
	if in.Packed < maxWindow/mostGain {
		asked = min(asked, (in.Packed+1)*mostGain)
	}
	return int(asked), in.Budget.Take(asked / 8)
}

// thorough charges the budget once more for what a slow codec produces above a common ratio. LZMA and bzip2
// need ten times as long for a byte as the others, and shrink zeros a thousand times better.
type thorough struct {
	r      io.Reader
	budget *modelscan.Budget
	free   int64 // bytes until the charge begins
}

// commonRatio of output to input, as modelscan.Limits has it for an artifact.
const commonRatio = 50

func (in Input) thorough(r io.Reader) io.Reader {
	return &thorough{r: r, budget: in.Budget, free: min(in.Packed, math.MaxInt64/commonRatio) * commonRatio}
}

func (t *thorough) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	charged := max(int64(n)-t.free, 0)
	t.free = max(t.free-int64(n), 0)
	if berr := t.budget.Take(charged); berr != nil {
		err = berr
	}
	return n, err
}

// Codec starts decompressing.
type Codec func(in Input) (io.Reader, error)

// Deflate is RFC 1951 without any header.
func Deflate(in Input) (io.Reader, error) { return flate.NewReader(in), nil }

// Bzip2 reads one or more concatenated streams.
func Bzip2(in Input) (io.Reader, error) {
	_, err := in.window(4 << 20)
	return in.thorough(bzip2.NewReader(in)), err
}

// Zstd reads RFC 8878 frames one after the other.
func Zstd(in Input) (io.Reader, error) {
	if _, err := in.window(8 << 20); err != nil {
		return nil, err
	}
	return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(1<<62))
}

// LZMA reads the .lzma ("alone") format: five bytes of properties, eight of size.
func LZMA(in Input) (io.Reader, error) {
	head := make([]byte, lzma.HeaderLen)
	if _, err := io.ReadFull(in, head); err != nil {
		return nil, fmt.Errorf("lzma header: %w", err)
	}
	return lzmaWith(head, in)
}

// RawLZMA reads a stream whose five bytes of properties and whose size stand elsewhere.
func RawLZMA(props []byte, size int64) Codec {
	return func(in Input) (io.Reader, error) {
		if len(props) != 5 {
			return nil, fmt.Errorf("%d bytes of LZMA properties", len(props))
		}
		return lzmaWith(binary.LittleEndian.AppendUint64(bytes.Clone(props), uint64(size)), in)
	}
}

// ZipLZMA reads method 14 of a zip (APPNOTE 5.8): version, length of properties, properties, stream.
func ZipLZMA(size int64) Codec {
	return func(in Input) (io.Reader, error) {
		head := make([]byte, 9)
		if _, err := io.ReadFull(in, head); err != nil {
			return nil, fmt.Errorf("zip lzma header: %w", err)
		}
		if head[2] != 5 || head[3] != 0 {
			return nil, fmt.Errorf("zip lzma header with %d bytes of properties", int(head[2])|int(head[3])<<8)
		}
		rest, err := RawLZMA(head[4:], -1)(in) // to the end marker, or to the size
		if err != nil {
			return nil, err
		}
		return io.LimitReader(rest, size), nil
	}
}

// lzmaWith bounds the dictionary before any of it is allocated.
func lzmaWith(head []byte, in Input) (io.Reader, error) {
	dict, err := in.window(int64(binary.LittleEndian.Uint32(head[1:])))
	if err != nil {
		return nil, fmt.Errorf("lzma: %w", err)
	}
	binary.LittleEndian.PutUint32(head[1:], uint32(dict))
	r, err := lzma.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(head), in)))
	if err != nil {
		return nil, err
	}
	return in.thorough(r), nil
}
