// Package cache keeps small results on disk, in a folder that belongs to the user alone, between runs and for all
// processes of that user at once. It knows nothing of what it keeps: a caller names an entry by everything that
// the result depends on, and treats what comes back as untrusted.
//
// An entry is one file, written beside its place and renamed into it, with a checksum of its content in front:
// an entry that is cut off, damaged or of another layout is one that is not there. Nothing is ever locked.
package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// layout is the folder of this layout of entries; others are left for Clean.
const layout = "results-v1"

// MaxEntry is the size of the largest content that is kept, in bytes.
const MaxEntry = 4 << 20

// DefaultSize is what a cache is pruned to unless its caller says otherwise, in bytes.
const DefaultSize = 256 << 20

// Store is a cache in a folder. It is safe for use by several goroutines and processes. A nil Store keeps nothing.
type Store struct{ dir string }

// DefaultDir is the folder for the user's own cache ($XDG_CACHE_HOME/secure-torch on Linux).
func DefaultDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "secure-torch"), nil
}

// Open makes the folder where there is none. It fails where somebody else could write in it: what a cache
// says is believed.
func Open(dir string) (*Store, error) {
	s := &Store{dir: filepath.Join(dir, layout)}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	for _, d := range []string{dir, s.dir} {
		info, err := os.Lstat(d)
		if err != nil {
			return nil, fmt.Errorf("cache: %w", err)
		}
		if !info.IsDir() || info.Mode().Perm()&0o022 != 0 {
			return nil, fmt.Errorf("cache: %s has mode %v: others could write in it", d, info.Mode())
		}
	}
	return s, nil
}

// Dir is the folder that the entries are in.
func (s *Store) Dir() string { return s.dir }

// Name of an entry: a digest of all that its content depends on.
type Name [sha256.Size]byte

// NameOf digests the parts. Their boundaries count.
func NameOf(parts ...string) Name {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return Name(h.Sum(nil))
}

func (s *Store) path(n Name) string {
	name := hex.EncodeToString(n[:])
	return filepath.Join(s.dir, name[:2], name[2:])
}

// Get returns an entry's content. ok is false where there is none that is whole.
func (s *Store) Get(n Name) (content []byte, ok bool) {
	if s == nil {
		return nil, false
	}
	f, err := os.Open(s.path(n))
	if err != nil {
		return nil, false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, sha256.Size+MaxEntry+1))
	if err != nil || len(data) < sha256.Size || len(data) > sha256.Size+MaxEntry {
		return nil, false
	}
	content = data[sha256.Size:]
	if sum := checksum(n, content); !bytes.Equal(sum[:], data[:sha256.Size]) {
		return nil, false
	}
	return content, true
}

// checksum binds the content to its name: an entry that was moved is none.
func checksum(n Name, content []byte) [sha256.Size]byte {
	return sha256.Sum256(append(n[:], content...))
}

// Put keeps content under a name. What can't be kept is not: a full disk or a content that is too large is no
// reason to fail.
func (s *Store) Put(n Name, content []byte) {
	if s == nil || len(content) > MaxEntry {
		return
	}
	path := s.path(n)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return
	}
	sum := checksum(n, content)
	_, err = f.Write(append(sum[:], content...))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // a leftover is pruned with the oldest entries
	}
}

// entry is a file of the cache.
type entry struct {
	path string
	size int64
	time time.Time
}

// entries lists the files of this layout.
func (s *Store) entries() ([]entry, error) {
	var all []entry
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return ignoreMissing(err)
		}
		info, err := d.Info()
		if err != nil {
			return ignoreMissing(err)
		}
		all = append(all, entry{path, info.Size(), info.ModTime()})
		return nil
	})
	return all, err
}

// ignoreMissing: another process may prune at the same time.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Size is the number of entries and their bytes.
func (s *Store) Size() (count int, size int64, err error) {
	all, err := s.entries()
	for _, e := range all {
		size += e.size
	}
	return len(all), size, err
}

// Prune removes the oldest entries until at most limit bytes are left, and returns how many it removed.
func (s *Store) Prune(limit int64) (removed int, err error) {
	all, err := s.entries()
	if err != nil {
		return 0, err
	}
	slices.SortFunc(all, func(a, b entry) int { return b.time.Compare(a.time) })
	var kept int64
	for _, e := range all {
		if kept += e.size; kept <= limit {
			continue
		}
		if err := os.Remove(e.path); ignoreMissing(err) != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// Clean removes every entry, of other layouts too. Whatever else is in the folder stays.
func (s *Store) Clean() error {
	parent := filepath.Dir(s.dir)
	all, err := os.ReadDir(parent)
	if err != nil {
		return err
	}
	for _, d := range all {
		if strings.HasPrefix(d.Name(), "results-v") && d.IsDir() {
			err = errors.Join(err, os.RemoveAll(filepath.Join(parent, d.Name())))
		}
	}
	return errors.Join(err, os.MkdirAll(s.dir, 0o700))
}
