package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// shaken is a watcher under which something happens at one moment: before or after the n-th folder is watched.
func shaken(t *testing.T, at int, after bool, happens func(), paths ...string) (wait func(what string, ok func(Change) bool), folders func() int) {
	t.Helper()
	w := New(Options{Quiet: 5 * time.Millisecond, Poll: time.Hour})
	var mu sync.Mutex
	n := 0
	w.add = func(fsw *fsnotify.Watcher, path string) error {
		mu.Lock()
		now := n
		n++
		mu.Unlock()
		if now == at && !after {
			happens()
		}
		err := fsw.Add(path)
		if now == at && after {
			happens()
		}
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	w.Set(ctx, paths)
	wait = func(what string, ok func(Change) bool) {
		t.Helper()
		late := time.After(10 * time.Second)
		for {
			select {
			case batch := <-w.Changes():
				for _, c := range batch {
					if ok(c) {
						return
					}
				}
			case <-late:
				t.Errorf("never: %s", what)
				return
			}
		}
	}
	return wait, func() int { mu.Lock(); defer mu.Unlock(); return n }
}

// moves are what happens while folders begin to be watched, and what follows when they are.
var moves = map[string]struct{ first, then [][2]string }{
	"away and back":              {first: [][2]string{{"a/m", "a/away"}, {"a/away", "a/m"}}},
	"away, then back":            {first: [][2]string{{"a/m", "a/away"}}, then: [][2]string{{"a/away", "a/m"}}},
	"parent away and back":       {first: [][2]string{{"a", "away"}, {"away", "a"}}},
	"parent away, then back":     {first: [][2]string{{"a", "away"}}, then: [][2]string{{"away", "a"}}},
	"swapped":                    {first: [][2]string{{"a/m", "tmp"}, {"b/m", "a/m"}, {"tmp", "b/m"}}},
	"swapped, then swapped back": {first: [][2]string{{"a/m", "tmp"}, {"b/m", "a/m"}, {"tmp", "b/m"}}, then: [][2]string{{"a/m", "tmp"}, {"b/m", "a/m"}, {"tmp", "b/m"}}},
	"parents swapped":            {first: [][2]string{{"a", "tmp"}, {"b", "a"}, {"tmp", "b"}}},
	"replaced":                   {first: [][2]string{{"a/m", "old"}, {"c/m", "a/m"}}},
}

// A folder is moved, moved back or swapped while it begins to be watched, at each moment that there is. What is written
// afterwards is noticed.
func TestMovedMeanwhile(t *testing.T) {
	for name, move := range moves {
		for _, what := range [][]string{{"."}, {"a", "b"}, {"a/m", "b/m"}, {"a/m/x.pt"}, {"a/m/x.pt", "b/m/x.pt"}} {
			for _, after := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/after=%v", name, what, after), func(t *testing.T) {
					t.Parallel()
					for at := 0; movedAt(t, at, after, what, move.first, move.then); at++ {
					}
				})
			}
		}
	}
}

// movedAt says whether so many folders were watched that there was such a moment.
func movedAt(t *testing.T, at int, after bool, what []string, first, then [][2]string) bool {
	dir := t.TempDir()
	for _, d := range []string{"a", "b", "c"} {
		must(t, os.MkdirAll(filepath.Join(dir, d, "m"), 0o700))
		write(t, filepath.Join(dir, d, "m", "x.pt"), d)
	}
	var paths []string
	for _, p := range what {
		paths = append(paths, filepath.Join(dir, p))
	}
	rename := func(moves [][2]string) {
		for _, m := range moves {
			must(t, os.Rename(filepath.Join(dir, m[0]), filepath.Join(dir, m[1])))
		}
	}
	happened := make(chan bool, 1)
	wait, folders := shaken(t, at, after, func() { rename(first); happened <- true }, paths...)
	select {
	case <-happened:
	default:
		return false
	}
	rename(then)
	for i := range 2 { // once while the move is still being looked at, then when it is not
		for _, name := range []string{"a/m/x.pt", "b/m/x.pt"} {
			file := filepath.Join(dir, name)
			if !under(paths)(file) {
				continue
			}
			write(t, file, fmt.Sprint("written ", i, at))
			wait(fmt.Sprintf("write %d of %s after a move at folder %d of %d", i, name, at, folders()), func(c Change) bool { return c.Path == file && !c.Gone })
		}
	}
	return true
}

// A folder high above what is watched is moved, and moved back.
func TestMovedAbove(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "home", "work", "models", "m.pt")
	must(t, os.MkdirAll(filepath.Dir(file), 0o700))
	write(t, file, "one")
	_, wait := watched(t, Options{}, file)
	must(t, os.Rename(filepath.Join(dir, "home"), filepath.Join(dir, "away")))
	wait("the file gone", has("m.pt", true))
	must(t, os.Rename(filepath.Join(dir, "away"), filepath.Join(dir, "home")))
	wait("the file back", has("m.pt", false))
}

// A folder that is watched under two names: through a link, and where it is.
func TestTwoNames(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	must(t, os.Mkdir(filepath.Join(dir, "real"), 0o700))
	must(t, os.Symlink("real", link))
	write(t, filepath.Join(link, "old.pt"), "one")
	for name, paths := range map[string][]string{
		"folder first": {link, filepath.Join(link, "old.pt")},
		"file first":   {filepath.Join(link, "old.pt"), link},
		"both":         {filepath.Join(dir, "real"), link},
	} {
		t.Run(name, func(t *testing.T) {
			_, wait := watched(t, Options{}, paths...)
			write(t, filepath.Join(dir, "real", "new.pt"), name)
			wait("a new file", has("new.pt", false))
			must(t, os.Remove(filepath.Join(dir, "real", "new.pt")))
			wait("its end", has("new.pt", true))
			write(t, filepath.Join(link, "old.pt"), "two, "+name)
			wait("the old file written", has("old.pt", false))
		})
	}
}

// What was something else for a moment is told of, though it is what it was: somebody may have looked in between.
func TestForAMoment(t *testing.T) {
	for name, c := range map[string]struct {
		roots []string
		does  func(in func(string) string)
		told  Change
	}{
		"its folder moved": {[]string{"a/m/x.pt"}, func(in func(string) string) { swap(in("a/m"), in("away")) }, Change{"a/m/x.pt", false}},
		"a folder above":   {[]string{"a/m/x.pt"}, func(in func(string) string) { swap(in("a"), in("away")) }, Change{"a/m/x.pt", false}},
		"below a root":     {[]string{"a"}, func(in func(string) string) { swap(in("a/m"), in("away")) }, Change{"a/m/x.pt", false}},
		"a link turned": {[]string{"link/x.pt"}, func(in func(string) string) {
			_ = os.Remove(in("link"))
			_ = os.Symlink("b", in("link"))
			_ = os.Remove(in("link"))
			_ = os.Symlink("a/m", in("link"))
		}, Change{"link/x.pt", false}},
		"there for a moment": {[]string{"a/m/new.pt"}, func(in func(string) string) {
			_ = os.WriteFile(in("a/m/new.pt"), []byte("x"), 0o600)
			_ = os.Remove(in("a/m/new.pt"))
		}, Change{"a/m/new.pt", true}},
		"there for a moment, with its folder": {[]string{"c/x.pt"}, func(in func(string) string) { swap(in("a/m"), in("c")) }, Change{"c/x.pt", true}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			in := func(name string) string { return filepath.Join(dir, name) }
			must(t, os.MkdirAll(in("a/m"), 0o700))
			must(t, os.Mkdir(in("b"), 0o700))
			write(t, in("a/m/x.pt"), "one")
			must(t, os.Symlink("a/m", in("link")))
			var roots []string
			for _, r := range c.roots {
				roots = append(roots, in(r))
			}
			_, wait := watched(t, Options{Brief: true}, roots...)
			c.does(in)
			wait(c.told.Path, func(seen map[string]Change) bool {
				return seen[filepath.Base(c.told.Path)] == Change{in(c.told.Path), c.told.Gone}
			})
		})
	}
}

// swap moves something away and back.
func swap(from, to string) {
	_ = os.Rename(from, to)
	_ = os.Rename(to, from)
}
