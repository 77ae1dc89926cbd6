// Package ranges reads a file on an HTTP server as an io.ReaderAt, a few blocks of it, and makes sure that they are
// all of one and the same file: every answer must be the very range that was asked for (206, Content-Range), of the
// same size and entity tag as the first (RFC 9110, sections 13.1.5 and 14).
package ranges

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/secure-torch/secure-torch/internal/artifact/remote"
)

// Limits of reading one file. The zero Limits are sensible.
type Limits struct {
	// Head and Tail are fetched before anything else: what formats are told by, and where the directories of
	// archives stand. Defaults 128 and 96 KiB.
	Head, Tail int64
	// Whole is the size up to which a file is fetched in one piece. Default 224 KiB.
	Whole int64
	// Bytes and Requests bound what one file may cost. Defaults 64 MiB and 2,000.
	Bytes    int64
	Requests int
}

func (l Limits) withDefaults() Limits {
	l.Head, l.Tail = cmp.Or(l.Head, 128<<10), cmp.Or(l.Tail, 96<<10)
	l.Whole = cmp.Or(l.Whole, 224<<10)
	l.Bytes, l.Requests = cmp.Or(l.Bytes, 64<<20), cmp.Or(l.Requests, 2000)
	return l
}

// Read-ahead in bytes: little where reads jump about, more and more where they go on.
const (
	leastAhead = 16 << 10
	mostAhead  = 4 << 20
)

// Part is one range as it came.
type Part struct {
	Data     []byte
	Total    int64 // size of the whole file
	Requests int
}

// Fetch gets the bytes [off, off+n) of the file, fewer only where the file ends. It is called by one goroutine
// at a time.
type Fetch func(ctx context.Context, off, n int64) (Part, error)

// Reader is a remote.Content over a Fetch. It is safe for concurrent use.
type Reader struct {
	ctx    context.Context // the scan's: io.ReaderAt has no room for one
	fetch  Fetch
	limits Limits

	mu    sync.Mutex
	size  int64 // -1 until it is known
	parts []part
	next  int64 // where the last fetch ended
	ahead int64
	spent remote.Cost
	err   error
}

// part is a run of bytes that is here. Parts are in order and don't touch.
type part struct {
	off  int64
	data []byte
}

func (p part) end() int64 { return p.off + int64(len(p.data)) }

// New returns a reader of a file of the given size, -1 where nobody knows. ctx ends its reads.
func New(ctx context.Context, size int64, limits Limits, fetch Fetch) *Reader {
	return &Reader{ctx: ctx, fetch: fetch, size: size, limits: limits.withDefaults(), next: -1, ahead: leastAhead}
}

var _ remote.Content = (*Reader)(nil)

// Size of the file in bytes; -1 as long as it is not known.
func (r *Reader) Size() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.size
}

// Err is the first failure.
func (r *Reader) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// All is the whole content where all of it is here.
func (r *Reader) All() ([]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.err != nil || r.size < 0:
		return nil, false
	case r.size == 0:
		return nil, true
	case len(r.parts) == 1 && int64(len(r.parts[0].data)) == r.size:
		return r.parts[0].data, true
	}
	return nil, false
}

// Spent is what the reads have cost.
func (r *Reader) Spent() remote.Cost {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spent
}

// Prefetch reads the file's head and tail, or all of a small one.
func (r *Reader) Prefetch(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size == 0 {
		return r.err
	}
	head := r.limits.Head
	if r.size >= 0 && r.size <= r.limits.Whole {
		head = r.size
	}
	if err := r.fill(ctx, 0, head); err != nil {
		return err
	}
	return r.fill(ctx, max(r.size-r.limits.Tail, 0), r.size)
}

// fill fetches what is not here yet of [off, end).
func (r *Reader) fill(ctx context.Context, off, end int64) error {
	for off < end && (r.size < 0 || off < r.size) {
		if p := r.at(off); p != nil {
			off = p.end()
			continue
		}
		n := end - off
		for _, p := range r.parts {
			if p.off > off {
				n = min(n, p.off-off)
				break
			}
		}
		if err := r.get(ctx, off, n); err != nil {
			return err
		}
		off += n
	}
	return nil
}

// at is the part that holds the byte at off, nil if none does.
func (r *Reader) at(off int64) *part {
	i, found := slices.BinarySearchFunc(r.parts, off, func(p part, off int64) int { return cmp.Compare(p.off, off) })
	if !found {
		i--
	}
	if i >= 0 && off < r.parts[i].end() {
		return &r.parts[i]
	}
	return nil
}

// ReadAt reads from what is here, and fetches what is not.
func (r *Reader) ReadAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if off < 0 {
		return 0, fmt.Errorf("read at %d", off)
	}
	if r.size < 0 {
		if err := r.get(r.ctx, 0, r.limits.Head); err != nil {
			return 0, err
		}
	}
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= r.size {
			return n, io.EOF
		}
		have := r.at(at)
		if have == nil {
			if err := r.get(r.ctx, at, r.stretch(at, int64(len(p)-n))); err != nil {
				return n, err
			}
			continue
		}
		n += copy(p[n:], have.data[at-have.off:])
	}
	return n, nil
}

// stretch is how much to fetch at off where want bytes are asked for: up to the next part that is here.
func (r *Reader) stretch(off, want int64) int64 {
	if off == r.next || r.next >= 0 && off > r.next && off-r.next < r.ahead {
		r.ahead = min(2*r.ahead, mostAhead)
	} else {
		r.ahead = leastAhead
	}
	n := max(want, r.ahead)
	for _, p := range r.parts {
		if p.off > off {
			n = min(n, p.off-off)
			break
		}
	}
	if n < want { // the rest is here already
		want = n
	}
	return min(max(n, want), r.size-off)
}

// get fetches [off, off+n) and keeps it.
func (r *Reader) get(ctx context.Context, off, n int64) error {
	if r.err != nil {
		return r.err
	}
	if r.size >= 0 {
		n = min(n, r.size-off)
	}
	switch {
	case r.spent.Bytes+n > r.limits.Bytes:
		r.err = fmt.Errorf("%w than %d bytes", remote.ErrBudget, r.limits.Bytes)
		return r.err
	case r.spent.Requests >= r.limits.Requests:
		r.err = fmt.Errorf("%w than %d pieces", remote.ErrBudget, r.limits.Requests)
		return r.err
	}
	got, err := r.fetch(ctx, off, n)
	r.spent.Requests += got.Requests
	r.spent.Bytes += int64(len(got.Data))
	if err == nil {
		err = checkPart(r.size, off, n, got)
	}
	if err != nil {
		r.err = err
		return err
	}
	r.size = got.Total
	r.keep(off, got.Data)
	r.next = off + int64(len(got.Data))
	return nil
}

// checkPart makes sure that the part is what was asked for, of a file of the given size, -1 where it is not known.
func checkPart(size, off, n int64, got Part) error {
	switch {
	case size >= 0 && got.Total != size:
		return &remote.Error{Kind: remote.Changed, Detail: fmt.Sprintf("the file has %d bytes, it was to have %d", got.Total, size)}
	case got.Total < 0 || off > got.Total || int64(len(got.Data)) != min(n, got.Total-off):
		return &remote.Error{Kind: remote.Refused, Detail: fmt.Sprintf("%d bytes came where %d were asked for at %#x of %d", len(got.Data), n, off, got.Total)}
	}
	return nil
}

// downloadPiece is what a download asks for at once: it can fail, and be asked for again, by itself.
const downloadPiece = 16 << 20

// Download writes the whole file to w, and keeps nothing of it. size is -1 where nobody knows it.
func Download(ctx context.Context, fetch Fetch, size int64, w io.Writer) (int64, error) {
	for off := int64(0); size < 0 || off < size; {
		n := int64(downloadPiece)
		if size >= 0 {
			n = min(n, size-off)
		}
		got, err := fetch(ctx, off, n)
		if err != nil {
			return off, err
		}
		if err := checkPart(size, off, n, got); err != nil {
			return off, err
		}
		size = got.Total
		if _, err := w.Write(got.Data); err != nil {
			return off, err
		}
		off += int64(len(got.Data))
	}
	return size, nil
}

// keep files data away, joined with what it touches. No byte of it is here yet.
func (r *Reader) keep(off int64, data []byte) {
	if len(data) == 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(r.parts, off, func(p part, off int64) int { return cmp.Compare(p.off, off) })
	if i > 0 && r.parts[i-1].end() == off {
		i--
		r.parts[i].data = append(r.parts[i].data, data...)
	} else {
		r.parts = slices.Insert(r.parts, i, part{off, data})
	}
	if i+1 < len(r.parts) && r.parts[i].end() == r.parts[i+1].off {
		r.parts[i].data = append(r.parts[i].data, r.parts[i+1].data...)
		r.parts = slices.Delete(r.parts, i+1, i+2)
	}
}
