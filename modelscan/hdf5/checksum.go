package hdf5

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// lookup3 is the checksum of HDF5's metadata: Bob Jenkins' hash of that name, "hashlittle" with an initial value of 0
// (H5checksum.c; https://burtleburtle.net/bob/c/lookup3.c).
func lookup3(k []byte) uint32 {
	le, rot := binary.LittleEndian, bits.RotateLeft32
	a := 0xdeadbeef + uint32(len(k))
	b, c := a, a
	if len(k) == 0 {
		return c
	}
	for ; len(k) > 12; k = k[12:] {
		a, b, c = a+le.Uint32(k), b+le.Uint32(k[4:]), c+le.Uint32(k[8:])
		a = a - c ^ rot(c, 4)
		c += b
		b = b - a ^ rot(a, 6)
		a += c
		c = c - b ^ rot(b, 8)
		b += a
		a = a - c ^ rot(c, 16)
		c += b
		b = b - a ^ rot(a, 19)
		a += c
		c = c - b ^ rot(b, 4)
		b += a
	}
	var tail [12]byte
	copy(tail[:], k)
	a, b, c = a+le.Uint32(tail[:]), b+le.Uint32(tail[4:]), c+le.Uint32(tail[8:])
	c = c ^ b - rot(b, 14)
	a = a ^ c - rot(c, 11)
	b = b ^ a - rot(a, 25)
	c = c ^ b - rot(b, 16)
	a = a ^ c - rot(c, 4)
	b = b ^ a - rot(a, 14)
	return c ^ b - rot(b, 24)
}

// sumStep is how many bytes a checksum is taken of for one step.
const sumStep = 256

// summed compares the checksum that stands behind n bytes of metadata. The library reads nothing of what has another one; what
// is told of it here is told all the same.
func (f *file) summed(at, n int64, what string) {
	f.sum(at, n, at+n, what)
}

// sum compares the checksum at a place, which counts as zeros where it lies within the n bytes.
func (f *file) sum(at, n, place int64, what string) {
	if f.w.Err != nil || f.checked[at] {
		return
	}
	f.checked[at] = true
	for range n / sumStep {
		f.step()
	}
	b, err := f.p.Bytes(f.w.Base+at, n, f.p.Limits.MaxBuffer)
	if err == nil {
		if place < at+n {
			clear(b[place-at:][:4])
		}
		if got, said := lookup3(b), uint32(f.w.Uint(place, 4)); got != said && f.w.Err == nil {
			err = fmt.Errorf("the checksum of %s is %#08x, the file says %#08x", what, got, said)
		}
	}
	if err != nil {
		f.p.Fail(f.p.Name, f.w.Base+at, fmt.Errorf("hdf5: %w", err))
	}
}
