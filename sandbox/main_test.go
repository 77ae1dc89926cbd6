//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	netbpf "golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/secure-torch/secure-torch/sandbox/bpf"
	"github.com/secure-torch/secure-torch/sandbox/policy"
)

// TestMain makes the test binary a worker when a test starts it as one. Under which name it is
// started says what is wrong with that worker: see impostor.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == Verb {
		go oldThread()
		what, which, _ := strings.Cut(filepath.Base(os.Args[0]), "-")
		put := confine
		switch what {
		case "drop", "add":
			put = func(mode Mode) Confinement { return confineBy(mode, mutated(what, which)) }
		case "outer":
			outer(which)
		case "killer":
			must(bpf.Load(killer(unix.SECCOMP_RET_KILL_PROCESS)))
		case "trapper":
			must(bpf.Load(killer(unix.SECCOMP_RET_TRAP)))
		case "crowded":
			must(unix.Setrlimit(unix.RLIMIT_SIGPENDING, &unix.Rlimit{}))
		case "count":
			countStart()
		case "miscast":
			os.Args[3] = string(Scan)
		}
		if err := serve(os.Args[2:], Roles{Scan: testHandler, Trust: trustHandler}, put); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// impostor returns an executable for Spec.Exe that is started under the given name.
func impostor(t *testing.T, name string) string {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(own, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// mutated is the worker's policy without an entry, or with one more.
func mutated(what, name string) []policy.Entry {
	entries := slices.DeleteFunc(policy.Worker(), func(e policy.Entry) bool { return e.Name == name })
	if what == "add" {
		entries = append(entries, policy.Entry{Name: name})
	}
	return entries
}

// faults are steps of the confinement that a kernel, or a filter around the process, may refuse.
var faults = map[string]struct {
	call  policy.Entry
	layer string
}{
	"dumpable":            {policy.Entry{Name: "prctl", Errno: uint16(unix.EPERM), When: firstArg(unix.PR_SET_DUMPABLE)}, LayerDumpable},
	"nonewprivs":          {policy.Entry{Name: "prctl", Errno: uint16(unix.EINVAL), When: firstArg(unix.PR_SET_NO_NEW_PRIVS)}, LayerNoNewPrivs},
	"rights":              {policy.Entry{Name: "capget", Errno: uint16(unix.EPERM)}, LayerNoNewPrivs},
	"rlimits":             {policy.Entry{Name: "prlimit64", Errno: uint16(unix.EPERM)}, LayerRlimits},
	"landlock_unknown":    {policy.Entry{Name: "landlock_create_ruleset", Errno: uint16(unix.ENOSYS)}, LayerLandlock},
	"landlock_disabled":   {policy.Entry{Name: "landlock_create_ruleset", Errno: uint16(unix.EOPNOTSUPP)}, LayerLandlock},
	"landlock_forbidden":  {policy.Entry{Name: "landlock_create_ruleset", Errno: uint16(unix.EPERM)}, LayerLandlock},
	"landlock_refused":    {policy.Entry{Name: "landlock_restrict_self", Errno: uint16(unix.EPERM)}, LayerLandlock},
	"seccomp_unknown":     {policy.Entry{Name: "seccomp", Errno: uint16(unix.ENOSYS)}, LayerSeccomp},
	"seccomp_refused":     {policy.Entry{Name: "seccomp", Errno: uint16(unix.EACCES)}, LayerSeccomp},
	"seccomp_unsupported": {policy.Entry{Name: "seccomp", Errno: uint16(unix.EINVAL)}, LayerSeccomp},
}

func firstArg(value uint64) []policy.Condition {
	return []policy.Condition{{Arg: 0, Mask: 1<<32 - 1, Value: value}}
}

// outer puts a filter around this process under which one step fails, as on another kernel.
func outer(fault string) {
	program, err := bpf.CompileOver([]policy.Entry{faults[fault].call}, unix.SECCOMP_RET_ALLOW)
	must(err)
	must(bpf.Load(program))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// killer is a filter that kills, or signals, who wants to put on a filter.
func killer(answer uint32) []netbpf.RawInstruction {
	return []netbpf.RawInstruction{
		{Op: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the call's number
		{Op: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_SECCOMP, Jf: 1},
		{Op: unix.BPF_RET | unix.BPF_K, K: answer},
		{Op: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
}

// startsFile, beside the impostor, gets a byte for each worker that is started.
const startsFile = "starts"

func countStart() {
	f, err := os.OpenFile(filepath.Join(filepath.Dir(os.Args[0]), startsFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		_, err = f.WriteString("x")
	}
	must(err)
	f.Close()
}

// onOldThread runs a function on a thread that was there before the confinement.
var onOldThread = make(chan func())

func oldThread() {
	runtime.LockOSThread()
	for f := range onOldThread {
		f()
	}
}
