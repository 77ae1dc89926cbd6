package engine_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/worker"
	"github.com/secure-torch/secure-torch/modelscan"
)

func TestMain(m *testing.M) {
	if worker.Wanted(os.Args) {
		if attack, ok := attacks[filepath.Base(os.Args[0])]; ok {
			countTry()
			playHostile(attack)
		}
		if filepath.Base(os.Args[0]) == nextFile {
			playHostile(takenOver())
		}
		worker.Main()
	}
	os.Exit(m.Run())
}

func newEngine(t testing.TB, opts engine.Options) *engine.Engine {
	t.Helper()
	e, err := engine.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func write(t testing.TB, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBadInput: what cannot be scanned is said, and is never safe.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo.pt")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "dangling.pt")
	if err := os.Symlink("nowhere", link); err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, engine.Options{})
	for _, c := range []struct{ name, path, want string }{
		{"empty", write(t, filepath.Join(dir, "empty.pt"), ""), "the file is empty"},
		{"directory", dir, "is a directory"},
		{"fifo", fifo, "is a named pipe"},
		{"missing", filepath.Join(dir, "missing.pt"), "no such file"},
		{"dangling link", link, "no such file"},
		{"device", "/dev/zero", "is a device"},
		{"no name", "", "invalid argument"},
		{"zero byte", "a\x00b.pt", "invalid argument"},
		{"zeros", write(t, filepath.Join(dir, "zeros.pt"), string(make([]byte, 64<<20))), ""},
		{"truncated zip", write(t, filepath.Join(dir, "cut.pt"), "PK\x03\x04\x14\x00"), ""},
		{"no text for a name", write(t, filepath.Join(dir, "\xff\xfe.pt"), ""), "the file is empty"},
	} {
		a := e.ScanFile(t.Context(), c.path)
		if v := a.Verdict(); v == modelscan.Safe || v == modelscan.Unknown {
			t.Errorf("%s: verdict %s", c.name, v)
		}
		if said := fmt.Sprintf("%+v", a.Report); !strings.Contains(said, c.want) {
			t.Errorf("%s: %s, want %q", c.name, said, c.want)
		}
	}
}

func TestScanAllKeepsOrder(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for i := range 300 {
		path := filepath.Join(dir, fmt.Sprintf("sub%d", i%7), fmt.Sprintf("f%03d.txt", i))
		want = append(want, write(t, path, "plain text\n"))
	}
	slices.Sort(want)
	outside := write(t, filepath.Join(t.TempDir(), "outside.pt"), "x")
	link := filepath.Join(dir, "zlink.pt")
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	want = append(want, link, filepath.Join(dir, "gone"))
	e := newEngine(t, engine.Options{})
	var got []string
	e.ScanAll(t.Context(), []string{dir, filepath.Join(dir, "gone")}, func(a *engine.Artifact) {
		got = append(got, a.Path)
		wantSafe := strings.HasSuffix(a.Path, ".txt")
		if safe := a.Verdict() == modelscan.Safe; safe != wantSafe {
			t.Errorf("%s: %s: %+v", a.Path, a.Verdict(), a.Report)
		}
		if wantSafe && a.Sandbox.Grade != "seccomp+landlock" {
			t.Errorf("%s: sandbox %+v", a.Path, a.Sandbox)
		}
	})
	if !slices.Equal(got, want) {
		t.Errorf("order: %d artifacts, want %d", len(got), len(want))
	}
}

// TestScanAllLinkedFolders: a folder that a link leads to is scanned in its own place, or said not to be.
func TestScanAllLinkedFolders(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "in", "a.txt"), "plain text\n")
	write(t, filepath.Join(dir, "out", "b.txt"), "plain text\n")
	for link, to := range map[string]string{"in/out": "../out", "in/self": ".", "root": "in"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	e := newEngine(t, engine.Options{})
	for _, root := range []string{"in", "root"} {
		got := map[string]modelscan.Verdict{}
		e.ScanAll(t.Context(), []string{filepath.Join(dir, root)}, func(a *engine.Artifact) {
			rel, err := filepath.Rel(filepath.Join(dir, root), a.Path)
			if err != nil {
				t.Fatal(err)
			}
			got[rel] = a.Verdict()
		})
		want := map[string]modelscan.Verdict{"a.txt": modelscan.Safe, "out": modelscan.Error}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", root, got, want)
		}
	}
}
