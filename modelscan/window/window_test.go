package window

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestReads(t *testing.T) {
	b := make([]byte, 5*size+17)
	for i := range b {
		b[i] = byte(i * 31 >> 3)
	}
	w := New(bytes.NewReader(b), int64(len(b)))
	for _, at := range []int64{0, size - 1, 3*size + 5, 1, size/2 - 2, int64(len(b)) - 8, size} {
		for _, n := range []int64{1, 8, 100, size - 3, size} {
			if at+n > int64(len(b)) {
				continue
			}
			if got := w.Bytes(at, n); !bytes.Equal(got, b[at:at+n]) {
				t.Fatalf("%d bytes at %d: %v", n, at, w.Err)
			}
		}
	}
	w.Base = 10
	if got := w.Uint(2, 2); got != uint64(b[12])|uint64(b[13])<<8 || w.Len() != int64(len(b))-10 {
		t.Errorf("with a base: %d", got)
	}
	if w.Uint(int64(len(b))-11, 2); !errors.Is(w.Err, io.ErrUnexpectedEOF) {
		t.Errorf("past the end: %v", w.Err)
	}
	if w.Bytes(0, 1) != nil {
		t.Error("reads after an error")
	}
}

func TestRefused(t *testing.T) {
	for _, c := range [][2]int64{{-1, 1}, {0, -1}, {0, size + 1}, {1 << 62, 1}, {1, 1<<63 - 1}} {
		w := New(bytes.NewReader(make([]byte, 100)), 100)
		if w.Bytes(c[0], c[1]); w.Err == nil {
			t.Errorf("%d bytes at %d", c[1], c[0])
		}
	}
}
