//go:build linux

package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// testHandler does what a test asks of a worker.
func testHandler(job Job, out io.Writer) error {
	switch job.Kind {
	case "read":
		for _, f := range job.Files {
			if _, err := io.Copy(out, io.NewSectionReader(f, 0, f.Size)); err != nil {
				return err
			}
		}
		return nil
	case "names":
		for _, f := range job.Files {
			fmt.Fprintf(out, "%s:%d ", f.Name, f.Size)
		}
		return nil
	case "long":
		var n int
		if err := json.Unmarshal(job.Params, &n); err != nil {
			return err
		}
		_, err := io.WriteString(out, strings.Repeat("x", n))
		return err
	case "fail":
		return errors.New("no luck")
	case "environment":
		_, err := io.WriteString(out, strings.Join(os.Environ(), " "))
		return err
	case "threads":
		return probeThreads(job, out)
	case "load":
		return load()
	case "descriptors":
		return readDescriptors(out)
	case "sends descriptors":
		return sendDescriptors()
	case "leaves descriptors":
		return leaveDescriptors()
	}
	return crash(job)
}

func start(t *testing.T, spec Spec) *Worker {
	t.Helper()
	w, err := Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func openFile(t *testing.T, content string) File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return File{Name: "f", Size: int64(len(content)), Descriptor: f}
}

// answers runs a request and returns what came back, item by item.
func answers(t *testing.T, w *Worker, req Request) ([]string, error) {
	t.Helper()
	var got []string
	err := w.Run(t.Context(), req, func(_ int, answer []byte, handler error) bool {
		if handler != nil {
			got = append(got, "error: "+handler.Error())
		} else {
			got = append(got, string(answer))
		}
		return true
	})
	return got, err
}

func TestRunAnswersInOrder(t *testing.T) {
	for _, stream := range []bool{false, true} {
		w := start(t, Spec{Stream: stream})
		big := strings.Repeat("0123456789abcdef", 3<<16) // 3 MiB: many frames, more than one read
		req := Request{Kind: "read", MaxResult: 8 << 20}
		var want []string
		for i := range 100 {
			text := fmt.Sprint("content ", i)
			if i == 50 {
				text = big
			}
			req.Items = append(req.Items, Item{Files: []File{openFile(t, text)}})
			want = append(want, text)
		}
		got, err := answers(t, w, req)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("stream %v: item %d: %d bytes, want %d", stream, i, len(got[i]), len(want[i]))
			}
		}
		if got, err := answers(t, w, Request{Kind: "fail", Items: []Item{{}}}); err != nil || got[0] != "error: no luck" {
			t.Errorf("stream %v: handler's error: %q, %v", stream, got, err)
		}
	}
}

func TestConfinementIsWhatWasAskedFor(t *testing.T) {
	for mode, want := range map[Mode]Grade{Strict: GradeSeccompLandlock, Auto: GradeSeccompLandlock, Process: GradeProcess, Off: GradeOff} {
		w := start(t, Spec{Mode: mode})
		if got := w.Confinement().Grade(); got != want {
			t.Errorf("%s: grade %s, want %s: %+v", mode, got, want, w.Confinement())
		}
	}
}

func TestReadsAreBounded(t *testing.T) {
	w := start(t, Spec{})
	file := File{Name: "remote", Size: 100, R: strings.NewReader(strings.Repeat("r", 100))}
	got, err := answers(t, w, Request{Kind: "read", MaxResult: 1 << 20, ReadBudget: 1 << 20, Items: []Item{{Files: []File{file}}}})
	if err != nil || got[0] != strings.Repeat("r", 100) {
		t.Fatalf("%q, %v", got, err)
	}
	got, err = answers(t, w, Request{Kind: "read", MaxResult: 1 << 20, ReadBudget: 10, Items: []Item{{Files: []File{file}}}})
	if err != nil || !strings.Contains(got[0], "budget") {
		t.Fatalf("over the budget: %q, %v", got, err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	w := start(t, Spec{})
	_, err := answers(t, w, Request{Kind: "long", MaxResult: 1 << 20, Items: []Item{{Params: 1<<20 + 1}}})
	var f *Failure
	if !errors.As(err, &f) || f.Kind != Garbled {
		t.Fatalf("got %v, want a breach of the protocol", err)
	}
	if _, err := answers(t, w, Request{Kind: "names", Items: []Item{{}}}); err == nil {
		t.Fatal("a worker that broke the protocol is used again")
	}
}

// TestParams: an item that has none gets the request's.
func TestParams(t *testing.T) {
	got, err := answers(t, start(t, Spec{}), Request{Kind: "long", Params: 2, MaxResult: 100, Items: []Item{{}, {Params: 3}, {}}})
	if want := []string{"xx", "xxx", "xx"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestCancelKills(t *testing.T) {
	w := start(t, Spec{})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	err := w.Run(ctx, Request{Kind: "spin", Items: []Item{{}}}, func(int, []byte, error) bool { return true })
	var f *Failure
	if !errors.As(err, &f) || f.Kind != Cancelled {
		t.Fatalf("got %v, want cancelled", err)
	}
}

// TestTwin: the twin is what runs, and where it can't be executed this executable is.
func TestTwin(t *testing.T) {
	for path, want := range map[string]bool{"/proc/self/exe": true, "/nowhere/scan-worker": false, "/proc/self/status": false} {
		w, err := launchTwin(Spec{}, path)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.awaitReady(); err != nil || w.twin != want || w.Confinement().Grade() < GradeSeccomp {
			t.Errorf("%s: twin %v, grade %s, %v", path, w.twin, w.Confinement().Grade(), err)
		}
		w.Close()
	}
	for _, spec := range []Spec{{Role: Trust}, {Mode: Wasm}, {Exe: "/proc/self/exe"}} {
		if path, ok := spec.twin(); ok {
			t.Errorf("%+v: %s", spec, path)
		}
	}
}

// TestReady: the worker that was waited for is the one that is used, and no other is started for a single request.
func TestReady(t *testing.T) {
	p := NewPool(Spec{}, 1)
	defer p.Close()
	for range 2 { // the second time nothing is on its way
		if err := p.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w, err := p.Get(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Put(w)
	if p.mu.Lock(); len(p.idle)+p.starting != 0 {
		t.Errorf("%d idle, %d on their way", len(p.idle), p.starting)
	}
	p.mu.Unlock()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	p.Tune(1, 0)
	if err := p.Ready(gone); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := p.Ready(t.Context()); err != nil {
		t.Errorf("after one that did not wait: %v", err)
	}
	broken := NewPool(Spec{Exe: "/does/not/exist"}, 1)
	defer broken.Close()
	if err := broken.Ready(t.Context()); err == nil {
		t.Error("what can't be started is ready")
	}
}

// TestStrangersGetAnotherWorker: a worker sees the bytes of one owner; one that has seen none yet may be anybody's.
func TestStrangersGetAnotherWorker(t *testing.T) {
	p := NewPool(Spec{}, 1)
	defer p.Close()
	pid := func(owner string) int {
		t.Helper()
		w, err := p.Get(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := answers(t, w, Request{Kind: "names", MaxResult: 100, Items: []Item{{}}}); err != nil || len(got) != 1 {
			t.Fatalf("%q, %v", got, err)
		}
		defer p.Put(w)
		return w.cmd.Process.Pid
	}
	unused, err := p.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	p.Put(unused)
	a := pid("b")
	if a != unused.cmd.Process.Pid {
		t.Error("a worker that has seen nothing was not used")
	}
	if again := pid("b"); again != a {
		t.Error("a worker was not used again for the same owner")
	}
	seen := map[int]bool{a: true}
	for _, owner := range []string{"c", "b", Nobody, Nobody, ""} {
		got := pid(owner)
		if seen[got] {
			t.Errorf("%q got a worker that had seen somebody else's bytes", owner)
		}
		seen[got] = true
	}
}
