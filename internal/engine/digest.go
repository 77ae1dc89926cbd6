package engine

import (
	"context"
	"io"

	"github.com/secure-torch/secure-torch/internal/digest"
)

// fileDigest is "sha256:…" over size bytes of r.
func fileDigest(ctx context.Context, r io.ReaderAt, size int64) (string, error) {
	sum, err := digest.Sum(ctx, digest.SHA256, r, 0, size)
	if err != nil {
		return "", err
	}
	return digest.SHA256 + ":" + sum, nil
}
