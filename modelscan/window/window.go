// Package window reads small pieces of a large source at random places, 64 KiB at a time, and
// remembers the first error: readers of binary structures check it where they decide.
package window

import (
	"encoding/binary"
	"fmt"
	"io"
)

const size = 64 << 10

// Window is a little-endian view of a source. It is not safe for concurrent use.
type Window struct {
	r    io.ReaderAt
	len  int64
	off  int64
	buf  []byte
	Err  error // the first one
	Base int64 // is added to every offset
	// Reads counts how often the source was asked: what lies far apart and is looked at in turn costs 64 KiB each time.
	Reads int64
}

// New views the first n bytes of r.
func New(r io.ReaderAt, n int64) *Window { return &Window{r: r, len: n} }

// Len is the number of bytes there are from Base.
func (w *Window) Len() int64 { return w.len - w.Base }

// Bytes returns n bytes at off, valid until the next call; nil after an error. More than 64 KiB at once is an error.
func (w *Window) Bytes(off, n int64) []byte {
	off += w.Base
	if w.Err == nil && (off < 0 || n < 0 || n > size || off > w.len || n > w.len-off) {
		w.Err = fmt.Errorf("%d bytes at %#x: %w", n, off, io.ErrUnexpectedEOF)
	}
	if w.Err != nil {
		return nil
	}
	if off < w.off || off+n > w.off+int64(len(w.buf)) {
		if w.buf == nil {
			w.buf = make([]byte, min(size, w.len))
		}
		w.Reads++
		w.off = off &^ (size/2 - 1) // what comes before is asked for again
		if off+n > w.off+size {
			w.off = off
		}
		w.buf = w.buf[:min(int64(cap(w.buf)), w.len-w.off)]
		if got, err := w.r.ReadAt(w.buf, w.off); got < len(w.buf) {
			w.buf = w.buf[:got]
			if int64(got) < off-w.off+n {
				w.Err = fmt.Errorf("read at %#x: %w", off, err)
				return nil
			}
		}
	}
	return w.buf[off-w.off:][:n]
}

// Uint reads an unsigned integer of n bytes (1 to 8) at off, 0 after an error.
func (w *Window) Uint(off, n int64) uint64 {
	var full [8]byte
	copy(full[:], w.Bytes(off, min(n, 8)))
	return binary.LittleEndian.Uint64(full[:])
}

// Text copies n bytes at off as a string, at most limit of them.
func (w *Window) Text(off, n, limit int64) string {
	return string(w.Bytes(off, min(n, limit, size)))
}
