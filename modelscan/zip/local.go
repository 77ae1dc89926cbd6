package zip

import (
	"encoding/binary"
	"fmt"

	"github.com/secure-torch/secure-torch/modelscan"
)

// local is a member's header as it stands in front of its bytes.
type local struct {
	name             string
	flags, method    uint16
	crc              uint32
	compressed, size int64
	data             int64 // offset of the member's first byte
}

// window reads small runs near each other with few calls of the underlying reader.
type window struct {
	src modelscan.Source
	at  int64
	buf []byte
}

const windowSize = 32 << 10

// bytes returns n bytes at off; they are valid until the next call.
func (w *window) bytes(off, n int64) ([]byte, error) {
	if off < 0 || n > windowSize*4 || off > w.src.Size || n > w.src.Size-off {
		return nil, fmt.Errorf("%d bytes at %#x lie outside the %d bytes there are", n, off, w.src.Size)
	}
	if off < w.at || off+n > w.at+int64(len(w.buf)) {
		want := min(max(n, windowSize), w.src.Size-off)
		if int64(cap(w.buf)) < want {
			w.buf = make([]byte, want)
		}
		w.buf = w.buf[:want]
		if got, err := w.src.R.ReadAt(w.buf, off); int64(got) < want {
			w.buf = w.buf[:0]
			return nil, fmt.Errorf("read at %#x: %w", off, err)
		}
		w.at = off
	}
	return w.buf[off-w.at : off-w.at+n], nil
}

// local reads the header at off.
func (w *window) local(off int64) (local, error) {
	b, err := w.bytes(off, localLen)
	if err != nil {
		return local{}, fmt.Errorf("local header: %w", err)
	}
	le := binary.LittleEndian
	if le.Uint32(b) != sigLocal {
		return local{}, fmt.Errorf("no local header at %#x", off)
	}
	h := local{
		flags: le.Uint16(b[6:]), method: le.Uint16(b[8:]), crc: le.Uint32(b[14:]),
		compressed: int64(le.Uint32(b[18:])), size: int64(le.Uint32(b[22:])),
	}
	name, extra := int64(le.Uint16(b[26:])), int64(le.Uint16(b[28:]))
	h.data = off + localLen + name + extra
	if b, err = w.bytes(off+localLen, name+extra); err != nil {
		return local{}, fmt.Errorf("local header: %w", err)
	}
	h.name = string(b[:name])
	e := Entry{Extra: string(b[name:]), Size: h.size, Compressed: h.compressed}
	e.widen()
	h.size, h.compressed = e.Size, e.Compressed
	return h, nil
}

// sizesUnknown tells whether the local header leaves the sizes to a data descriptor.
func (h local) sizesUnknown() bool {
	return h.flags&FlagDescriptor != 0 && h.compressed == 0 && h.size == 0
}
