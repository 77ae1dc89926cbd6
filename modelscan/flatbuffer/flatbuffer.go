// Package flatbuffer follows the references of a FlatBuffers file
// (https://flatbuffers.dev/internals) with every bound checked.
package flatbuffer

import (
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/modelscan/window"
)

// Table is a table in a buffer. The zero Table has no fields.
type Table struct {
	w   *window.Window
	off int64
}

// Root opens a buffer and returns its root table. Errors show in w.Err, as everywhere here.
func Root(w *window.Window) Table { return Table{w, int64(w.Uint(0, 4))} }

// field returns where the value of the field in the given slot stands, 0 when it has its default.
func (t Table) field(slot int64) int64 {
	if t.w == nil || t.w.Err != nil {
		return 0
	}
	vtable := t.off - int64(int32(t.w.Uint(t.off, 4)))
	length := int64(t.w.Uint(vtable, 2))
	if size := int64(t.w.Uint(vtable+2, 2)); t.w.Err == nil && size > t.w.Len()-t.off {
		t.w.Err = fmt.Errorf("table of %d bytes at %#x: %w", size, t.off, io.ErrUnexpectedEOF)
	}
	if 4+2*slot+2 > length {
		return 0
	}
	rel := int64(t.w.Uint(vtable+4+2*slot, 2))
	if rel == 0 {
		return 0
	}
	return t.off + rel
}

// Uint reads a scalar field of n bytes, 0 where it is absent.
func (t Table) Uint(slot, n int64) uint64 {
	if at := t.field(slot); at != 0 {
		return t.w.Uint(at, n)
	}
	return 0
}

// ref follows the offset stored at at.
func (t Table) ref(at int64) int64 { return at + int64(t.w.Uint(at, 4)) }

// Table follows a field to another table.
func (t Table) Table(slot int64) Table {
	if at := t.field(slot); at != 0 {
		return Table{t.w, t.ref(at)}
	}
	return Table{}
}

// Text follows a field to a string, of which at most limit bytes are read.
func (t Table) Text(slot, limit int64) string {
	at := t.field(slot)
	if at == 0 {
		return ""
	}
	at = t.ref(at)
	return t.w.Text(at+4, int64(t.w.Uint(at, 4)), limit)
}

// Vector is a sequence of fixed-size elements.
type Vector struct {
	t   Table
	off int64
	Len int64
}

// Vector follows a field to a vector of elements of n bytes. A vector that does not fit is an error.
func (t Table) Vector(slot, n int64) Vector {
	at := t.field(slot)
	if at == 0 {
		return Vector{}
	}
	at = t.ref(at)
	v := Vector{t: t, off: at + 4, Len: int64(t.w.Uint(at, 4))}
	if t.w.Err == nil && v.Len*n > t.w.Len()-v.off {
		t.w.Err = fmt.Errorf("%d elements at %#x: %w", v.Len, at, io.ErrUnexpectedEOF)
	}
	if t.w.Err != nil {
		return Vector{}
	}
	return v
}

// Table returns the i-th element of a vector of tables.
func (v Vector) Table(i int64) Table { return Table{v.t.w, v.t.ref(v.off + 4*i)} }

// Uint returns the i-th element of a vector of integers of n bytes.
func (v Vector) Uint(i, n int64) uint64 { return v.t.w.Uint(v.off+n*i, n) }

// Off is where the table stands in the buffer.
func (t Table) Off() int64 { return t.off }

// Text returns the i-th element of a vector of strings, at most limit bytes of it.
func (v Vector) Text(i, limit int64) string {
	at := v.t.ref(v.off + 4*i)
	return v.t.w.Text(at+4, int64(v.t.w.Uint(at, 4)), limit)
}

// Block reads an integer of n bytes at byte k of a vector of bytes.
func (v Vector) Block(k, n int64) uint64 { return v.t.w.Uint(v.off+k, n) }
