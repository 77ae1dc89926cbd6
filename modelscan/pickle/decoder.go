package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// ErrMalformed is wrapped by every error that says the bytes are no pickle from here on.
var ErrMalformed = errors.New("malformed pickle")

// Op is one decoded instruction. Its argument stands in Int, or is the byte range [Off, Off+Len) of
// the source: nothing is copied until Decoder.Payload is asked for it.
type Op struct {
	Code byte
	Pos  int64 // source offset of the opcode byte
	End  int64 // source offset after the argument
	// Int is the argument of BININT*, PROTO, FRAME, EXT*, BINGET, BINPUT, LONG_BINGET and
	// LONG_BINPUT, and the IEEE 754 bits of BINFLOAT (see Float).
	Int int64
	// Off and Len are the payload of counted arguments (strings, bytes, LONG1 and LONG4) and the
	// text of line arguments without the last newline. GLOBAL and INST have two lines in it: the
	// module is the first, Split bytes long, and the name begins at Off+Split+1.
	Off, Len int64
	Split    int64
}

// Name of the opcode as pickletools writes it, "BINUNICODE"; "" if there is no such opcode.
func (o *Op) Name() string { return ops[o.Code].name }

// Float is the argument of BINFLOAT.
func (o *Op) Float() float64 { return math.Float64frombits(uint64(o.Int)) }

// Decoder reads the opcodes of pickle protocols 0 to 5 one after another (CPython
// Lib/pickletools.py, Modules/_pickle.c). Memory is one window of 256 KiB whatever the source says.
//
// It knows no stack, no memo and no STOP: the scan machine and the index builder are its two sinks.
type Decoder struct {
	w window
}

// NewDecoder reads the source r of the given size from offset off on.
func NewDecoder(r io.ReaderAt, off, size int64) *Decoder {
	d := new(Decoder)
	d.w.reset(r, off, size)
	return d
}

// Offset in the source of the next opcode.
func (d *Decoder) Offset() int64 { return d.w.offset() }

// MoveTo moves to an offset of the source; the next opcode is read there.
func (d *Decoder) MoveTo(off int64) { d.w.seek(off) }

// Next decodes one instruction into op. It returns io.EOF where the source ends before an opcode, and
// an error wrapping ErrMalformed for a byte that is no opcode, a negative length, or an argument
// that the source is too short for. After an error only MoveTo helps.
func (d *Decoder) Next(op *Op) error {
	w := &d.w
	if len(w.buf)-w.pos < 9 {
		// An opcode and its fixed argument are at most nine bytes; near the end fewer are left.
		if n := w.size - w.offset(); n <= 0 {
			return io.EOF
		} else if err := w.fill(int(min(n, 9))); err != nil {
			return err
		}
	}
	code := w.buf[w.pos]
	op.Code, op.Pos = code, w.base+int64(w.pos)
	w.pos++
	kind := ops[code].arg
	if kind == argNone {
		op.End = op.Pos + 1
		return nil
	}
	return d.argument(op, kind)
}

// argSize is the number of bytes that every argument of the kind has at least.
var argSize = [...]int{argInvalid: 0, argNone: 0, argU1: 1, argU2: 2, argI4: 4, argU4: 4, argU8: 8, argF8: 8, argLen1: 1, argLen4: 4, argLen4s: 4, argLen8: 8, argLine: 0, argLines: 0}

func (d *Decoder) argument(op *Op, kind argKind) error {
	w := &d.w
	n := argSize[kind]
	if len(w.buf)-w.pos < n {
		return d.truncated(op)
	}
	b := w.buf[w.pos:]
	switch kind {
	case argU1, argLen1:
		op.Int = int64(b[0])
	case argU2:
		op.Int = int64(binary.LittleEndian.Uint16(b))
	case argI4, argLen4s:
		op.Int = int64(int32(binary.LittleEndian.Uint32(b)))
	case argU4, argLen4:
		op.Int = int64(binary.LittleEndian.Uint32(b))
	case argU8, argLen8:
		op.Int = int64(binary.LittleEndian.Uint64(b))
	case argF8:
		op.Int = int64(binary.BigEndian.Uint64(b))
	case argLine, argLines:
		return d.lines(op, kind)
	default:
		return fmt.Errorf("byte %#02x at %#x is no opcode: %w", op.Code, op.Pos, ErrMalformed)
	}
	w.pos += n
	if kind >= argLen1 {
		return d.counted(op)
	}
	op.End = w.offset()
	return nil
}

// counted skips a payload whose length stands in op.Int.
func (d *Decoder) counted(op *Op) error {
	op.Off, op.Len = d.w.offset(), op.Int
	if op.Len < 0 {
		return fmt.Errorf("%s at %#x has a negative length: %w", op.Name(), op.Pos, ErrMalformed)
	}
	if op.Len > d.w.size-op.Off {
		return fmt.Errorf("%s at %#x claims %d bytes, %d are left: %w", op.Name(), op.Pos, op.Len, d.w.size-op.Off, ErrMalformed)
	}
	op.End = op.Off + op.Len
	d.w.seek(op.End)
	return nil
}

func (d *Decoder) lines(op *Op, kind argKind) error {
	off, n, err := d.w.line()
	if err != nil {
		return d.lineError(op, err)
	}
	op.Off, op.Len = off, n
	if kind == argLines {
		op.Split = n
		if off, n, err = d.w.line(); err != nil {
			return d.lineError(op, err)
		}
		op.Len = off + n - op.Off
	}
	op.End = d.w.offset()
	return nil
}

func (d *Decoder) lineError(op *Op, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return d.truncated(op)
	}
	return err
}

func (d *Decoder) truncated(op *Op) error {
	return fmt.Errorf("%s at %#x is cut off: %w", op.Name(), op.Pos, ErrMalformed)
}

// Payload returns the argument's bytes. It refuses, before any allocation, more than limit bytes. The
// slice is valid until the decoder's next call.
func (d *Decoder) Payload(op *Op, limit int64) ([]byte, error) {
	if op.Len > limit {
		return nil, fmt.Errorf("argument of %s at %#x has %d bytes: over %d", op.Name(), op.Pos, op.Len, limit)
	}
	return d.w.bytesAt(op.Off, op.Len)
}
