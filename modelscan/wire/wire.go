// Package wire walks protobuf messages in a file without decoding them into memory.
//
// It follows https://protobuf.dev/programming-guides/encoding. What a parser would skip (unknown
// fields, known numbers with another wire type, whole groups) is walked over, so that it hides
// nothing behind it. Large values are never read, only their place is told.
package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// ErrMalformed is wrapped by every error about the encoding itself.
var ErrMalformed = errors.New("not a protobuf message")

// ErrPastEnd is a length-delimited field that runs past its message; it is an ErrMalformed.
var ErrPastEnd = fmt.Errorf("field runs past its end: %w", ErrMalformed)

// ErrHeadEnds says that a Head was sound as far as it goes.
var ErrHeadEnds = errors.New("the head ends here")

// maxGroupDepth bounds nested groups, as protobuf's own parsers do.
const maxGroupDepth = 100

// fieldError says where a field is malformed. It is put into words only when asked: most of what is
// tried as a message is none.
type fieldError struct {
	num protowire.Number // 0: its tag can't be read
	off int64
	err error
}

func (e fieldError) Error() string {
	if e.num == 0 {
		return fmt.Sprintf("tag at %#x: %v", e.off, e.err)
	}
	return fmt.Sprintf("field %d at %#x: %v", e.num, e.off, e.err)
}

func (e fieldError) Unwrap() error { return e.err }

// Message is a run of bytes that holds a protobuf message.
type Message struct {
	in       *window
	Off, Len int64 // in the source
}

// Open takes the first size bytes of r as a message.
func Open(r io.ReaderAt, size int64) Message {
	return Message{in: &window{r: r, size: size}, Len: size}
}

// Head takes the first bytes of a message of the given size. Its Each visits the fields that begin
// there, then returns ErrHeadEnds if the message goes on. Bodies reach past the head: don't read them.
func Head(head []byte, size int64) Message {
	in := &window{r: bytes.NewReader(head), size: int64(len(head)), buf: head}
	return Message{in: in, Len: size}
}

// MayHold tells whether a field with a number from low to high, at most 15, or one above 15, can stand in a
// message of which head is the start: whether a byte is there that could begin its tag. It never says no to a
// message that goes on behind head.
func MayHold(head []byte, size int64, low, high protowire.Number) bool {
	if size > int64(len(head)) {
		return true
	}
	for _, c := range head {
		if num := protowire.Number(c >> 3); c >= 0x80 || low <= num && num <= high { // 0x80: a tag of more bytes
			return true
		}
	}
	return false
}

// Field is one occurrence of a field.
type Field struct {
	Num  protowire.Number
	Type protowire.Type
	Off  int64   // of the tag
	Int  uint64  // the value of a varint, fixed32 or fixed64 field
	Body Message // the bytes of a length-delimited field
}

// Is tells whether the field has the number and is length-delimited: a message, string or bytes.
func (f Field) Is(num protowire.Number) bool { return f.Num == num && f.Type == protowire.BytesType }

// IsInt tells whether the field has the number and is a varint.
func (f Field) IsInt(num protowire.Number) bool {
	return f.Num == num && f.Type == protowire.VarintType
}

// Each calls visit for every field, until it returns an error.
func (m Message) Each(visit func(Field) error) error {
	end := m.Off + m.Len
	for off := m.Off; off < end; {
		if off >= m.in.size {
			return ErrHeadEnds
		}
		f, next, err := m.field(off, end, 0)
		if err != nil {
			return err
		}
		if f.Type != protowire.StartGroupType {
			if err := visit(f); err != nil {
				return err
			}
		}
		off = next
	}
	return nil
}

// field reads the field at off and returns where the next one starts.
func (m Message) field(off, end int64, depth int) (Field, int64, error) {
	buf := m.in.peek(off, end)
	if len(buf) > 1 && buf[0] >= 1<<3 && buf[0]|buf[1] < 0x80 && buf[0]&7 == byte(protowire.VarintType) { // two bytes, as most are
		return Field{Num: protowire.Number(buf[0] >> 3), Off: off, Int: uint64(buf[1])}, off + 2, nil
	}
	num, typ, n := protowire.ConsumeTag(buf)
	if n < 0 {
		return Field{}, 0, fieldError{off: off, err: ErrMalformed}
	}
	f := Field{Num: num, Type: typ, Off: off}
	off += int64(n)
	buf = m.in.peek(off, end)
	switch typ {
	case protowire.VarintType:
		f.Int, n = protowire.ConsumeVarint(buf)
	case protowire.Fixed32Type:
		var v uint32
		v, n = protowire.ConsumeFixed32(buf)
		f.Int = uint64(v)
	case protowire.Fixed64Type:
		f.Int, n = protowire.ConsumeFixed64(buf)
	case protowire.BytesType:
		return m.bytes(f, buf, off, end)
	case protowire.StartGroupType:
		next, err := m.group(num, off, end, depth+1)
		return f, next, err
	default:
		n = -1
	}
	if n < 0 {
		return Field{}, 0, fieldError{num, f.Off, ErrMalformed}
	}
	return f, off + int64(n), nil
}

func (m Message) bytes(f Field, buf []byte, off, end int64) (Field, int64, error) {
	length, n := protowire.ConsumeVarint(buf)
	off += int64(max(n, 0))
	if n < 0 {
		return Field{}, 0, fieldError{f.Num, f.Off, ErrMalformed}
	}
	if length > uint64(end-off) {
		return Field{}, 0, fieldError{f.Num, f.Off, ErrPastEnd}
	}
	f.Body = Message{in: m.in, Off: off, Len: int64(length)}
	return f, off + int64(length), nil
}

// group walks to the end of the group with the given number.
func (m Message) group(num protowire.Number, off, end int64, depth int) (int64, error) {
	if depth > maxGroupDepth {
		return 0, fmt.Errorf("groups nested deeper than %d at %#x: %w", maxGroupDepth, off, ErrMalformed)
	}
	for off < end {
		n, typ, size := protowire.ConsumeTag(m.in.peek(off, end))
		if size > 0 && typ == protowire.EndGroupType {
			if n != num {
				break
			}
			return off + int64(size), nil
		}
		_, next, err := m.field(off, end, depth)
		if err != nil {
			return 0, err
		}
		off = next
	}
	return 0, fmt.Errorf("group %d at %#x has no end: %w", num, off, ErrMalformed)
}

// Bytes reads the message's bytes, at most limit of them.
func (m Message) Bytes(limit int64) ([]byte, error) {
	buf := make([]byte, min(m.Len, limit))
	if _, err := io.ReadFull(io.NewSectionReader(m.in.r, m.Off, int64(len(buf))), buf); err != nil {
		return nil, fmt.Errorf("read at %#x: %w", m.Off, err)
	}
	return buf, nil
}

// Text reads the message's bytes as a string and cuts it after limit bytes. What can't be read is "".
func (m Message) Text(limit int64) string {
	if m.Len <= windowSize {
		if buf := m.in.peek(m.Off, m.Off+m.Len); int64(len(buf)) == m.Len {
			return string(buf[:min(m.Len, limit)])
		}
	}
	buf, err := m.Bytes(limit)
	if err != nil {
		return ""
	}
	return string(buf)
}

// windowSize is read at once: messages are many and small, sources may be far away.
const windowSize = 64 << 10

// window keeps the bytes around the last place read.
type window struct {
	r    io.ReaderAt
	size int64
	off  int64
	buf  []byte
}

// peek returns the bytes at off up to end, at least a field's head if there are that many. A read
// error looks like the end of the source, which is malformed.
func (w *window) peek(off, end int64) []byte {
	const enough = 2 * 10 // a tag and a length
	end = min(end, w.size)
	if off >= end {
		return nil
	}
	have := w.off + int64(len(w.buf))
	if off < w.off || off >= have || have < end && have-off < enough {
		w.fill(off)
		have = w.off + int64(len(w.buf))
	}
	return w.buf[off-w.off : max(min(end, have)-w.off, off-w.off)]
}

func (w *window) fill(off int64) {
	if cap(w.buf) == 0 {
		w.buf = make([]byte, 0, min(windowSize, w.size))
	}
	n, _ := w.r.ReadAt(w.buf[:min(int64(cap(w.buf)), w.size-off)], off)
	w.off, w.buf = off, w.buf[:n]
}
