// Package digest hashes open files. Hashing is not parsing: the parent does it, so that a worker which a file took
// over cannot say whose digest it is.
package digest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"sync"

	"github.com/zeebo/blake3"
	"golang.org/x/crypto/blake2b"
)

// Names of hashes, as OpenSSF Model Signing has them.
const (
	SHA256  = "sha256"
	BLAKE2b = "blake2b" // of 512 bits
	BLAKE3  = "blake3"  // of 256 bits
)

// chunk is what is read at once, between two looks at the context.
const chunk = 1 << 20

// buffers are shared by the goroutines that hash.
var buffers = sync.Pool{New: func() any { return new([chunk]byte) }}

// New returns the named hash.
func New(name string) (hash.Hash, error) {
	switch name {
	case SHA256:
		return sha256.New(), nil
	case BLAKE2b:
		return blake2b.New512(nil)
	case BLAKE3:
		return blake3.New(), nil
	}
	return nil, fmt.Errorf("unknown hash %q", name)
}

// Sum is the lower-case hexadecimal digest of n bytes at off. Fewer bytes are an error.
func Sum(ctx context.Context, name string, r io.ReaderAt, off, n int64) (string, error) {
	h, err := New(name)
	if err != nil {
		return "", err
	}
	if err := feed(ctx, h, r, off, n); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Shards are the digests of a file's consecutive parts of the given size; the last may be shorter, and an empty file
// has none. A size of 0 stands for the whole file.
func Shards(ctx context.Context, name string, r io.ReaderAt, size, shard int64) ([]string, error) {
	if shard <= 0 {
		sum, err := Sum(ctx, name, r, 0, size)
		return []string{sum}, err
	}
	var sums []string
	for off := int64(0); off < size; off += shard {
		sum, err := Sum(ctx, name, r, off, min(shard, size-off))
		if err != nil {
			return nil, err
		}
		sums = append(sums, sum)
	}
	return sums, nil
}

func feed(ctx context.Context, h hash.Hash, r io.ReaderAt, off, n int64) error {
	buf, _ := buffers.Get().(*[chunk]byte)
	defer buffers.Put(buf)
	for end := off + n; off < end; {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		want := min(chunk, end-off)
		got, err := r.ReadAt(buf[:want], off)
		if int64(got) < want {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("digest: %d of %d bytes at %#x: %w", got, want, off, err)
		}
		h.Write(buf[:want])
		off += want
	}
	return nil
}
