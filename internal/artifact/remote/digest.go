package remote

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// Digest is a check of content against what a store says of it.
type Digest struct {
	hash.Hash
	algorithm, want string
}

// NewDigest returns the check of a file with the given digests, of which either may be empty: a SHA-256 or its first
// digits, or git's
// name of a blob of size bytes, which is a SHA-1 over a header and the content. It is nil where there is neither, or
// no size for the second.
func NewDigest(sha, blob string, size int64) *Digest {
	switch {
	case sha != "":
		return &Digest{sha256.New(), "sha256", sha}
	case blob != "" && size >= 0:
		d := &Digest{sha1.New(), "git-sha1", blob}
		fmt.Fprintf(d, "blob %d\x00", size)
		return d
	}
	return nil
}

// Mismatch says how the content that was written differs from what it should be; empty where it does not.
func (d *Digest) Mismatch() string {
	if got := hex.EncodeToString(d.Sum(nil)); !strings.HasPrefix(got, d.want) {
		return fmt.Sprintf("content has %s %s, its store says %s", d.algorithm, got, d.want)
	}
	return ""
}
