package torch

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
)

// storages of a legacy checkpoint: for each key that its fifth pickle lists, a number of elements and the
// elements (torch/csrc/generic/serialization.cpp).
type storages struct {
	p       *modelscan.Pass
	classes map[string]string // by key
	end     int64             // of the storages passed so far
}

// pass passes over the storage of the given key.
func (s *storages) pass(key string) error {
	class, ok := s.classes[key]
	if !ok {
		return fmt.Errorf("key %q names no storage of the object", key)
	}
	name, ok := strings.CutSuffix(class, "Storage")
	size := elementSize[name]
	if !ok || size == 0 {
		return fmt.Errorf("storage %q is a %q of unknown element size", key, class)
	}
	b, err := s.p.Bytes(s.end, 8, 8)
	if err != nil {
		return fmt.Errorf("storage %q: %w", key, err)
	}
	n := int64(binary.LittleEndian.Uint64(b))
	if left := s.p.Size - s.end - 8; n < 0 || n > left/size {
		return fmt.Errorf("storage %q at %#x has %d elements of %d bytes, %d bytes are left", key, s.end, n, size, left)
	}
	s.end += 8 + n*size
	return nil
}

// keyList follows the one shape in which picklers of protocol 2 and later write a list of texts. Whatever
// deviates is refused: nobody but its unpickler knows what it evaluates to.
type keyList struct {
	begun, marked bool
	pending       int   // texts on the stack that are not in the list yet
	frameEnd      int64 // of the last FRAME
}

// maxKey bounds a storage's key; torch writes an address in decimal.
const maxKey = 64

// eachKey calls f for the texts in the list that the pickle in [off, end) is.
func eachKey(p *modelscan.Pass, off, end int64, f func(key string) error) error {
	d := pickle.NewDecoder(p.R, off, end)
	d.MoveTo(off)
	var op pickle.Op
	for l := (keyList{}); ; {
		if err := d.Next(&op); err != nil {
			return fmt.Errorf("list of keys: %w", err)
		}
		text, ok := l.step(&op, end)
		switch {
		case !ok:
			return fmt.Errorf("%s at %#x: no plain list of keys", op.Name(), op.Pos)
		case op.Name() == "STOP":
			return nil
		case !text:
			continue
		}
		key, err := d.Payload(&op, maxKey)
		if err == nil {
			err = f(string(key))
		}
		if err != nil {
			return err
		}
	}
}

// step tells whether op pushes a text, and whether it has a place in such a list.
func (l *keyList) step(op *pickle.Op, end int64) (text, ok bool) {
	if l.frameEnd > op.Pos && l.frameEnd < op.End {
		return false, false
	}
	switch op.Name() {
	case "PROTO":
		return false, !l.begun
	case "FRAME":
		l.frameEnd = op.End + op.Int
		return false, op.Int >= 0 && op.Int <= end-op.End
	case "SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINSTRING", "BINSTRING":
		l.pending++
		return true, l.begun && (l.marked || l.pending == 1)
	}
	return false, l.build(op)
}

// build tells whether an opcode that makes or fills the list has a place there.
func (l *keyList) build(op *pickle.Op) (ok bool) {
	switch op.Name() {
	case "EMPTY_LIST":
		ok, l.begun = !l.begun, true
	case "BINPUT", "LONG_BINPUT", "MEMOIZE":
		ok = l.begun
	case "MARK":
		ok, l.marked = l.begun && !l.marked && l.pending == 0, true
	case "APPEND":
		ok, l.pending = !l.marked && l.pending == 1, 0
	case "APPENDS":
		ok, l.marked, l.pending = l.marked, false, 0
	case "STOP":
		ok = l.begun && !l.marked && l.pending == 0
	}
	return ok
}
