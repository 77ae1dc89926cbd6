package digest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestSum(t *testing.T) {
	for _, size := range []int{0, 1, chunk, chunk + 1} {
		data := bytes.Repeat([]byte{7}, size)
		got, err := Sum(t.Context(), SHA256, bytes.NewReader(data), 0, int64(size))
		if want := fmt.Sprintf("%x", sha256.Sum256(data)); got != want || err != nil {
			t.Errorf("%d bytes: %s, %v", size, got, err)
		}
	}
	if _, err := Sum(t.Context(), SHA256, bytes.NewReader(nil), 0, 5); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that became shorter: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Sum(ctx, SHA256, bytes.NewReader([]byte{1}), 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := Sum(t.Context(), "md5", bytes.NewReader(nil), 0, 0); err == nil {
		t.Error("md5 was computed")
	}
}

// TestKnownAnswers: the digests of "abc" in the hashes' specifications (RFC 7693, appendix A; BLAKE3's test vectors
// and FIPS 180-4 for the others).
func TestKnownAnswers(t *testing.T) {
	for name, want := range map[string]string{
		SHA256:  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		BLAKE2b: "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
		BLAKE3:  "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
	} {
		if got, err := Sum(t.Context(), name, bytes.NewReader([]byte("abc")), 0, 3); got != want || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

func TestShards(t *testing.T) {
	sum := func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
	for _, c := range []struct {
		content string
		shard   int64
		want    []string
	}{
		{"", 4, nil},
		{"", 0, []string{sum("")}},
		{"abcd", 4, []string{sum("abcd")}},
		{"abcdef", 4, []string{sum("abcd"), sum("ef")}},
		{"abcdef", 0, []string{sum("abcdef")}},
	} {
		got, err := Shards(t.Context(), SHA256, bytes.NewReader([]byte(c.content)), int64(len(c.content)), c.shard)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%q in shards of %d: %v, %v", c.content, c.shard, got, err)
		}
	}
}

func BenchmarkSHA256(b *testing.B) {
	data := bytes.NewReader(make([]byte, 64<<20))
	b.SetBytes(data.Size())
	for b.Loop() {
		if _, err := Sum(b.Context(), SHA256, data, 0, data.Size()); err != nil {
			b.Fatal(err)
		}
	}
}
