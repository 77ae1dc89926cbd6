package ranges

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
)

// server serves ranges out of memory and remembers which bytes it has served.
type server struct {
	content []byte
	served  []int
}

func (s *server) fetch(_ context.Context, off, n int64) (Part, error) {
	total := int64(len(s.content))
	end := min(off+n, total)
	for i := off; i < end; i++ {
		s.served[i]++
	}
	return Part{Data: bytes.Clone(s.content[off:end]), Total: total, Requests: 1}, nil
}

func newServer(n int, seed uint64) *server {
	r := rand.New(rand.NewPCG(seed, 2))
	s := &server{content: make([]byte, n), served: make([]int, n)}
	for i := range s.content {
		s.content[i] = byte(r.Uint32())
	}
	return s
}

// FuzzReader: any reads, in any order, give what a reader of the whole file gives, and no byte is fetched twice.
func FuzzReader(f *testing.F) {
	f.Add(100_000, uint64(1), true, true)
	f.Add(1, uint64(2), false, true)
	f.Add(0, uint64(3), true, false)
	f.Fuzz(func(t *testing.T, size int, seed uint64, known, prefetch bool) {
		if size < 0 || size > 300_000 {
			return
		}
		s := newServer(size, seed)
		told := int64(-1)
		if known {
			told = int64(size)
		}
		r := New(t.Context(), told, Limits{Head: 3000, Tail: 2000, Whole: 5000}, s.fetch)
		if prefetch {
			if err := r.Prefetch(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		random := rand.New(rand.NewPCG(seed, 3))
		whole := bytes.NewReader(s.content)
		for range 40 {
			off, n := random.Int64N(int64(size)+2), random.IntN(20_000)
			got, want := make([]byte, n), make([]byte, n)
			gn, gerr := r.ReadAt(got, off)
			wn, werr := whole.ReadAt(want, off)
			if n == 0 { // an empty read at the end is nobody's error
				continue
			}
			if gn != wn || !errors.Is(gerr, werr) || !bytes.Equal(got[:gn], want[:wn]) {
				t.Fatalf("%d bytes at %d of %d: %d, %v; want %d, %v", n, off, size, gn, gerr, wn, werr)
			}
		}
		for i, n := range s.served {
			if n > 1 {
				t.Fatalf("byte %d was fetched %d times", i, n)
			}
		}
		if all, ok := r.All(); ok && !bytes.Equal(all, s.content) {
			t.Error("all of it is something else")
		}
	})
}

// Reading on and on asks for more and more at once; jumping about asks for little.
func TestReadAhead(t *testing.T) {
	s := newServer(8<<20, 1)
	r := New(t.Context(), 8<<20, Limits{}, s.fetch)
	if _, err := io.Copy(io.Discard, io.NewSectionReader(r, 0, 8<<20)); err != nil {
		t.Fatal(err)
	}
	if c := r.Spent(); c.Requests > 12 || c.Bytes != 8<<20 {
		t.Errorf("reading on: %+v", c)
	}
	r = New(t.Context(), 8<<20, Limits{}, s.fetch)
	for i := range int64(16) {
		if _, err := r.ReadAt(make([]byte, 8), i<<19); err != nil {
			t.Fatal(err)
		}
	}
	if c := r.Spent(); c.Requests != 16 || c.Bytes != 16*leastAhead {
		t.Errorf("jumping: %+v", c)
	}
}

func TestBudget(t *testing.T) {
	s := newServer(1<<20, 1)
	r := New(t.Context(), 1<<20, Limits{Bytes: 300 << 10}, s.fetch)
	_, err := io.Copy(io.Discard, io.NewSectionReader(r, 0, 1<<20))
	if !errors.Is(err, remote.ErrBudget) || !errors.Is(r.Err(), remote.ErrBudget) || r.Spent().Bytes > 300<<10 {
		t.Errorf("%v, %+v", err, r.Spent())
	}
	r = New(t.Context(), 1<<20, Limits{Requests: 3}, s.fetch)
	for i := range int64(4) {
		_, err = r.ReadAt(make([]byte, 8), i<<17)
	}
	if !errors.Is(err, remote.ErrBudget) {
		t.Error(err)
	}
}

// What is here already is read however the network fares afterwards.
func TestSticky(t *testing.T) {
	s := newServer(100_000, 1)
	broken := false
	r := New(t.Context(), 100_000, Limits{Head: 1000, Tail: 1000, Whole: 1000}, func(ctx context.Context, off, n int64) (Part, error) {
		if broken {
			return Part{}, io.ErrClosedPipe
		}
		return s.fetch(ctx, off, n)
	})
	if err := r.Prefetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	broken = true
	if _, err := r.ReadAt(make([]byte, 1000), 99_000); err != nil {
		t.Error(err)
	}
	if _, err := r.ReadAt(make([]byte, 10), 50_000); !errors.Is(err, io.ErrClosedPipe) || !errors.Is(r.Err(), io.ErrClosedPipe) {
		t.Error(err)
	}
}

// Who prefetches what somebody has read a part of, or prefetched, fetches no byte twice.
func TestPrefetchAgain(t *testing.T) {
	for _, size := range []int{0, 10, 5000, 9000, 50_000} {
		s := newServer(size, 5)
		r := New(t.Context(), int64(size), Limits{Head: 3000, Tail: 2000, Whole: 5000}, s.fetch)
		if size > 9000 {
			if _, err := r.ReadAt(make([]byte, 10), 1000); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			if err := r.Prefetch(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for i, n := range s.served {
			if n > 1 {
				t.Fatalf("of %d: byte %d was fetched %d times", size, i, n)
			}
		}
		for _, off := range []int{0, size - 2000} {
			if got := make([]byte, 10); size > 2000 {
				if _, err := r.ReadAt(got, int64(off)); err != nil || !bytes.Equal(got, s.content[off:off+10]) {
					t.Errorf("of %d: at %d: %v", size, off, err)
				}
			}
		}
	}
}
