package hdf5

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
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

// layout of a virtual dataset is a list of other files' datasets, kept in the global heap: a version, a count, and
// for each a file name, a dataset's name and two selections.
func (f *file) layout(m message) {
	const virtual = 3
	if f.w.Uint(m.off, 1) < 4 || f.w.Uint(m.off+1, 1) != virtual {
		return
	}
	list, err := f.heapObject(f.address(m.off+2), f.w.Uint(m.off+2+f.offsets, 4), f.p.Limits.MaxBuffer)
	skip := 1 + int(f.lengths)
	if err != nil || len(list) < skip || list[0] > 1 {
		f.missing["the source list of a virtual dataset"] = true
		return
	}
	rest := list[skip:]
	for range min(binary.LittleEndian.Uint64(append(bytes.Clone(list[1:skip]), make([]byte, 8)...)), maxSteps) {
		if f.step(); f.w.Err != nil {
			return
		}
		name, size := f.virtualSource(rest, list[0])
		if name != "" && name != "." { // the same file
			f.elsewhere(m.off, "a virtual dataset", name)
		}
		for range 2 {
			n := selection(rest[min(max(size, 0), len(rest)):])
			if size += n; n < 0 || size < 0 || size > len(rest) {
				f.missing[fmt.Sprintf("what follows the source %q of a virtual dataset", name)] = true
				return
			}
		}
		rest = rest[size:]
	}
}

// virtualSource reads the names of an entry: the file's, "" where another entry has told it, and how many bytes the
// names take. Version 1 of the list (HDF5 2.0) writes a name once; others refer to the entry that has it.
func (f *file) virtualSource(b []byte, version byte) (name string, size int) {
	const fileShared, datasetShared, sameFile = 1, 2, 4
	flags := byte(0)
	if version == 1 && len(b) > 0 {
		flags, size = b[0], 1
	}
	text := func(shared bool) (s string) {
		if shared {
			size += int(f.lengths)
			return ""
		}
		s, _, _ = strings.Cut(string(b[min(size, len(b)):]), "\x00")
		size += len(s) + 1
		return s
	}
	if flags&sameFile == 0 {
		name = text(flags&fileShared != 0)
	}
	text(flags&datasetShared != 0)
	return name, size
}

// selection tells how many bytes an encoded selection of a dataspace takes, -1 where it is not understood.
func selection(b []byte) int {
	const points, hyperslab = 1, 2
	if len(b) < 16 {
		return -1
	}
	kind, version := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	length := func(at int) int { return at + 4 + int(binary.LittleEndian.Uint32(b[at:])) }
	switch {
	case version == 1: // all, none, points and blocks of old: reserved, the length of the rest
		return length(12)
	case kind == hyperslab && version == 2: // flags, the length of the rest
		return length(9)
	case kind == hyperslab && version == 3: // flags, the width of a number, rank
		const regular = 1
		return numbered(b, 14, int(b[9]), 2*int(binary.LittleEndian.Uint32(b[10:])), b[8]&regular != 0)
	case kind == points && version == 2: // the width of a number, rank
		return numbered(b, 13, int(b[8]), int(binary.LittleEndian.Uint32(b[9:])), false)
	}
	return -1
}

// numbered is the end of what stands at an offset: two pairs of items where it is regular, else a count and so many
// items, each of them so many numbers of the given width.
func numbered(b []byte, at, width, numbers int, regular bool) int {
	var full [8]byte
	if width > len(full) || numbers > 64 || len(b) < at+width {
		return -1
	}
	if regular {
		return at + 2*width*numbers
	}
	copy(full[:], b[at:at+width])
	n := binary.LittleEndian.Uint64(full[:])
	if n > 1<<24 {
		return -1
	}
	return at + width + int(n)*width*numbers
}
