package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// digestChunk bounds what is hashed between two looks at the context.
const digestChunk = 4 << 20

// digest is "sha256:…" over size bytes of r. Hashing is not parsing: the parent does it itself, so
// that a worker which a file took over cannot say whose digest it is.
func digest(ctx context.Context, r io.ReaderAt, size int64) (string, error) {
	h := sha256.New()
	for off := int64(0); off < size; off += digestChunk {
		if err := ctx.Err(); err != nil {
			return "", context.Cause(ctx)
		}
		n := min(digestChunk, size-off)
		if copied, err := io.Copy(h, io.NewSectionReader(r, off, n)); err != nil || copied != n {
			return "", fmt.Errorf("digest: %d of %d bytes at %#x: %w", copied, n, off, orShort(err))
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

func orShort(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}
