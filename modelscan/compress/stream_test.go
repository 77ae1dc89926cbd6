package compress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
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

// zeros is a stream that never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestThorough: what a slow codec makes of little counts twice, what it makes of much does not.
func TestThorough(t *testing.T) {
	for _, c := range []struct{ packed, left, want int64 }{
		{0, 1000, 1000}, {1, 1000, 1000 + 50}, {100, 1000, 1000 + 100*50}, {math.MaxInt64, 1, 1 << 20},
	} {
		lim := modelscan.Limits{MaxDecompressed: c.left}
		r := Input{Packed: c.packed, Budget: modelscan.NewBudget(&lim, 0)}.thorough(zeros{})
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.LimitReader(r, 1<<20), make([]byte, 10))
		if limited := errors.Is(err, modelscan.ErrLimit); n != min(c.want+10, 1<<20) && n != c.want || limited != (n < 1<<20) {
			t.Errorf("%d packed: %d bytes, want %d; %v", c.packed, n, c.want, err)
		}
	}
}

// TestInflater reads streams one after the other and two at once.
func TestInflater(t *testing.T) {
	deflate := func(text string) io.Reader {
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, 9)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return &b
	}
	var i Inflater
	start := func(in io.Reader) io.Reader {
		r, err := i.Deflate(Input{Reader: in})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	read := func(r io.Reader) string {
		b, err := io.ReadAll(io.LimitReader(r, 1<<20))
		return fmt.Sprint(string(b), err)
	}
	for _, text := range []string{"one", strings.Repeat("two", 50_000), ""} {
		if got := read(start(deflate(text))); got != text+"<nil>" {
			t.Errorf("got %.40q, want %.40q", got, text)
		}
	}
	bad := start(strings.NewReader("\xff\xff"))
	if first, again := read(bad), read(bad); first != again {
		t.Errorf("an ended stream goes on: %s, then %s", first, again)
	}
	a, b := start(deflate("first")), start(deflate("second"))
	if got := read(a) + read(b); got != "first<nil>second<nil>" {
		t.Error(got)
	}
}
