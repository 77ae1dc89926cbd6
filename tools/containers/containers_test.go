//go:build linux

// Package containers runs the program as a container would: under the filter of Docker's default profile as
// Docker itself makes it, with a container's capabilities, and under filters that make this kernel answer
// as others do. It lives with the tools because the profile does. `make build` comes first.
package containers

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A place is a kind of container, or of kernel.
type place struct {
	Profile string   // docker, or empty for a filter that lets everything through but Refused
	Refused []string // calls that fail, besides
	Errno   uint     // with this
	Caps    []string // of root
	Nobody  bool     // not root, and without a way back to it
	NoNew   bool     // no_new_privs, as for a pod that allows no escalation
}

// dockerCaps are what root has in a container by default.
var dockerCaps = []string{"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"}

var landlock = []string{"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}

// since are calls that came after Linux 4.14: a kernel of that age does not know them.
var since = slices.Concat(landlock, []string{"pidfd_open", "pidfd_send_signal", "pidfd_getfd", "clone3", "close_range", "openat2", "faccessat2", "rseq",
	"io_uring_setup", "io_uring_enter", "io_uring_register", "statx", "copy_file_range", "process_madvise", "epoll_pwait2", "memfd_secret", "futex_waitv"})

var places = map[string]struct {
	place
	grade string // of strict; empty where it must refuse
}{
	"docker":                       {place{Profile: "docker", Caps: dockerCaps}, "seccomp+landlock"},
	"docker, as nobody":            {place{Profile: "docker", Nobody: true}, "seccomp+landlock"},
	"kubernetes, restricted":       {place{Profile: "docker", Nobody: true, NoNew: true}, "seccomp+landlock"},
	"docker, kernel sans landlock": {place{Profile: "docker", Refused: landlock, Errno: uint(unix.EOPNOTSUPP), Caps: dockerCaps}, "seccomp"},
	"gvisor":                       {place{Refused: landlock, Errno: uint(unix.ENOSYS), Caps: dockerCaps}, "seccomp"},
	"old kernel":                   {place{Refused: since, Errno: uint(unix.ENOSYS), Caps: dockerCaps}, "seccomp"},
	"memory is never executed":     {place{Refused: []string{"memfd_create"}, Errno: uint(unix.EACCES), Caps: dockerCaps}, "seccomp+landlock"},
	"seccomp forbidden":            {place{Refused: []string{"seccomp"}, Errno: uint(unix.EPERM), Nobody: true}, ""},
}

func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == "inside" {
		runtime.LockOSThread()
		var p place
		if err := json.Unmarshal([]byte(os.Args[2]), &p); err != nil {
			panic(err)
		}
		panic(p.become(os.Args[3:]))
	}
	os.Exit(m.Run())
}

// outcome of the program in a place.
type outcome struct {
	code     int
	out, err string
}

// noRseq: glibc ends a process whose thread can't do what its first thread could, and Go may start one in the moment
// after a filter refuses it. The program does not inherit it.
const noRseq = "GLIBC_TUNABLES=glibc.pthread.rseq=0"

// run has this executable become the program in the place.
func (p place) run(t *testing.T, dir string, args ...string) outcome {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), own, append([]string{"inside", string(text)}, args...)...)
	cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir, "PATH=/usr/bin:/bin", "TMPDIR=" + dir, noRseq}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), said.String()}
}

// folder holds the program and two models, where anybody can read them.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "containers") // t.TempDir lies in a folder that others can't enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, err := os.ReadFile("../../bin/secure-torch")
	if err != nil {
		t.Fatalf("%v: run make build first", err)
	}
	for name, content := range map[string]string{
		"secure-torch": string(program), "good.pkl": "\x80\x02}.", "evil.pkl": "\x80\x02cposix\nsystem\nX\x0a\x00\x00\x00echo pwned\x85R.",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestPlaces: what docs/sandbox.md says holds in a place does, by doctor's live probes, by a scan and by a confined
// Python; and where there can't be a filter nothing is scanned unless that was asked for.
func TestPlaces(t *testing.T) {
	dir := folder(t)
	for name, p := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.isThere(t, dir)
			d := doctor(t, p.place, dir)
			scan := p.run(t, dir, "./secure-torch", "scan", "--no-cache", "--format", "json", "good.pkl", "evil.pkl")
			python := p.run(t, dir, "./secure-torch", "sandbox", "exec", "--", "/usr/bin/python3", "-c", "print(6 * 7)")
			if p.grade == "" {
				p.refuses(t, dir, d, scan, python)
				return
			}
			noMemory := slices.Contains(p.Refused, "memfd_create")
			if !d.OK || d.Grade != p.grade || (d.Executable == "secure-torch") != noMemory {
				t.Errorf("doctor: %+v", d)
			}
			if scan.code != 1 || !strings.Contains(scan.out, `"unsafe"`) || !strings.Contains(scan.out, `"safe"`) || !strings.Contains(scan.out, `"`+p.grade+`"`) {
				t.Errorf("scan: %+v", scan)
			}
			if noMemory { // the result of a confined Python lies in one
				return
			}
			if python.code != 0 || strings.TrimSpace(python.out) != "42" {
				t.Errorf("a confined Python: %+v", python)
			}
			fork := p.run(t, dir, "./secure-torch", "sandbox", "exec", "--", "/usr/bin/python3", "-c", "import os; os.fork()")
			if fork.code != 159 {
				t.Errorf("a confined Python that forks: %+v", fork)
			}
		})
	}
}

// isThere is the control: a filter is in force, and what it refuses is refused.
func (p place) isThere(t *testing.T, dir string) {
	t.Helper()
	status := p.run(t, dir, "/bin/cat", "/proc/self/status")
	if !strings.Contains(status.out, "\nSeccomp:\t2\n") || p.NoNew && !strings.Contains(status.out, "\nNoNewPrivs:\t1\n") {
		t.Errorf("there is no filter: %+v", status)
	}
	if os.Getuid() == 0 && (p.Nobody != strings.Contains(status.out, "\nUid:\t65534\t65534") || strings.Contains(status.out, "\nCapBnd:\t000001ffffffffff\n")) {
		t.Errorf("not the user and the rights of that place: %+v", status)
	}
	const unshare = "import ctypes; print(ctypes.CDLL(None, use_errno=True).unshare(0x10000000) or 'done')"
	if got := p.run(t, dir, "/usr/bin/python3", "-c", unshare); p.Profile == "docker" && strings.TrimSpace(got.out) != "-1" {
		t.Errorf("docker's profile lets a user namespace be made: %+v", got)
	}
}

// refuses: nothing runs without a filter, unless somebody says so, and then the report says it too.
func (p place) refuses(t *testing.T, dir string, d diagnosis, scan, python outcome) {
	t.Helper()
	if d.OK || !strings.Contains(d.Problem, "seccomp") {
		t.Errorf("doctor: %+v", d)
	}
	if scan.code != 2 || !strings.Contains(scan.err, "the strict sandbox is not available here") || !strings.Contains(scan.err, "hint: ") {
		t.Errorf("scan: %+v", scan)
	}
	if python.code != 2 || strings.Contains(python.out, "42") {
		t.Errorf("a confined Python: %+v", python)
	}
	auto := p.run(t, dir, "./secure-torch", "scan", "--no-cache", "--sandbox=auto", "--format", "json", "good.pkl", "evil.pkl")
	if auto.code != 1 || !strings.Contains(auto.out, `"process"`) || strings.Contains(auto.out, `"seccomp+landlock"`) {
		t.Errorf("scan --sandbox=auto: %+v", auto)
	}
}

// diagnosis is what doctor --json says, as far as it matters here.
type diagnosis struct {
	OK         bool
	Grade      string
	Problem    string
	Executable string
	Probes     []struct {
		Name    string
		Outcome string
		Stopped bool
	}
}

func doctor(t *testing.T, p place, dir string) diagnosis {
	t.Helper()
	o := p.run(t, dir, "./secure-torch", "doctor", "--json")
	var d diagnosis
	if err := json.Unmarshal([]byte(o.out), &d); err != nil {
		t.Fatalf("doctor: %v: %+v", err, o)
	}
	if d.OK != (o.code == 0) || d.OK && len(d.Probes) < 8 {
		t.Errorf("doctor: %+v", o)
	}
	return d
}
