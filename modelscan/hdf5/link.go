package hdf5

import (
	"bytes"
	"fmt"
)

// maxName of a file or link that is read, in bytes.
const maxName = 4096

// link is a Link message: hard links are visited, external ones reported.
func (f *file) link(m message) {
	flags := f.w.Uint(m.off+1, 1)
	at, kind := m.off+2, uint64(0)
	if flags&0x08 != 0 {
		kind = f.w.Uint(at, 1)
		at++
	}
	if flags&0x04 != 0 {
		at += 8 // creation order
	}
	if flags&0x10 != 0 {
		at++ // character set
	}
	width := int64(1) << (flags & 3)
	at += width + int64(f.w.Uint(at, width)) // the name
	const hard, external = 0, 64
	switch kind {
	case hard:
		f.visit(f.address(at))
	case external:
		value := f.w.Bytes(at+3, max(int64(f.w.Uint(at, 2))-1, 0)) // behind the length and the flags
		name, _, _ := bytes.Cut(value, []byte{0})
		f.elsewhere(at, "an external link", string(name))
	}
}

// externalFiles: the dataset's numbers are in other files, whose names are in a local heap.
func (f *file) externalFiles(m message) {
	used := int64(f.w.Uint(m.off+6, 2))
	names := f.address(f.address(m.off+8) + 8 + 2*f.lengths)
	for i := range used {
		at := m.off + 8 + f.offsets + i*3*f.lengths
		f.elsewhere(at, "a dataset", f.cString(names+f.length(at)))
		if f.step(); f.w.Err != nil {
			return
		}
	}
}

// cString reads up to a NUL.
func (f *file) cString(at int64) string {
	buf := f.w.Bytes(at, min(maxName, max(f.w.Len()-at, 0)))
	name, _, _ := bytes.Cut(buf, []byte{0})
	return string(name)
}

// layout of a virtual dataset is a list of other files' datasets, kept in the global heap.
func (f *file) layout(m message) {
	const virtual = 3
	if f.w.Uint(m.off, 1) < 4 || f.w.Uint(m.off+1, 1) != virtual {
		return
	}
	list, err := f.heapObject(f.address(m.off+2), f.w.Uint(m.off+2+f.offsets, 4), maxName)
	skip := 1 + int(f.lengths)
	if err != nil || len(list) < skip {
		f.missing["the source list of a virtual dataset"] = true
		return
	}
	name, _, _ := bytes.Cut(list[skip:], []byte{0})
	if string(name) != "." { // the same file
		f.elsewhere(m.off, "a virtual dataset", string(name))
	}
	if entries := list[1:skip]; !bytes.Equal(bytes.TrimRight(entries[1:], "\x00"), nil) || entries[0] > 1 {
		f.missing[fmt.Sprintf("all but the first source of a virtual dataset (%q)", name)] = true
	}
}
