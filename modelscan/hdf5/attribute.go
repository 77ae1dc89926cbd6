package hdf5

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
	"github.com/secure-torch/secure-torch/modelscan/keras"
)

// Classes of datatypes.
const (
	classString   = 3
	classCompound = 6
	classOpaque   = 5
	classVlen     = 9
)

// attribute is an Attribute message. Only text and opaque bytes matter.
func (f *file) attribute(m message) {
	version, flags := f.w.Uint(m.off, 1), f.w.Uint(m.off+1, 1)
	if version < 1 || version > 3 {
		f.missing[fmt.Sprintf("version %d of attributes", version)] = true
		return
	}
	sizes := [3]int64{} // of the name, the datatype, the dataspace
	for i := range sizes {
		sizes[i] = int64(f.w.Uint(m.off+2+int64(i)*2, 2))
	}
	at := m.off + 8
	if version == 3 {
		at++ // character set
	}
	padded := func(n int64) int64 {
		if version == 1 {
			return (n + 7) &^ 7
		}
		return n
	}
	name := f.attributeName(at, sizes[0], version)
	kind := at + padded(sizes[0])
	space := kind + padded(sizes[1])
	data := space + padded(sizes[2])
	const sharedType = 1
	if version > 1 && flags&sharedType != 0 {
		named, err := f.named(kind)
		if err = f.unlessMissing(err); err != nil || named <= 0 {
			if err != nil {
				f.broken(m.off, name, err)
			}
			return
		}
		kind = named
	}
	f.compound(name, kind)
	f.value(name, kind, f.elements(space), data, m.off+m.size)
}

// compound tells of a datatype of that class without members, which the library refuses.
func (f *file) compound(name string, kind int64) {
	if f.w.Uint(kind, 1)&0x0f == classCompound && f.w.Uint(kind+1, 2) == 0 && f.w.Err == nil {
		f.broken(kind, name, errors.New("a compound of no members"))
	}
}

// attributeName reads a name, which ends where its length says.
func (f *file) attributeName(at, size int64, version uint64) string {
	text := f.w.Text(at, size, maxName)
	name, behind, _ := strings.Cut(text, "\x00")
	if version > 1 && behind != "" || strings.Trim(behind, "\x00") != "" || name == "" && f.w.Err == nil {
		f.broken(at, text, errors.New("its name ends before its length, or is none"))
	}
	return name
}

// maxRank of a dataspace (H5S_MAX_RANK).
const maxRank = 32

// elements of a dataspace: 1 for a scalar, 0 for none.
func (f *file) elements(at int64) int64 {
	version, rank := f.w.Uint(at, 1), int64(f.w.Uint(at+1, 1))
	if (version != 1 && version != 2 || rank > maxRank) && f.w.Err == nil {
		f.p.Fail(f.p.Name, f.w.Base+at, fmt.Errorf("hdf5: a dataspace of version %d with %d dimensions", version, rank))
	}
	dims := at + 8
	if version == 2 {
		dims = at + 4
		if f.w.Uint(at+3, 1) == 2 { // a null dataspace
			return 0
		}
	}
	n := int64(1)
	for i := range rank {
		d := f.length(dims + i*f.lengths)
		if d < 0 || d > 1<<32 || n*d > 1<<32 {
			return 1 << 32
		}
		n *= d
	}
	return n
}

// value reads the strings of an attribute. Elements that don't fit were not written.
func (f *file) value(name string, kind, elements, data, end int64) {
	class := f.w.Uint(kind, 1) & 0x0f
	size := int64(f.w.Uint(kind+4, 4))
	text := class == classString || class == classOpaque || class == classVlen && f.w.Uint(kind+1, 1)&0x0f == 1
	if !text || size == 0 || f.w.Err != nil {
		return
	}
	for i := range min(elements, (end-data)/size) {
		f.step()
		at := data + i*size
		if class != classVlen {
			b, err := f.p.Bytes(f.w.Base+at, size, f.p.Limits.MaxBuffer)
			if err != nil {
				f.broken(at, name, err)
				return
			}
			f.judge(name, at, bytes.TrimRight(b, "\x00"))
			continue
		}
		if collection := f.address(at + 4); collection == 0 || f.w.Uint(at, 4) == 0 { // nothing was written
			continue
		}
		b, err := f.heapObject(f.address(at+4), f.w.Uint(at+4+f.offsets, 4), f.p.Limits.MaxBuffer)
		if err != nil {
			f.broken(at, name, err)
			return
		}
		f.judge(name, at, b[:min(len(b), int(f.w.Uint(at, 4)))])
	}
}

// broken reports an attribute that could not be read.
func (f *file) broken(at int64, name string, err error) {
	f.p.Fail(f.p.Name, f.w.Base+at, fmt.Errorf("hdf5: attribute %q: %w", name, err))
}

// judge looks at one string: Keras's configurations are JSON, PyTables keeps Python objects as pickles.
func (f *file) judge(name string, at int64, text []byte) {
	switch {
	case name == "PSEUDOATOM" && string(text) == "object", name == "FLAVOR" && string(text) == "Object": // the second by PyTables 1
		f.pickled = true
	case name == "model_config" || bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")):
		root, err := jsontree.Parse(text)
		switch {
		case errors.Is(err, modelscan.ErrLimit), err != nil && name == "model_config":
			f.broken(at, name, err)
		case err == nil:
			f.p.Emit.Claim("keras")
			keras.JudgeAt(f.p, f.w.Base+at, root)
		}
	case bytes.HasSuffix(text, []byte(".")) && len(text) > 2:
		f.p.Emit.Descend(context.Background(), f.p.Member("@"+name, bytes.NewReader(text), int64(len(text))))
	}
}

// heapObject reads an object of a global heap collection, at most limit bytes of it.
func (f *file) heapObject(collection int64, index uint64, limit int64) ([]byte, error) {
	if collection < 0 || string(f.w.Bytes(collection, 4)) != "GCOL" {
		return nil, fmt.Errorf("no global heap at %#x", collection)
	}
	end := collection + f.length(collection+8)
	for at := collection + 8 + f.lengths; at+8+f.lengths <= end && f.w.Err == nil; {
		f.step()
		size := f.length(at + 8)
		found := f.w.Uint(at, 2)
		if size < 0 || size > end-at || found == 0 {
			break
		}
		if found == index {
			return f.p.Bytes(f.w.Base+at+8+f.lengths, min(size, limit+1), limit)
		}
		at += 8 + f.lengths + (size+7)&^7
	}
	return nil, fmt.Errorf("no object %d in the global heap at %#x", index, collection)
}
