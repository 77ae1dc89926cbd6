package engine

import (
	"context"

	"github.com/secure-torch/secure-torch/internal/artifact"
)

// Judge finds out, beside the scan, where a file comes from and whether it may come in.
type Judge interface {
	// Begin is told of an open file before it is scanned, and may hash it meanwhile. What it returns completes the
	// artifact once, when the report is there and before the file is closed. It may be nil.
	Begin(ctx context.Context, path string, f *artifact.File) func(*Artifact)
}
