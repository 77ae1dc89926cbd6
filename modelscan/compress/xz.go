package compress

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"slices"

	"github.com/ulikunitz/xz/lzma"

	"github.com/secure-torch/secure-torch/modelscan"
)

var errXZ = errors.New("malformed xz")

// xzReader reads the .xz format 1.2.0: streams of blocks. A wrong check is told of at the end: a loader that reads on
// demand has used the bytes before it meets one.
type xzReader struct {
	in    Input
	r     *bufio.Reader
	n     int64 // bytes read from r
	block io.Reader
	start int64 // of the block's data, in n
	check int   // bytes of check behind a block
	first bool
	flags [2]byte   // of the stream
	sum   hash.Hash // of the block's data; nil where there is none that is known
	index hash.Hash32
	wrong error // the first check that did not hold
}

// XZ reads one or more concatenated .xz streams. A block may ask for a dictionary of at most maxWindow bytes.
func XZ(in Input) (io.Reader, error) {
	x := &xzReader{in: in, r: bufio.NewReader(in), first: true}
	return in.thorough(x), x.stream()
}

// counted hands x's bytes to the LZMA2 decoder and counts them.
type counted struct{ x *xzReader }

func (c counted) Read(p []byte) (int, error) {
	n, err := c.x.r.Read(p)
	c.x.n += int64(n)
	return n, err
}

func (c counted) ReadByte() (byte, error) {
	b, err := c.x.r.ReadByte()
	if err == nil {
		c.x.n++
	}
	return b, err
}

func (x *xzReader) Read(p []byte) (int, error) {
	for {
		if x.block == nil {
			if err := x.next(); err != nil {
				return 0, err
			}
		}
		n, err := x.block.Read(p)
		if x.sum != nil {
			x.sum.Write(p[:n])
		}
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		x.block = nil
		pad := int((4 - (x.n-x.start)%4) % 4)
		b, err := x.take(pad + x.check)
		if err != nil {
			return n, err
		}
		if x.sum != nil && !bytes.Equal(x.sum.Sum(nil), stored(b[pad:])) || !bytes.Equal(b[:pad], make([]byte, pad)) {
			x.fault("a block")
		}
		if n > 0 {
			return n, nil
		}
	}
}

func (x *xzReader) take(n int) ([]byte, error) {
	b := make([]byte, n)
	m, err := io.ReadFull(x.r, b)
	x.n += int64(m)
	if x.index != nil {
		x.index.Write(b[:m])
	}
	if errors.Is(err, io.EOF) && n > 0 {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// stream reads a stream header; io.EOF where there is none any more.
func (x *xzReader) stream() error {
	for { // stream padding: zeros, four at a time
		b, err := x.r.Peek(4)
		if len(b) == 0 && errors.Is(err, io.EOF) && !x.first {
			return cmp.Or(x.wrong, io.EOF)
		}
		if len(b) < 4 || string(b) != "\x00\x00\x00\x00" || x.first {
			break
		}
		if _, err := x.take(4); err != nil {
			return err
		}
	}
	b, err := x.take(12)
	if err != nil {
		return err
	}
	if string(b[:6]) != "\xfd7zXZ\x00" {
		return fmt.Errorf("%w: %d bytes in, no stream header", errXZ, x.n-12)
	}
	x.first = false
	x.flags = [2]byte(b[6:8])
	if crc32.ChecksumIEEE(b[6:8]) != binary.LittleEndian.Uint32(b[8:]) {
		x.fault("a stream's header")
	}
	sizes := [...]int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}
	x.check = sizes[b[7]&15]
	return nil
}

// next opens the next block, of this stream or the one after it.
func (x *xzReader) next() error {
	for {
		size, err := x.take(1)
		if err != nil {
			return err
		}
		if size[0] != 0 {
			return x.open((int(size[0]) + 1) * 4)
		}
		if err := x.ending(); err != nil {
			return err
		}
		if err := x.stream(); err != nil {
			return err
		}
	}
}

// open reads a block header of the given length and starts decompressing.
func (x *xzReader) open(size int) error {
	b, err := x.take(size - 1)
	if err != nil {
		return err
	}
	x.header(size, b)
	flags, b := b[0], b[1:len(b)-4]
	for _, bit := range []byte{0x40, 0x80} { // sizes, not relied upon
		if flags&bit != 0 {
			if _, b, err = varint(b); err != nil {
				return err
			}
		}
	}
	var before []Codec // filters that the writer ran before LZMA2
	for i := int(flags & 3); ; i-- {
		var id uint64
		var props []byte
		if id, props, b, err = filter(b); err != nil {
			return err
		}
		switch {
		case id == 0x21 && i == 0 && len(props) == 1:
			return x.lzma2(props[0], before)
		case id == 0x03 && len(props) == 1:
			before = append(before, Delta(int(props[0])+1))
		case id == 0x04 && len(props) == 0:
			before = append(before, X86)
		default:
			return fmt.Errorf("xz filter %#x: %w", id, modelscan.ErrNotSupported)
		}
		if i == 0 {
			return fmt.Errorf("%w: the last filter is not LZMA2", errXZ)
		}
	}
}

// header verifies a block header of the given length, all but the first byte of which is b.
func (x *xzReader) header(size int, b []byte) {
	sum := crc32.NewIEEE()
	sum.Write([]byte{byte(size/4 - 1)})
	sum.Write(b[:len(b)-4])
	if sum.Sum32() != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		x.fault("a block's header")
	}
}

// filter reads the id and the properties of one filter.
func filter(b []byte) (id uint64, props, rest []byte, err error) {
	if id, b, err = varint(b); err != nil {
		return 0, nil, nil, err
	}
	n, b, err := varint(b)
	if err == nil && n > uint64(len(b)) {
		err = fmt.Errorf("%w: filter properties", errXZ)
	}
	if err != nil {
		return 0, nil, nil, err
	}
	return id, b[:n], b[n:], nil
}

// lzma2 starts decompressing a block.
func (x *xzReader) lzma2(props byte, before []Codec) error {
	x.start, x.sum = x.n, checkOf(x.flags[1]&15)
	in := x.in
	in.Reader = counted{x}
	r, err := lzma2(props, in)
	if err != nil {
		return err
	}
	for _, f := range slices.Backward(before) {
		in.Reader = r
		if r, err = f(in); err != nil {
			return err
		}
	}
	x.block = r
	return nil
}

// LZMA2 reads chunks of LZMA2 with the given byte of properties: the size of the dictionary.
func LZMA2(props byte) Codec {
	return func(in Input) (io.Reader, error) {
		r, err := lzma2(props, in)
		if err != nil {
			return nil, err
		}
		return in.thorough(r), nil
	}
}

// lzma2 is LZMA2 without the charge for its time.
func lzma2(props byte, in Input) (io.Reader, error) {
	if props > 40 {
		return nil, errors.New("properties of LZMA2")
	}
	dict, err := lzma.DecodeDictCap(props)
	if err != nil {
		return nil, err
	}
	window, err := in.window(dict)
	if err != nil {
		return nil, fmt.Errorf("LZMA2: %w", err)
	}
	return lzma.Reader2Config{DictCap: max(window, lzma.MinDictCap)}.NewReader2(in)
}

// ending passes over the index and the stream footer.
func (x *xzReader) ending() error {
	start := x.n - 1
	x.index = crc32.NewIEEE()
	defer func() { x.index = nil }()
	x.index.Write([]byte{0})
	count, err := x.varint()
	if err != nil {
		return err
	}
	for range 2 * count {
		if _, err := x.varint(); err != nil {
			return err
		}
	}
	if _, err = x.take(int((4 - (x.n-start)%4) % 4)); err != nil {
		return err
	}
	sum := x.index.Sum32()
	b, err := x.take(4 + 12)
	if err != nil {
		return err
	}
	footer := b[4:]
	if sum != binary.LittleEndian.Uint32(b) {
		x.fault("the index")
	}
	if crc32.ChecksumIEEE(footer[4:10]) != binary.LittleEndian.Uint32(footer) || string(footer[8:]) != string(x.flags[:])+"YZ" {
		x.fault("a stream's footer")
	}
	return nil
}

func (x *xzReader) fault(what string) {
	if x.wrong == nil {
		x.wrong = fmt.Errorf("%w: the checksum of %s is wrong", errXZ, what)
	}
}

// checkOf is the hash that a stream's flags name, nil for none and those that are not known.
func checkOf(id byte) hash.Hash {
	switch id {
	case 1:
		return crc32.NewIEEE()
	case 4:
		return crc64.New(crc64.MakeTable(crc64.ECMA))
	case 10:
		return sha256.New()
	}
	return nil
}

// stored is a check in the order in which Go writes it: those of 4 and 8 bytes are little-endian in the file.
func stored(b []byte) []byte {
	if len(b) < sha256.Size {
		b = bytes.Clone(b)
		slices.Reverse(b)
	}
	return b
}

// varint reads a multibyte integer (section 1.2).
func (x *xzReader) varint() (v uint64, err error) {
	for shift := 0; shift < 63; shift += 7 {
		b, err := x.take(1)
		if err != nil {
			return 0, err
		}
		v |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return v, nil
		}
	}
	return 0, fmt.Errorf("%w: number of more than 63 bits", errXZ)
}

func varint(b []byte) (v uint64, rest []byte, err error) {
	for i := range min(len(b), 9) {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return v, b[i+1:], nil
		}
	}
	return 0, nil, fmt.Errorf("%w: block header", errXZ)
}
