//go:build linux

package sandbox

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/sandbox/probe"
)

var update = flag.Bool("update", false, "write golden files")

// TestProbes holds what comes of every forbidden call against a golden list: almost all are killed,
// the few others are answered with an error and done without.
func TestProbes(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the golden list is that of amd64")
	}
	if n := len(probe.All()); n < 60 {
		t.Errorf("only %d probes", n)
	}
	file := openFile(t, "model")
	var got strings.Builder
	for _, p := range probe.All() {
		fmt.Fprintf(&got, "%-28s %s\n", p.Name, outcomeOf(t, Spec{}, p, file))
	}
	const golden = "testdata/probes.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
	if strings.Contains(got.String(), OutcomeAllowed) {
		t.Error("a forbidden call was allowed")
	}
}

// TestProbesReachTheKernel is the control run: without a sandbox every call is made, so that a probe
// that was stopped above was stopped by the sandbox.
func TestProbesReachTheKernel(t *testing.T) {
	// Calls that this kernel may lack, or refuses to everybody.
	mayLack := []string{"no such call", "clone3", "memfd_secret", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
		"fanotify_init", "mq_open", "delete_module", "init_module", "finit_module", "int 0x80", "iopl", "keyctl", "add_key", "request_key", "kcmp", "syslog"}
	// Calls that succeed for anybody.
	mustSucceed := []string{"clone process", "fork", "openat", "open", "newfstatat", "stat", "statx", "access", "getcwd", "chdir", "dup", "fcntl",
		"socket", "socket unix", "socketpair", "pipe2", "eventfd2", "epoll_create1", "mmap executable", "mmap executable, odd bits", "mmap shared", "mmap the model",
		"mprotect executable", "memfd_create", "kill the parent", "tgkill the parent", "tkill the parent", "pidfd_open", "prlimit64", "setpriority", "shmget", "process_vm_readv",
		"personality", "prctl", "seccomp", "inotify_init1", "unshare", "clock of the parent", "sleep by the parent's clock", "affinity of the parent"}
	file := openFile(t, "model")
	for _, p := range probe.All() {
		if p.Alone {
			continue
		}
		switch outcome := outcomeOf(t, Spec{Mode: Off}, p, file); {
		case outcome == OutcomeKilled, outcome == "ENOSYS" && !slices.Contains(mayLack, p.Name):
			t.Errorf("%s: %s", p.Name, outcome)
		case outcome != OutcomeAllowed && slices.Contains(mustSucceed, p.Name):
			t.Errorf("%s: %s, should succeed where nothing stops it", p.Name, outcome)
		}
	}
}

func outcomeOf(t *testing.T, spec Spec, p probe.Probe, file File) string {
	t.Helper()
	w := start(t, spec)
	defer w.Close()
	got, err := answers(t, w, Request{Kind: probeKind, MaxResult: 1 << 10, Items: []Item{{
		Params: probeParams{Name: p.Name, Parent: os.Getpid()}, Files: []File{file},
	}}})
	if f, ok := err.(*Failure); ok && f.Kind == Forbidden {
		return OutcomeKilled
	}
	if err != nil {
		return err.Error()
	}
	return got[0]
}
