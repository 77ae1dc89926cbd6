package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestDigest(t *testing.T) {
	for _, size := range []int{0, 1, digestChunk, digestChunk + 1} {
		data := bytes.Repeat([]byte{7}, size)
		got, err := digest(t.Context(), bytes.NewReader(data), int64(size))
		if want := fmt.Sprintf("sha256:%x", sha256.Sum256(data)); got != want || err != nil {
			t.Errorf("%d bytes: %s, %v", size, got, err)
		}
	}
	if _, err := digest(t.Context(), bytes.NewReader(nil), 5); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that became shorter: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := digest(ctx, bytes.NewReader([]byte{1}), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
