//go:build linux

package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/secure-torch/secure-torch/internal/modeltest/race"
	"github.com/secure-torch/secure-torch/sandbox/policy"
	"github.com/secure-torch/secure-torch/sandbox/probe"
)

// load makes the Go runtime use whatever it may ever want of the kernel: new and dying threads,
// collections, preemption, timers, faults that are recovered from, random numbers, output.
func load() error {
	var wg sync.WaitGroup
	for i := range 48 {
		wg.Go(func() {
			if i%2 == 0 {
				runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			}
			var garbage [][]byte
			for j := range 60 {
				garbage = append(garbage, make([]byte, 16<<10))
				for until := 0; until < 20_000; until++ { // no call in it: only a signal stops it
				}
				if j%20 == 0 {
					fault()
					time.Sleep(100 * time.Microsecond)
				}
			}
			runtime.KeepAlive(garbage)
		})
	}
	for range 10 {
		runtime.GC()
	}
	wg.Wait()
	time.Sleep(time.Millisecond) // with nothing else to do: the runtime waits in epoll
	debug.FreeOSMemory()
	preempt()
	buf := make([]byte, 64<<10)
	_, err := rand.Read(buf)
	return err
}

// preempt has collections wait for loops without a call in them, which only a signal can stop.
func preempt() {
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for !stop.Load() { // compiled to a loop without a call
			}
		})
	}
	for range 5 {
		runtime.Gosched()
		runtime.GC()
	}
	stop.Store(true)
	wg.Wait()
}

func fault() {
	defer func() { _ = recover() }()
	var p *int
	*p = 1
}

// runLoad tells whether a worker lives through load and then answers. One that hangs is out of patience.
func runLoad(t *testing.T, spec Spec, patience time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	w, err := Start(ctx, spec)
	if err != nil {
		return err
	}
	defer w.Close()
	file := openFile(t, "content")
	for _, kind := range []string{"load", "read"} {
		if _, err := answers(t, w, Request{Kind: kind, MaxResult: 1 << 10, Items: []Item{{Files: []File{file}, Deadline: patience}}}); err != nil {
			return err
		}
	}
	return nil
}

// margin are the entries that the load does without, or reaches only sometimes: they are there for
// other C libraries, kernels and moments (restart_syscall comes after a stop; exit_group at the end;
// brk with the C allocator that the Python grammar uses).
var margin = []string{"brk", "clock_gettime", "clock_nanosleep", "exit_group", "mremap", "prctl", "read", "restart_syscall", "rt_sigaction", "sched_yield", "write"}

// ofCLibrary are the entries that only a C library makes use of.
var ofCLibrary = []string{"clone3", "mprotect", "munmap", "openat", "rseq", "sched_getaffinity", "set_robust_list"}

// TestUnderLoad is the control of the next test, and the short form of the soak.
func TestUnderLoad(t *testing.T) {
	for range 3 {
		if err := runLoad(t, Spec{}, 5*time.Minute); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLargeStacks: a user's large limit on stacks leaves workers their memory.
func TestLargeStacks(t *testing.T) {
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_STACK, &now); err != nil || now.Max < 1<<30 {
		t.Skipf("the limit can't be raised: %v, %+v", err, now)
	}
	if err := unix.Setrlimit(unix.RLIMIT_STACK, &unix.Rlimit{Cur: 1 << 30, Max: now.Max}); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_STACK, &now)
	if err := runLoad(t, Spec{}, 5*time.Minute); err != nil {
		t.Error(err)
	}
}

func TestEveryEntryIsNeeded(t *testing.T) {
	if race.Enabled {
		t.Skip("what is needed is another matter under the race detector")
	}
	for _, e := range policy.Worker() {
		name := e.Name
		if slices.Contains(margin, name) || !withCLibrary && slices.Contains(ofCLibrary, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := runLoad(t, Spec{Exe: impostor(t, "drop-"+name)}, 10*time.Second); err == nil {
				t.Error("nothing notices that it is missing from the policy")
			}
		})
	}
}

// TestAddedEntryIsNoticed: a policy that lets one more call through fails the probe of that call.
func TestAddedEntryIsNoticed(t *testing.T) {
	for _, name := range []string{"execve", "socket", "openat", "ptrace", "io_uring_setup", "bpf", "mount", "memfd_create", "mmap", "mprotect", "tgkill"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, p := range probe.All() {
				if p.Name == name || strings.HasPrefix(p.Name, name+" ") {
					if got := outcomeOf(t, Spec{Exe: impostor(t, "add-"+name)}, p, openFile(t, "x")); got == OutcomeKilled {
						t.Errorf("%s: still killed: the probe does not tell", p.Name)
					}
				}
			}
		})
	}
}

var allLayers = []string{LayerDumpable, LayerRlimits, LayerNoNewPrivs, LayerLandlock, LayerSeccomp}

// TestFailingSteps: where a step of the confinement fails, strict refuses and names it; auto goes on
// and says what is missing; doctor tells of every layer as it was. Landlock is the one that strict can do without.
func TestFailingSteps(t *testing.T) {
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exe := impostor(t, "outer-"+name)
			w, err := Start(t.Context(), Spec{Exe: exe})
			missing, unavailable := errors.AsType[*UnavailableError](err)
			switch {
			case f.layer == LayerLandlock && err == nil:
				if g := w.Confinement().Grade(); g != GradeSeccomp || w.Confinement().Missing[f.layer] == "" {
					t.Errorf("grade %s, %+v", g, w.Confinement())
				}
				w.Close()
			case f.layer == LayerLandlock || !unavailable:
				t.Fatalf("strict: %v", err)
			case missing.Missing[f.layer] == "" || !strings.Contains(err.Error(), f.layer):
				t.Errorf("strict does not say that %s is missing: %v", f.layer, err)
			}
			w = start(t, Spec{Mode: Auto, Exe: exe})
			c := w.Confinement()
			if c.Has(f.layer) || c.Missing[f.layer] == "" || c.Grade() == GradeSeccompLandlock || strings.Contains(fmt.Sprint(c.Missing), "BUG") {
				t.Errorf("auto: %+v", c)
			}
			if d := Diagnose(t.Context(), Spec{Exe: exe}, false); d.ABI != c.ABI || d.Grade != c.Grade().String() || d.Entries != c.Entries || !slices.EqualFunc(d.Layers, allLayers, func(l LayerState, name string) bool {
				return l.Name == name && l.InForce == c.Has(name) && l.Why == c.Missing[name]
			}) {
				t.Errorf("doctor of strict says %+v, and auto has %+v", d, c)
			}
		})
	}
}

// TestKilledOnTheWay: a filter around the program that kills where a worker confines itself is no hostile file, and no
// silence: strict names it, auto does without a filter and says so, and so does doctor.
func TestKilledOnTheWay(t *testing.T) {
	exe := impostor(t, "killer-")
	w, err := Start(t.Context(), Spec{Exe: exe})
	missing, ok := errors.AsType[*UnavailableError](err)
	if !ok || !strings.Contains(missing.Missing[LayerSeccomp], "before it was confined") {
		t.Errorf("strict: %v, %v", w, err)
	}
	c := start(t, Spec{Mode: Auto, Exe: exe}).Confinement()
	if c.Grade() != GradeProcess || c.Missing[LayerSeccomp] == "" || c.Missing[LayerLandlock] == "" {
		t.Errorf("auto: %+v", c)
	}
	if d := Diagnose(t.Context(), Spec{Exe: exe}, false); d.OK || d.Grade != "" || len(d.Layers) > 0 || !strings.Contains(d.Problem, "before it was confined") {
		t.Errorf("doctor: %+v", d)
	}
	if _, err := Start(t.Context(), Spec{Exe: impostor(t, "trapper-")}); err == nil || !strings.Contains(err.Error(), "SIGSYS") {
		t.Errorf("a signal in place of death: %v", err)
	}
}

// TestNoPlaceForSignals: where no signal can wait, a call can't be made on all threads. A worker says so at once, and
// does not wait for what never comes.
func TestNoPlaceForSignals(t *testing.T) {
	exe := impostor(t, "crowded-")
	c := start(t, Spec{Mode: Auto, Exe: exe}).Confinement()
	for _, layer := range []string{LayerLandlock, LayerNoNewPrivs} {
		if layer == LayerNoNewPrivs && os.Getuid() != 0 {
			continue // there is nothing to give up
		}
		if c.Has(layer) || !strings.Contains(c.Missing[layer], "signal") {
			t.Errorf("%s: %+v", layer, c)
		}
	}
	if !c.Has(LayerSeccomp) {
		t.Errorf("the filter needs no signals: %+v", c)
	}
}

// probeThreads opens a file from every kind of thread.
func probeThreads(job Job, out io.Writer) error {
	var which string
	if err := json.Unmarshal(job.Params, &which); err != nil {
		return err
	}
	done := make(chan string)
	open := func() {
		outcome, err := probe.Run("socket", probe.Env{})
		done <- fmt.Sprint(outcome, err)
	}
	switch which {
	case "old":
		onOldThread <- open
	case "new":
		go func() { runtime.LockOSThread(); open() }()
	case "thousandth":
		release := make(chan struct{})
		defer close(release)
		for range 50 { // threads of their own: their stacks count against the limit on memory
			ready := make(chan struct{})
			go func() { runtime.LockOSThread(); close(ready); <-release }()
			<-ready
		}
		for range 1000 {
			go func() { <-release }()
		}
		go func() { runtime.LockOSThread(); open() }()
	}
	_, err := io.WriteString(out, <-done)
	return err
}

// TestEveryThreadIsConfined: the filter holds on threads that were there before it and on those that
// came after.
func TestEveryThreadIsConfined(t *testing.T) {
	for _, which := range []string{"old", "new", "thousandth"} {
		_, err := answers(t, start(t, Spec{}), Request{Kind: "threads", MaxResult: 100, Items: []Item{{Params: which}}})
		if f, ok := errors.AsType[*Failure](err); !ok || f.Kind != Forbidden {
			t.Errorf("%s thread: %v", which, err)
		}
		got, err := answers(t, start(t, Spec{Mode: Off}), Request{Kind: "threads", MaxResult: 100, Items: []Item{{Params: which}}})
		if err != nil || !strings.HasPrefix(got[0], OutcomeAllowed) {
			t.Errorf("control, %s thread: %q, %v", which, got, err)
		}
	}
}

// readDescriptors reads the start of whatever is open in the worker.
func readDescriptors(out io.Writer) error {
	buf := make([]byte, 64)
	for fd := range 250 {
		if n, err := unix.Pread(fd, buf, 0); err == nil && n > 0 {
			fmt.Fprintf(out, "%d: %q\n", fd, buf[:n])
		}
	}
	return nil
}

// TestSecretsStayOutside: neither this process's environment nor a file it has open, even one that it
// inherited itself without the close-on-exec flag, is to be had in a worker.
func TestSecretsStayOutside(t *testing.T) {
	const secret = "canary-of-secure-torch"
	t.Setenv("HF_TOKEN", secret)
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(path, unix.O_RDONLY, 0) // inheritable
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, stream := range []bool{false, true} {
		w := start(t, Spec{Stream: stream})
		env, err := answers(t, w, Request{Kind: "environment", MaxResult: 1 << 16, Items: []Item{{}}})
		if err != nil || strings.Contains(env[0], secret) || len(strings.Fields(env[0])) > 3 {
			t.Errorf("environment: %q, %v", env, err)
		}
		open, err := answers(t, w, Request{Kind: "descriptors", MaxResult: 1 << 16, Items: []Item{{Files: []File{openFile(t, "the model")}}}})
		if err != nil || strings.Contains(open[0], secret) || !stream && !strings.Contains(open[0], "the model") {
			t.Errorf("descriptors, by a stream %v: %q, %v", stream, open, err)
		}
	}
}

// sendDescriptors sends the worker's own socket up, many times over.
func sendDescriptors() error {
	f := frame{kind: frameRead, request: 1, item: 0, payload: make([]byte, 16)}
	return unix.Sendmsg(3, f.append(nil), unix.UnixRights(3, 2, 1, 0), nil, 0)
}

// TestParentTakesNoDescriptors: what a worker sends up is closed by the kernel.
func TestParentTakesNoDescriptors(t *testing.T) {
	w := start(t, Spec{})
	before := openDescriptors(t)
	file := openFile(t, "x")
	_, _ = answers(t, w, Request{Kind: "sends descriptors", MaxResult: 100, Items: []Item{{Files: []File{file}, Deadline: 2 * time.Second}}})
	if after := openDescriptors(t); after > before+1 { // the file
		t.Errorf("%d descriptors became %d", before, after)
	}
}

// leaveDescriptors sends more than is read, with the worker's own outputs, and ends.
func leaveDescriptors() error {
	f := frame{kind: frameRead, request: 1, item: 0, payload: make([]byte, 17)}
	for range 8 {
		if err := unix.Sendmsg(3, f.append(nil), unix.UnixRights(0, 1, 2, 3), nil, 0); err != nil {
			return err
		}
	}
	os.Exit(0)
	return nil
}

// TestUnreadDescriptorsHoldNobodyUp: descriptors in a message that is never read keep the other end of a worker's
// output open beyond its end.
func TestUnreadDescriptorsHoldNobodyUp(t *testing.T) {
	w := start(t, Spec{})
	ended := make(chan error, 1)
	go func() {
		_, err := answers(t, w, Request{Kind: "leaves descriptors", MaxResult: 100, Items: []Item{{Files: []File{openFile(t, "x")}}}})
		ended <- err
	}()
	select {
	case err := <-ended:
		if _, ok := errors.AsType[*Failure](err); !ok {
			t.Errorf("%v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the parent waits for an output that nobody will end")
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestPolicyHasNoWayOut is about the table itself: none of these may ever be let through, whatever
// the reason for the change was.
func TestPolicyHasNoWayOut(t *testing.T) {
	never := []string{"execve", "execveat", "fork", "vfork", "open", "openat2", "creat", "socket", "connect", "bind", "sendto", "sendmmsg", "ptrace",
		"process_vm_readv", "kill", "tkill", "io_uring_setup", "io_uring_enter", "bpf", "mount", "unshare", "setns", "memfd_create", "userfaultfd", "prlimit64"}
	for _, e := range policy.Worker() {
		for _, name := range never {
			if e.Name == name && e.Errno == 0 {
				t.Errorf("%s is let through", name)
			}
		}
		conditional := slices.Contains([]string{"clock_gettime", "clock_nanosleep", "clone", "futex", "madvise", "mmap", "mprotect", "sched_getaffinity", "tgkill"}, e.Name)
		answered := e.Name == "openat" || e.Name == "clone3" || e.Name == "prctl" || e.Name == "mremap"
		if conditional != (len(e.When) > 0) || answered != (e.Errno != 0) {
			t.Errorf("%+v: conditions or errors are not where they belong", e)
		}
	}
}
