// Package hdf5 reads what matters of HDF5 files (https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html,
// superblocks 0 to 3): every object is visited, attributes that are Keras configurations or pickles are
// judged, as are the objects of PyTables' object arrays; links and datasets kept in other files are reported. Numbers in
// datasets are never read.
package hdf5

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/window"
)

// Format is HDF5.
var Format = &modelscan.Format{Name: "hdf5", Sniff: sniff, Scan: scan}

const signature = "\x89HDF\r\n\x1a\n"

// place returns where the superblock stands: at 0, 512, 1024 and so on, behind a user block.
func place(head []byte) int64 {
	for off := 0; off < len(head); off = max(512, off*2) {
		if bytes.HasPrefix(head[off:], []byte(signature)) {
			return int64(off)
		}
	}
	return -1
}

func sniff(p modelscan.Probe) modelscan.Confidence {
	switch place(p.Head) {
	case -1:
		return modelscan.No
	case 0:
		return modelscan.Yes
	}
	return modelscan.Maybe
}

// maxObjects bounds how many objects are visited, maxSteps the entries of all their lists: lists can
// be shared, so that a small file can have many.
const (
	maxObjects = 1 << 20
	maxSteps   = 1 << 22
)

// file is one HDF5 file on its way from the root group to everything below.
type file struct {
	p       *modelscan.Pass
	w       *window.Window
	offsets int64 // size of an address, in bytes
	lengths int64 // size of a length
	todo    []int64
	seen    map[int64]bool
	told    map[string]bool
	missing map[string]bool // what was met and is not supported
	checked map[int64]bool  // whose checksums were compared
	steps   int

	// of the object that is being read
	chunks  message  // the layout of its data
	filters []filter // what the data went through
	pickled bool     // PyTables wrote Python objects into it

	placed      int   // chunks looked at
	summedBytes int64 // of the chunks that were verified
	unread      bool  // there are more
}

// step is taken for every entry of a list. After too many of them the window fails.
func (f *file) step() {
	if f.steps++; f.steps > maxSteps && f.w.Err == nil {
		f.w.Err = fmt.Errorf("more than %d entries: %w", maxSteps, modelscan.ErrLimit)
	}
}

func scan(ctx context.Context, p *modelscan.Pass) error {
	f := &file{p: p, w: window.New(p.R, p.Size), seen: map[int64]bool{}, told: map[string]bool{}, missing: map[string]bool{}, checked: map[int64]bool{}}
	if err := f.superblock(place(f.w.Bytes(0, min(p.Size, 64<<10)))); err != nil {
		return err
	}
	for len(f.todo) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := f.todo[len(f.todo)-1]
		f.todo = f.todo[:len(f.todo)-1]
		if err := f.object(at); err != nil {
			return fmt.Errorf("object at %#x: %w", at, err)
		}
	}
	if f.unread {
		p.Emit.Note(p.Name + ": compressed numbers, not all of which were unpacked")
	}
	for what := range f.missing {
		p.Emit.Gap(modelscan.Gap{Rule: rule.NotSupported, Path: p.Name, Reason: "hdf5: " + what + " is not read yet"})
	}
	return nil
}

// superblock finds the root group.
func (f *file) superblock(at int64) error {
	w := f.w
	version := w.Uint(at+8, 1)
	sizes, base := at+13, at+24
	if version >= 2 {
		sizes, base = at+9, at+12
	} else if version == 1 {
		base += 4
	}
	f.offsets, f.lengths = int64(w.Uint(sizes, 1)), int64(w.Uint(sizes+1, 1))
	if version > 3 || w.Err == nil && (!validSize(f.offsets) || !validSize(f.lengths)) {
		return fmt.Errorf("superblock version %d with sizes %d and %d", version, f.offsets, f.lengths)
	}
	start := int64(w.Uint(base, f.offsets))
	root := base + 3*f.offsets
	if version < 2 {
		root = base + 4*f.offsets + f.offsets // behind the link name of the symbol table entry
	}
	header := int64(w.Uint(root, f.offsets))
	if w.Err != nil {
		return w.Err
	}
	if version >= 2 {
		f.summed(at, 12+4*f.offsets, "the superblock")
	}
	if start < 0 || start > f.p.Size {
		return fmt.Errorf("base address %#x", start)
	}
	if end := f.address(base + 2*f.offsets); end > f.p.Size { // the library refuses such a file
		f.p.Fail(f.p.Name, base+2*f.offsets, fmt.Errorf("hdf5: cut short: %d bytes of %d", f.p.Size, end))
	}
	w.Base = start
	f.visit(header)
	return nil
}

func validSize(n int64) bool { return n == 2 || n == 4 || n == 8 }

// address reads an address; -1 is HDF5's undefined one.
func (f *file) address(at int64) int64 {
	v := f.w.Uint(at, f.offsets)
	if v == 1<<(8*f.offsets)-1 || f.offsets == 8 && v == 1<<64-1 {
		return -1
	}
	if v > math.MaxInt64 && f.w.Err == nil {
		f.w.Err = fmt.Errorf("the address %#x at %#x lies outside of the file", v, at)
	}
	return int64(v)
}

func (f *file) length(at int64) int64 { return int64(f.w.Uint(at, f.lengths)) }

// visit remembers to read the object header at an address.
func (f *file) visit(at int64) {
	if at >= 0 && !f.seen[at] {
		f.seen[at] = true
		f.todo = append(f.todo, at)
	}
}

func (f *file) tell(id rule.ID, at int64, subject, format string, args ...any) {
	if key := string(id) + subject; !f.told[key] {
		f.told[key] = true
		f.p.Emit.Finding(modelscan.Finding{Rule: id, Path: f.p.Name, Offset: at + f.w.Base, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
}

// elsewhere reports something that the library opens another file for.
func (f *file) elsewhere(at int64, what, name string) {
	if why := modelscan.Escapes(name); why != "" {
		f.tell(rule.Hdf5ExternalFile, at, name, "%s reads %q, which %s", what, name, why)
	} else {
		f.tell(rule.Hdf5OtherFile, at, name, "%s reads the file %q", what, name)
	}
}
