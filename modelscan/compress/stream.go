// Package compress reads compressed streams: whole files (gzip, bzip2, xz, lzma, zlib, zstd, lz4) and, for
// the container formats, single members.
package compress

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/modelscan"
)

const (
	chunkSize = 128 << 10
	maxChunks = 96 // 12 MiB of one stream stay in memory; what is older is decompressed again
)

// Stream is the decompressed content as an io.ReaderAt of bounded memory. Reading forward is cheap;
// reading back past the cached chunks starts the decompression anew, and every produced byte is taken
// from the artifact's budget, so that no order of reads can make it expensive without bound.
type Stream struct {
	open   func() (io.Reader, error)
	budget *modelscan.Budget
	size   int64
	r      io.Reader // nil: not open
	chunk  int64     // index of the next chunk that r produces
	chunks map[int64][]byte
	order  []int64 // indices of chunks, oldest first
}

// Open decompresses once to the end, to learn the size and to give all bytes to tee (which may be nil).
// The returned Stream holds what came before an error: a loader that reads on demand executes it too.
// It is nil only where not even the first byte came.
func Open(open func() (io.Reader, error), budget *modelscan.Budget, tee io.Writer) (*Stream, error) {
	s := &Stream{open: open, budget: budget, chunks: map[int64][]byte{}, size: -1}
	var n int64
	for {
		c, err := s.next()
		n += int64(len(c))
		if tee != nil {
			if _, werr := tee.Write(c); werr != nil {
				return nil, werr
			}
		}
		if err != nil {
			s.size = n
			if errors.Is(err, io.EOF) {
				return s, nil
			}
			if n == 0 {
				return nil, err
			}
			return s, err
		}
	}
}

// Size of the decompressed content in bytes.
func (s *Stream) Size() int64 { return s.size }

// next produces the next chunk. io.EOF comes with the last one, which may be empty.
func (s *Stream) next() ([]byte, error) {
	if s.r == nil {
		r, err := s.open()
		if err != nil {
			return nil, err
		}
		s.r, s.chunk = r, 0
	}
	buf, n, err := s.small()
	if err == nil {
		full := s.buffer()
		copy(full, buf[:n])
		var more int
		more, err = fill(s.r, full[n:])
		buf, n = full, n+more
	}
	if berr := s.budget.Take(int64(n)); berr != nil {
		err = berr
	}
	s.chunks[s.chunk] = buf[:n]
	s.chunk++
	if err != nil {
		s.r = nil
	}
	return buf[:n], err
}

// small reads the first bytes of a stream into little memory: most streams are short, and there may be many.
func (s *Stream) small() (buf []byte, n int, err error) {
	if s.chunk > 0 || s.size >= 0 {
		return nil, 0, nil
	}
	buf = make([]byte, 4<<10)
	n, err = fill(s.r, buf)
	if err != nil {
		s.order = append(s.order, s.chunk)
	}
	return buf, n, err
}

// fill reads until buf is full or r ends. Unlike io.ReadFull it keeps a truncated stream
// (io.ErrUnexpectedEOF from r) apart from one that just ended (io.EOF).
func fill(r io.Reader, buf []byte) (int, error) {
	n, idle := 0, 0
	for n < len(buf) {
		m, err := r.Read(buf[n:])
		n += m
		if err != nil {
			return n, err
		}
		if idle++; m > 0 {
			idle = 0
		}
		if idle > 100 {
			return n, io.ErrNoProgress
		}
	}
	return n, nil
}

// buffer returns room for the next chunk: its own when it is cached, or the oldest one's when there are enough.
func (s *Stream) buffer() []byte {
	if buf, ok := s.chunks[s.chunk]; ok && cap(buf) == chunkSize {
		return buf[:chunkSize]
	}
	s.order = append(s.order, s.chunk)
	if len(s.order) <= maxChunks {
		return make([]byte, chunkSize)
	}
	old := s.order[0]
	s.order = s.order[1:]
	buf := s.chunks[old]
	delete(s.chunks, old)
	if cap(buf) < chunkSize {
		return make([]byte, chunkSize)
	}
	return buf[:chunkSize]
}

// ReadAt implements io.ReaderAt. It is not safe for concurrent use.
func (s *Stream) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("compress: read at %d", off)
	}
	n := 0
	for n < len(p) && off+int64(n) < s.size {
		at := off + int64(n)
		c, err := s.load(at / chunkSize)
		if err != nil {
			return n, err
		}
		within := at % chunkSize
		if within >= int64(len(c)) {
			return n, io.ErrUnexpectedEOF // the second reading ended before the first
		}
		n += copy(p[n:], c[within:min(int64(len(c)), s.size-at+within)])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// load returns chunk i, decompressing up to it, from the start when it lies behind.
func (s *Stream) load(i int64) ([]byte, error) {
	if c, ok := s.chunks[i]; ok {
		return c, nil
	}
	if s.r != nil && i < s.chunk {
		s.r = nil
	}
	for {
		c, err := s.next()
		if s.chunk == i+1 {
			if len(c) > 0 {
				return c, nil
			}
			return nil, cmp.Or(err, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return nil, err
		}
	}
}
