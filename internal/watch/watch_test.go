package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/secure-torch/secure-torch/internal/artifact"
)

// watched runs a watcher over paths and returns what waits for a change.
func watched(t *testing.T, opts Options, paths ...string) (*Watcher, func(what string, ok func(map[string]Change) bool)) {
	t.Helper()
	if opts.Quiet == 0 {
		opts.Quiet = 30 * time.Millisecond
	}
	opts.Poll = 30 * time.Millisecond
	w := New(opts)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	w.Set(ctx, paths)
	seen := map[string]Change{}
	return w, func(what string, ok func(map[string]Change) bool) {
		t.Helper()
		late := time.After(20 * time.Second)
		for !ok(seen) {
			select {
			case batch := <-w.Changes():
				for _, c := range batch {
					seen[filepath.Base(c.Path)] = c
				}
			case <-late:
				t.Fatalf("never: %s; seen: %v", what, seen)
			}
		}
		clear(seen)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func has(name string, gone bool) func(map[string]Change) bool {
	return func(seen map[string]Change) bool {
		c, ok := seen[name]
		return ok && c.Gone == gone
	}
}

// modes runs a test by the system's events and by polling: both must see the same.
func modes(t *testing.T, test func(t *testing.T, opts Options)) {
	for _, polling := range []bool{false, true} {
		t.Run(fmt.Sprintf("polling=%v", polling), func(t *testing.T) { test(t, Options{Polling: polling}) })
	}
}

func TestFolder(t *testing.T) {
	modes(t, func(t *testing.T, opts Options) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "old.pt"), "old")
		_, wait := watched(t, opts, dir)
		write(t, filepath.Join(dir, "new.pt"), "new")
		wait("a new file", func(seen map[string]Change) bool {
			if _, old := seen["old.pt"]; old {
				t.Error("a file that was there before is no change")
			}
			return has("new.pt", false)(seen)
		})
		must(t, os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700))
		write(t, filepath.Join(dir, "a", "b", "deep.pt"), "deep")
		wait("a file in a new folder", has("deep.pt", false))
		write(t, filepath.Join(dir, "a", "b", "deep.pt"), "deeper")
		wait("a change there", has("deep.pt", false))
		must(t, os.RemoveAll(filepath.Join(dir, "a")))
		wait("the folder removed", has("deep.pt", true))
	})
}

// A file is replaced by a rename, as programs that write safely do it.
func TestReplace(t *testing.T) {
	modes(t, func(t *testing.T, opts Options) {
		dir := t.TempDir()
		path := filepath.Join(dir, "m.pt")
		write(t, path, "one")
		_, wait := watched(t, opts, path)
		write(t, filepath.Join(dir, "m.tmp"), "two") // beside what is watched
		must(t, os.Rename(filepath.Join(dir, "m.tmp"), path))
		wait("the replaced file", func(seen map[string]Change) bool {
			if _, ok := seen["m.tmp"]; ok {
				t.Error("m.tmp is not watched")
			}
			return has("m.pt", false)(seen)
		})
	})
}

// A watched file need not exist, nor the folder that it would stand in.
func TestAbsent(t *testing.T) {
	modes(t, func(t *testing.T, opts Options) {
		dir := t.TempDir()
		path := filepath.Join(dir, "runs", "1", "m.pt")
		_, wait := watched(t, opts, path)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		write(t, path, "one")
		wait("the file", has("m.pt", false))
		must(t, os.Remove(path))
		wait("its end", has("m.pt", true))
	})
}

// A link is swapped: nothing about the file that it led to has changed.
func TestLinks(t *testing.T) {
	modes(t, func(t *testing.T, opts Options) {
		dir := t.TempDir()
		blobs, far := filepath.Join(dir, "blobs"), filepath.Join(dir, "far")
		for _, d := range []string{blobs, far, filepath.Join(dir, "v1"), filepath.Join(dir, "v2")} {
			must(t, os.Mkdir(d, 0o700))
		}
		write(t, filepath.Join(blobs, "1"), "one")
		write(t, filepath.Join(blobs, "2"), "two")
		write(t, filepath.Join(dir, "v1", "n.pt"), "one")
		write(t, filepath.Join(dir, "v2", "n.pt"), "two")
		file, current := filepath.Join(far, "m.pt"), filepath.Join(dir, "current")
		must(t, os.Symlink("../blobs/1", file))
		must(t, os.Symlink("v1", current))
		_, wait := watched(t, opts, file, filepath.Join(current, "n.pt"))
		swap := func(link, target string) {
			must(t, os.Symlink(target, link+".new"))
			must(t, os.Rename(link+".new", link))
		}
		swap(file, "../blobs/2")
		wait("the link swapped", has("m.pt", false))
		swap(current, "v2")
		wait("the folder's link swapped", has("n.pt", false))
		write(t, filepath.Join(blobs, "2"), "three")
		wait("the blob written", has("m.pt", false))
	})
}

// Ten thousand files at once come in a few batches, and each once.
func TestBurst(t *testing.T) {
	dir := t.TempDir()
	w, _ := watched(t, Options{Quiet: 100 * time.Millisecond}, dir)
	const n = 10_000
	for i := range n {
		write(t, filepath.Join(dir, fmt.Sprint(i)), "x")
	}
	seen, batches := map[string]int{}, 0
	late := time.After(60 * time.Second)
	for len(seen) < n {
		select {
		case batch := <-w.Changes():
			batches++
			for _, c := range batch {
				if seen[c.Path]++; c.Gone {
					t.Fatalf("%s is not gone", c.Path)
				}
			}
		case <-late:
			t.Fatalf("%d of %d after %d batches", len(seen), n, batches)
		}
	}
	t.Logf("%d batches", batches)
	if batches > n/20 {
		t.Errorf("%d batches for %d files", batches, n)
	}
}

// A folder that is moved is watched under its new name, one that is made again is watched again.
func TestMovedFolder(t *testing.T) {
	modes(t, func(t *testing.T, opts Options) {
		dir := t.TempDir()
		a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
		must(t, os.MkdirAll(filepath.Join(a, "sub"), 0o700))
		write(t, filepath.Join(a, "sub", "old.pt"), "old")
		_, wait := watched(t, opts, dir)
		must(t, os.Rename(a, b))
		wait("the file at either place", func(seen map[string]Change) bool { _, ok := seen["old.pt"]; return ok })
		write(t, filepath.Join(b, "sub", "new.pt"), "new")
		wait("a file in the moved folder", has("new.pt", false))
		must(t, os.RemoveAll(b))
		wait("the folder removed", has("new.pt", true))
		must(t, os.MkdirAll(filepath.Join(b, "sub"), 0o700))
		write(t, filepath.Join(b, "sub", "again.pt"), "again")
		wait("a file in the folder made again", has("again.pt", false))
	})
}

// When the system's limit is reached, the rest is polled, and the user is told once.
func TestLimit(t *testing.T) {
	dir := t.TempDir()
	var notices []string
	w := New(Options{Quiet: 30 * time.Millisecond, Poll: 30 * time.Millisecond, Notice: func(why string) { notices = append(notices, why) }})
	w.add = func(fsw *fsnotify.Watcher, path string) error {
		if path == dir {
			return fsw.Add(path)
		}
		return syscall.ENOSPC // what inotify says at its limit
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	for _, d := range []string{"a", "b"} {
		must(t, os.Mkdir(filepath.Join(dir, d), 0o700))
	}
	w.Set(ctx, []string{dir})
	write(t, filepath.Join(dir, "b", "m.pt"), "one")
	select {
	case batch := <-w.Changes():
		if batch[0].Path != filepath.Join(dir, "b", "m.pt") {
			t.Errorf("%v", batch)
		}
	case <-time.After(20 * time.Second):
		t.Error("a folder that is polled reports nothing")
	}
	cancel()
	<-ended
	if len(notices) != 1 || !strings.Contains(notices[0], "(the limit fs.inotify.max_user_watches is reached)") {
		t.Errorf("notices: %q", notices)
	}
}

// Events that were lost make it look at everything.
func TestOverflow(t *testing.T) {
	dir := t.TempDir()
	system := make(chan *fsnotify.Watcher, 100)
	w := New(Options{Quiet: 30 * time.Millisecond, Poll: time.Hour})
	w.add = func(fsw *fsnotify.Watcher, _ string) error { system <- fsw; return nil } // which then reports nothing
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	w.Set(ctx, []string{dir})
	write(t, filepath.Join(dir, "m.pt"), "one")
	(<-system).Errors <- fsnotify.ErrEventOverflow
	select {
	case batch := <-w.Changes():
		if len(batch) != 1 || batch[0].Path != filepath.Join(dir, "m.pt") {
			t.Errorf("%v", batch)
		}
	case <-time.After(20 * time.Second):
		t.Error("never")
	}
}

func TestSetAgain(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.pt"), filepath.Join(dir, "b.pt")
	write(t, a, "one")
	write(t, b, "one")
	w, wait := watched(t, Options{}, a)
	w.Set(t.Context(), []string{b})
	write(t, a, "two")
	write(t, b, "two")
	wait("b, not a", func(seen map[string]Change) bool {
		if _, ok := seen["a.pt"]; ok {
			t.Error("a is not watched any more")
		}
		return has("b.pt", false)(seen)
	})
}

// The index alone, with a clock that the test moves.
func TestQuiet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.pt")
	x := newIndex(Options{Quiet: time.Second, Patience: 5 * time.Second})
	at := func(seconds float64) time.Time {
		return time.Unix(1000, 0).Add(time.Duration(seconds * float64(time.Second)))
	}
	see := func(seconds float64, text string) []Change {
		t.Helper()
		if text != "" {
			write(t, path, text)
		}
		x.observe(at(seconds), func(there func(string, artifact.Key)) {
			if x.round++; text != "" {
				there(path, keyOf(path))
			}
		})
		return x.due(at(seconds))
	}
	steps := []struct {
		at   float64
		text string
		want string
	}{
		{0, "a", ""}, {0.9, "aa", ""}, {1.8, "aaa", ""}, // growing
		{2.9, "", ""},      // gone before it was ever reported
		{4, "", "ignored"}, // as it was in the begin: no change
		{5, "b", ""}, {6.1, "b2", ""},
	}
	for _, s := range steps {
		got := see(s.at, s.text)
		if len(got) != 0 {
			t.Errorf("at %v: %v", s.at, got)
		}
	}
	for i := range 10 { // never quiet: reported when patience ends
		got := see(6.5+float64(i)/2, "b"+strings.Repeat("c", i+3))
		if len(got) > 0 {
			if i < 7 {
				t.Errorf("reported after %d steps", i)
			}
			return
		}
	}
	t.Error("a file that never gets quiet was never reported")
}

// What a cron job has to look at: written, moved or linked here since the last time, whatever its date says.
func TestSince(t *testing.T) {
	dir, old := t.TempDir(), time.Now().Add(-48*time.Hour)
	must(t, os.MkdirAll(filepath.Join(dir, "from", "deep"), 0o700))
	must(t, os.MkdirAll(filepath.Join(dir, "stays", "deep"), 0o700))
	for _, name := range []string{"old.pt", "moved.pt", "target", "from/deep/carried.pt", "stays/deep/stays.pt"} {
		write(t, filepath.Join(dir, name), "x")
		must(t, os.Chtimes(filepath.Join(dir, name), old, old))
	}
	time.Sleep(20 * time.Millisecond) // the file system's clock ticks
	since := time.Now()
	time.Sleep(20 * time.Millisecond)
	must(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o700))
	must(t, os.Rename(filepath.Join(dir, "moved.pt"), filepath.Join(dir, "sub", "moved.pt")))
	must(t, os.Rename(filepath.Join(dir, "from"), filepath.Join(dir, "to")))
	must(t, os.Symlink("target", filepath.Join(dir, "link.pt")))
	write(t, filepath.Join(dir, "dated.pt"), "x")
	must(t, os.Chtimes(filepath.Join(dir, "dated.pt"), old, old))
	got, err := Since([]string{dir}, since)
	must(t, err)
	var names []string
	for _, c := range got {
		names = append(names, filepath.Base(c.Path))
	}
	slices.Sort(names)
	if want := []string{"carried.pt", "dated.pt", "link.pt", "moved.pt"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	if all, err := Since([]string{dir}, time.Time{}); err != nil || len(all) != 7 {
		t.Errorf("since ever: %v, %v", all, err)
	}
	if _, err := Since([]string{filepath.Join(dir, "none")}, since); err == nil {
		t.Error("a path that is not there has no changes")
	}
}

func TestChain(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	must(t, os.Mkdir(filepath.Join(dir, "real"), 0o700))
	must(t, os.Symlink("real", filepath.Join(dir, "link")))
	must(t, os.Symlink("loop", filepath.Join(dir, "loop")))
	for path, want := range map[string][]string{
		"real/m.pt": {"-real", "real/m.pt"}, "link/m.pt": {"link", "-real", "real/m.pt"}, "no/such/m.pt": {"no"}, "m.pt": {"m.pt"},
	} {
		var got []string
		for _, s := range chain(filepath.Join(dir, path)) {
			rel, err := filepath.Rel(dir, s.path)
			must(t, err)
			switch {
			case !filepath.IsLocal(rel) || rel == ".":
				if s.turn {
					t.Errorf("%s: %s is no turn", path, s.path)
				}
			case s.turn:
				got = append(got, rel)
			default:
				got = append(got, "-"+rel)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	links := 0
	for _, s := range chain(filepath.Join(dir, "loop", "m.pt")) {
		if s.turn {
			links++
		}
	}
	if links != maxLinks {
		t.Errorf("a loop of links: %d", links)
	}
}
