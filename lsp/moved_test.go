package lsp

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
)

// readingScanner finds a file that holds "evil" to be so. Before and after it reads one for the first time that it is told
// to, something happens.
type readingScanner struct {
	*fakeScanner
	mu            sync.Mutex
	before, after func()
	read          map[string]int // how often each file was, by its path
}

// times is how often the file at a path was read.
func (s *readingScanner) times(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read[path]
}

func (s *readingScanner) ScanTarget(ctx context.Context, t artifact.Target) *engine.Artifact {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read[t.Path]++
	if before := s.before; before != nil {
		s.before = nil
		before()
		defer s.after()
	}
	message := ""
	if text, err := os.ReadFile(t.Path); err == nil && string(text) == "evil" {
		message = evilCall
	}
	s.set(filepath.Base(t.Path), message)
	return s.fakeScanner.ScanTarget(ctx, t)
}

// While a model is read there is another folder in the place of its own, for just as long. Nothing about the model itself
// tells of that; what was said of it is not true.
func TestSwappedWhileScanned(t *testing.T) {
	for name, other := range map[string]string{"another": "clean", "none": "aside"} {
		t.Run(name, func(t *testing.T) {
			var reading *readingScanner
			e, _, uriOf := realWith(t, map[string]string{"sub/evil.pt": "evil", "clean/evil.pt": "good", "a.py": ""}, func(sc *fakeScanner) Scanner {
				reading = &readingScanner{fakeScanner: sc, read: map[string]int{}}
				return reading
			})
			e.initialize(full("utf-16"))
			a := uriOf("a.py")
			e.open(a, 1, "import torch\ntorch.load('sub/evil.pt')\n")
			e.latest(a, 1, coded("ST201"))
			dir := strings.TrimPrefix(uriOf(""), "file://")
			in := func(name string) string { return filepath.Join(dir, name) }
			scans := reading.times(in("sub/evil.pt"))
			if err := os.WriteFile(in("sub/evil.pt.tmp"), []byte("evil"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(in("sub/evil.pt.tmp"), in("sub/evil.pt")); err != nil {
				t.Fatal(err)
			}
			e.until("the folder to be watched", func() bool { return reading.times(in("sub/evil.pt")) > scans })
			clean := make(chan struct{})
			reading.mu.Lock()
			reading.before = func() {
				_ = os.Rename(in("sub"), in("aside"))
				_ = os.Rename(in(other), in("sub")) // where that is the same, there is nothing in its place
				if other == "aside" {
					_ = os.Rename(in("sub"), in("aside"))
				}
			}
			reading.after = func() {
				_ = os.Rename(in("sub"), in("clean"))
				_ = os.Rename(in("aside"), in("sub"))
				close(clean)
			}
			reading.mu.Unlock()
			e.call("workspace/executeCommand", obj{"command": "secure-torch.scanAgain", "arguments": []any{in("sub/evil.pt")}}, nil)
			<-clean
			e.latest(a, 1, coded("ST201"))
			e.until("it to be scanned again", func() bool { return reading.times(in("sub/evil.pt")) > scans+2 })
			e.latest(a, 1, coded("ST201"))
		})
	}
}

// A model that was not there when its scan began, and is when it begins to be watched, has changed unseen.
func TestChangedUnseen(t *testing.T) {
	one, two := stamp{1, 1}, stamp{1, 2}
	for _, c := range []struct {
		scanned, watched stamp
		want             bool
	}{{one, one, false}, {one, two, true}, {stamp{}, one, true}, {one, stamp{}, false}} {
		sc := &scan{stamp: c.scanned, watched: c.watched}
		if got := sc.changedUnseen(); got != c.want || sc.changedUnseen() {
			t.Errorf("%+v: %v, and then again", c, got)
		}
	}
}
