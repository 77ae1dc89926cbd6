package pickle

import (
	"bytes"
	"fmt"
	"io"
)

// windowSize bounds what is read ahead: large enough that reads through the sandbox's transport are few.
const windowSize = 256 << 10

// window is a buffer that moves over an io.ReaderAt. Skipping does not read.
type window struct {
	r    io.ReaderAt
	size int64 // of the source
	base int64 // source offset of buf[0]
	buf  []byte
	pos  int // of the next byte, in buf
	mem  []byte
}

func (w *window) reset(r io.ReaderAt, off, size int64) {
	w.r, w.size, w.base, w.buf, w.pos = r, size, off, nil, 0
}

// offset in the source of the next byte.
func (w *window) offset() int64 { return w.base + int64(w.pos) }

// seek moves to a source offset; inside the buffer it costs nothing.
func (w *window) seek(off int64) {
	if d := off - w.base; d >= 0 && d <= int64(len(w.buf)) {
		w.pos = int(d)
		return
	}
	w.base, w.buf, w.pos = off, w.buf[:0], 0
}

// fill makes at least n bytes (n <= windowSize) available at pos, or returns io.ErrUnexpectedEOF
// (io.EOF when there are none at all).
func (w *window) fill(n int) error {
	if len(w.buf)-w.pos >= n {
		return nil
	}
	off := w.offset()
	left := w.size - off
	if left <= 0 {
		return io.EOF
	}
	if left < int64(n) {
		return io.ErrUnexpectedEOF
	}
	if w.mem == nil {
		w.mem = make([]byte, min(windowSize, max(w.size, 16)))
	}
	keep := copy(w.mem, w.buf[w.pos:])
	want := int(min(int64(len(w.mem)), left))
	w.base, w.pos, w.buf = off, 0, w.mem[:keep]
	got, err := w.r.ReadAt(w.mem[keep:want], off+int64(keep))
	w.buf = w.mem[:keep+got]
	if len(w.buf) >= n {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read at %#x: %w", off+int64(keep+got), err)
}

// line finds the next newline and moves behind it. The line may be longer than the buffer: only its
// extent is returned, without the newline.
func (w *window) line() (off, n int64, err error) {
	off = w.offset()
	for {
		if i := bytes.IndexByte(w.buf[w.pos:], '\n'); i >= 0 {
			w.pos += i + 1
			return off, w.offset() - 1 - off, nil
		}
		w.pos = len(w.buf)
		if err := w.fill(1); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return off, 0, err
		}
	}
}

// bytesAt returns source bytes [off, off+n) without moving, from the buffer where it can.
func (w *window) bytesAt(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > w.size || n > w.size-off {
		return nil, io.ErrUnexpectedEOF
	}
	if d := off - w.base; d >= 0 && d+n <= int64(len(w.buf)) {
		return w.buf[d : d+n], nil
	}
	out := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(w.r, off, n), out); err != nil {
		return nil, fmt.Errorf("read at %#x: %w", off, err)
	}
	return out, nil
}
