package flatbuffer

import (
	"cmp"
	"context"
	"fmt"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Schema says what the fields of a table are, by slot. Slots that it does not have are not looked at.
type Schema []Field

// Field is one field of a table: a scalar of Size bytes, or a reference.
type Field struct {
	Kind     Kind
	Size     int64   // of a scalar, or of an element of Numbers
	Align    int64   // of an element of Numbers that is a struct; otherwise Size
	Of       *Schema // of a table, or of the elements of Tables
	Required bool
}

// Kind of a field.
type Kind uint8

// Kinds of fields.
const (
	Skip Kind = iota
	Scalar
	String
	Sub     // a table
	Numbers // a vector of scalars
	Tables  // a vector of tables
	Strings // a vector of strings
)

const (
	maxTables = 250_000 // a quarter of what the verifier of FlatBuffers takes
	maxDepth  = 64      // as there
	maxReads  = 100_000 // of 64 KiB: a second or two
)

// Verify checks what the verifier of FlatBuffers checks (include/flatbuffers/verifier.h), which loaders run before
// anything else: that all that is referred to lies in the buffer and is aligned, and that strings end in NUL.
func (t Table) Verify(ctx context.Context, s *Schema) error {
	v := verifier{ctx: ctx, t: t}
	v.table(t, s, 0)
	if v.err == nil {
		v.err = t.w.Err
	}
	return v.err
}

type verifier struct {
	ctx    context.Context
	t      Table
	tables int
	err    error
}

func (v *verifier) fail(format string, args ...any) {
	if v.err == nil && v.t.w.Err == nil {
		v.err = fmt.Errorf(format, args...)
	}
}

func (v *verifier) ok() bool { return v.err == nil && v.t.w.Err == nil }

func (v *verifier) aligned(at, n int64) {
	if at%n != 0 {
		v.fail("value of %d bytes at %#x, which is not aligned", n, at)
	}
}

func (v *verifier) table(t Table, s *Schema, depth int) {
	if v.tables++; v.tables > maxTables || depth > maxDepth || t.w.Reads > maxReads {
		v.fail("more than %d tables, nested deeper than %d or too far apart: %w", maxTables, maxDepth, modelscan.ErrLimit)
		return
	}
	if err := v.ctx.Err(); err != nil {
		v.err = err
		return
	}
	v.aligned(t.off, 4)
	vtable := t.off - int64(int32(t.w.Uint(t.off, 4)))
	v.aligned(vtable, 2)
	length := int64(t.w.Uint(vtable, 2))
	v.aligned(length, 2)
	if length < 4 || vtable+length > t.w.Len() {
		v.fail("field list of %d bytes at %#x", length, vtable)
	}
	for slot := range *s {
		if !v.ok() {
			return
		}
		if at := t.field(int64(slot)); at != 0 {
			v.value(t, at, (*s)[slot], depth)
		} else if (*s)[slot].Required {
			v.fail("table at %#x without field %d, which is required", t.off, slot)
		}
	}
}

// value checks the field whose value stands at at.
func (v *verifier) value(t Table, at int64, f Field, depth int) {
	switch f.Kind {
	case Skip:
	case Scalar:
		v.aligned(at, f.Size)
		t.w.Uint(at, f.Size)
	case Sub:
		if to := v.follow(at); v.ok() {
			v.table(Table{t.w, to}, f.Of, depth+1)
		}
	case String:
		v.text(at)
	case Numbers:
		v.vector(at, f.Size, cmp.Or(f.Align, f.Size))
	case Strings:
		v.texts(at)
	case Tables:
		to, n := v.vector(at, 4, 4)
		for i := int64(0); i < n && v.ok(); i++ {
			if to := v.follow(to + 4*i); v.ok() {
				v.table(Table{t.w, to}, f.Of, depth+1)
			}
		}
	}
}

// texts checks the vector of strings to which the reference at at leads.
func (v *verifier) texts(at int64) {
	to, n := v.vector(at, 4, 4)
	for i := int64(0); i < n && v.ok(); i++ {
		if v.tables++; v.tables > maxTables || v.t.w.Reads > maxReads {
			v.fail("more than %d texts, or too far apart: %w", maxTables, modelscan.ErrLimit)
		}
		v.text(to + 4*i)
	}
}

// text checks the string to which the reference at at leads.
func (v *verifier) text(at int64) {
	to, n := v.vector(at, 1, 1)
	if v.ok() && v.t.w.Uint(to+n, 1) != 0 {
		v.fail("string at %#x without its end", to)
	}
}

// follow returns where the reference at at leads to.
func (v *verifier) follow(at int64) int64 {
	v.aligned(at, 4)
	rel := v.t.w.Uint(at, 4)
	if rel == 0 || rel >= 1<<31 {
		v.fail("reference to %d bytes behind itself at %#x", rel, at)
	}
	return at + int64(rel)
}

// vector returns where the elements of n bytes begin to which the reference at at leads, and how many there are.
func (v *verifier) vector(at, n, align int64) (elements, length int64) {
	at = v.follow(at)
	if !v.ok() {
		return 0, 0
	}
	v.aligned(at, 4)
	v.aligned(at+4, align)
	length = int64(v.t.w.Uint(at, 4))
	if length > (v.t.w.Len()-at-4)/n {
		v.fail("%d elements at %#x, more than there are bytes for", length, at)
		return 0, 0
	}
	return at + 4, length
}
