package compress

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Delta undoes the delta filter of xz and 7z: every byte was written as the difference to the one so far before it.
func Delta(distance int) Codec {
	return func(in Input) (io.Reader, error) {
		if distance < 1 || distance > 256 {
			return nil, fmt.Errorf("delta of distance %d", distance)
		}
		return &delta{r: in, last: make([]byte, distance)}, nil
	}
}

type delta struct {
	r    io.Reader
	last []byte
	pos  int
}

func (d *delta) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	for i := range n {
		p[i] += d.last[d.pos]
		d.last[d.pos] = p[i]
		d.pos = (d.pos + 1) % len(d.last)
	}
	return n, err
}

// X86 undoes the branch filter of xz and 7z for x86: targets of CALL and JMP were made absolute.
func X86(in Input) (io.Reader, error) {
	return &x86{r: in, buf: make([]byte, 0, 32<<10)}, nil
}

type x86 struct {
	r     io.Reader
	buf   []byte
	ready int // bytes of buf that are final
	mask  uint32
	pos   uint32 // of buf[0]
	err   error
}

func (x *x86) Read(p []byte) (int, error) {
	for x.ready == 0 {
		if x.err != nil {
			return 0, x.err
		}
		n, err := x.r.Read(x.buf[len(x.buf):cap(x.buf)])
		x.buf = x.buf[:len(x.buf)+n]
		x.err = err
		x.ready = x.convert(x.buf)
		if err != nil { // what is left is shorter than an instruction
			if !errors.Is(err, io.EOF) && x.ready == 0 {
				return 0, err
			}
			x.ready = len(x.buf)
		}
	}
	n := copy(p, x.buf[:x.ready])
	x.pos += uint32(n)
	x.ready -= n
	x.buf = x.buf[:copy(x.buf, x.buf[n:])]
	return n, nil
}

// plainTop tells whether b can be the top byte of a 25-bit distance.
func plainTop(b byte) bool { return b == 0 || b == 0xff }

// convert rewrites what is complete in b, and returns how many bytes are final. The rules, and the meaning of
// the mask of earlier opcodes, are those of Igor Pavlov's Bra86.c, which is in the public domain.
func (x *x86) convert(b []byte) int {
	allowed := [8]bool{true, true, true, false, true}
	bits := [8]uint32{0, 1, 2, 2, 3, 3, 3, 3}
	if len(b) <= 4 {
		return 0
	}
	mask, previous := x.mask, -1
	i := 0
	for ; i < len(b)-4; i++ {
		if b[i]&0xfe != 0xe8 {
			continue
		}
		gap := i - previous
		previous = i
		if gap > 3 {
			mask = 0
		} else if mask = mask << (gap - 1) & 7; mask != 0 {
			if top := b[i+4-int(bits[mask])]; !allowed[mask] || plainTop(top) {
				mask = mask<<1 | 1
				continue
			}
		}
		if !plainTop(b[i+4]) {
			mask = mask<<1 | 1
			continue
		}
		target := x.relative(binary.LittleEndian.Uint32(b[i+1:]), uint32(i), mask, bits[mask])
		binary.LittleEndian.PutUint32(b[i+1:], target)
		i += 4
	}
	if gap := i - previous; gap > 3 {
		x.mask = 0
	} else {
		x.mask = mask << (gap - 1)
	}
	return i
}

// relative turns an absolute target back into a distance from the instruction behind b[i].
func (x *x86) relative(absolute, i, mask, bits uint32) uint32 {
	for {
		distance := absolute - (x.pos + i + 5)
		if mask == 0 || !plainTop(byte(distance>>(24-bits*8))) {
			distance &= 0x01ffffff
			return distance | -(distance & 0x01000000)
		}
		absolute = distance ^ (1<<(32-bits*8) - 1)
	}
}
