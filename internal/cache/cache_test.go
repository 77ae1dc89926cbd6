package cache

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "c"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRoundTrip(t *testing.T) {
	s := open(t)
	n := NameOf("a", "b")
	if _, ok := s.Get(n); ok {
		t.Error("an empty cache has an entry")
	}
	s.Put(n, []byte("content"))
	if got, ok := s.Get(n); !ok || string(got) != "content" {
		t.Errorf("got %q %v", got, ok)
	}
	if _, ok := s.Get(NameOf("ab", "")); ok {
		t.Error("boundaries of a name's parts do not count")
	}
	s.Put(NameOf("large"), make([]byte, MaxEntry+1))
	if _, ok := s.Get(NameOf("large")); ok {
		t.Error("an entry over the limit was kept")
	}
	var none *Store
	none.Put(n, nil)
	if _, ok := none.Get(n); ok {
		t.Error("no store has an entry")
	}
}

func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	s := open(t)
	n := NameOf("x")
	s.Put(n, []byte("y"))
	for path, want := range map[string]os.FileMode{s.path(n): 0o600, filepath.Dir(s.path(n)): 0o700, s.Dir(): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %v", path, info.Mode(), err, want)
		}
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(open); err == nil {
		t.Error("a folder that others can write in was taken")
	}
}

// TestDamage: whatever happened to an entry, it is whole or not there.
func TestDamage(t *testing.T) {
	s := open(t)
	n, other := NameOf("n"), NameOf("other")
	s.Put(n, []byte("content"))
	whole, err := os.ReadFile(s.path(n))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name Name, data []byte) {
		if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.path(name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range whole {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 1
		for _, damaged := range [][]byte{whole[:i], flipped} {
			write(n, damaged)
			if got, ok := s.Get(n); ok {
				t.Fatalf("damaged at %d, read as %q", i, got)
			}
		}
	}
	write(other, whole)
	if _, ok := s.Get(other); ok {
		t.Error("an entry was taken under another's name")
	}
}

func TestPruneAndClean(t *testing.T) {
	s := open(t)
	for i, name := range []string{"old", "middle", "new"} {
		s.Put(NameOf(name), make([]byte, 100))
		at := time.Now().Add(time.Duration(i-3) * time.Hour)
		if err := os.Chtimes(s.path(NameOf(name)), at, at); err != nil {
			t.Fatal(err)
		}
	}
	beside := filepath.Join(filepath.Dir(s.Dir()), "wasm")
	if err := os.Mkdir(beside, 0o700); err != nil {
		t.Fatal(err)
	}
	if removed, err := s.Prune(300); removed != 1 || err != nil {
		t.Errorf("removed %d, %v", removed, err)
	}
	if _, ok := s.Get(NameOf("old")); ok {
		t.Error("the oldest entry is still there")
	}
	if count, size, err := s.Size(); count != 2 || size != 264 || err != nil {
		t.Errorf("%d entries of %d bytes, %v", count, size, err)
	}
	if err := s.Clean(); err != nil {
		t.Fatal(err)
	}
	if count, _, err := s.Size(); count != 0 || err != nil {
		t.Errorf("%d entries after Clean, %v", count, err)
	}
	if _, err := os.Stat(beside); err != nil {
		t.Errorf("Clean took what is beside the entries: %v", err)
	}
}
