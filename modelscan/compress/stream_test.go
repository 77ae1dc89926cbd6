package compress

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/secure-torch/secure-torch/modelscan"
)

// pack returns n bytes without much repetition, and the same compressed.
func pack(t *testing.T, n int) (plain, packed []byte) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	plain = make([]byte, n)
	for i := range plain {
		plain[i] = byte(rnd.IntN(16))
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return plain, b.Bytes()
}

func open(packed []byte, budget *modelscan.Budget) (*Stream, error) {
	return Open(func() (io.Reader, error) { return Gzip(Input{Reader: bytes.NewReader(packed)}) }, budget, nil)
}

// TestStreamReadsAnywhere reads in any order more than the cache holds.
func TestStreamReadsAnywhere(t *testing.T) {
	for _, n := range []int{0, 1, 4 << 10, 4<<10 + 1, chunkSize, chunkSize + 1, (maxChunks + 8) * chunkSize} {
		plain, packed := pack(t, n)
		s, err := open(packed, nil)
		if err != nil || s.Size() != int64(n) {
			t.Fatalf("%d bytes: size %d, %v", n, s.Size(), err)
		}
		rnd := rand.New(rand.NewPCG(3, 4))
		for range 12 {
			at := rnd.IntN(n + 1)
			got := make([]byte, rnd.IntN(min(n-at, 3*chunkSize)+1))
			if m, err := s.ReadAt(got, int64(at)); err != nil || m != len(got) || !bytes.Equal(got, plain[at:at+m]) {
				t.Fatalf("%d bytes: %d at %d: %d, %v", n, len(got), at, m, err)
			}
		}
		if m, err := s.ReadAt(make([]byte, 2), int64(max(n-1, 0))); !errors.Is(err, io.EOF) || m != min(n, 1) {
			t.Errorf("%d bytes: past the end: %d, %v", n, m, err)
		}
		if len(s.chunks) > maxChunks {
			t.Errorf("%d chunks in memory", len(s.chunks))
		}
	}
}

// TestStreamKeepsWhatCameBefore cuts the stream off.
func TestStreamKeepsWhatCameBefore(t *testing.T) {
	plain, packed := pack(t, 1<<20)
	s, err := open(packed[:len(packed)/2], nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || s == nil || s.Size() < 1<<18 {
		t.Fatalf("%v, %v", s, err)
	}
	got := make([]byte, s.Size())
	if _, err := s.ReadAt(got, 0); err != nil || !bytes.Equal(got, plain[:len(got)]) {
		t.Errorf("%v", err)
	}
}

// TestBudget ends a stream, and every later reading back, with ErrLimit.
func TestBudget(t *testing.T) {
	_, packed := pack(t, 4<<20)
	if _, err := open(packed, &modelscan.Budget{}); !errors.Is(err, modelscan.ErrLimit) {
		t.Errorf("an empty budget: %v", err)
	}
	lim := modelscan.Limits{MaxDecompressed: 5 << 20}
	s, err := open(packed, modelscan.NewBudget(&lim, 0))
	if err != nil {
		t.Fatal(err)
	}
	s.chunks, s.r = map[int64][]byte{}, nil // as if all had been evicted
	if _, err := s.ReadAt(make([]byte, 3<<20), 0); !errors.Is(err, modelscan.ErrLimit) {
		t.Errorf("a second reading: %v", err)
	}
}

func TestWindow(t *testing.T) {
	for _, c := range []struct{ packed, asked, want int64 }{
		{10, 64 << 20, 11 * (16 << 10)}, {1 << 20, 64 << 20, 64 << 20}, {1 << 20, 4096, 4096},
	} {
		if got, err := (Input{Packed: c.packed}).window(c.asked); err != nil || int64(got) != c.want {
			t.Errorf("%d asked with %d bytes of input: %d, %v", c.asked, c.packed, got, err)
		}
	}
	if _, err := (Input{}).window(maxWindow + 1); !errors.Is(err, modelscan.ErrLimit) {
		t.Errorf("a dictionary over the bound: %v", err)
	}
}
