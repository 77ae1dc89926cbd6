//go:build linux

package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// python is the interpreter that the tests confine: it comes with every Debian.
const python = "/usr/bin/python3"

// unpickles is the program that a pickled payload takes over.
const unpickles = "import pickle\nprint('loaded', repr(pickle.load(INPUT))[:60])"

// runs a program over the given input, and returns what it wrote on standard output and error.
func runs(t *testing.T, p Program, input string) (r ProgramReport, stdout, stderr string) {
	t.Helper()
	if _, err := os.Stat(python); err != nil {
		t.Skip(err)
	}
	p.Python = python
	if input != "" {
		p.Input = openFile(t, input).Descriptor
	}
	var out, said bytes.Buffer
	p.Stdout, p.Stderr = &out, &said
	r, err := RunProgram(t.Context(), p)
	if err != nil && r.Outcome != ProgramRefused {
		t.Fatalf("%v: %+v", err, r)
	}
	return r, out.String(), said.String()
}

func TestProgramRuns(t *testing.T) {
	output, err := memoryFile("result", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	source := "import json, sys\nOUTPUT.write(INPUT.read().upper())\nprint(json.dumps(sys.argv))"
	r, out, said := runs(t, Program{Source: source, Args: []string{"-c", "x"}, Imports: []string{"json"}, Output: output}, "content")
	if r.Outcome != ProgramDone || r.ExitCode != 0 || strings.TrimSpace(out) != `["-c", "x"]` {
		t.Fatalf("%+v\n%s%s", r, out, said)
	}
	if r.Grade != GradeSeccompLandlock.String() || r.Threads.Seen == 0 || r.Threads.Seen != r.Threads.Filtered || len(r.Profile.SHA256) != 64 {
		t.Errorf("%+v", r)
	}
	text := make([]byte, 100)
	if n, _ := output.ReadAt(text, 0); string(text[:n]) != "CONTENT" || r.OutputBytes != 7 {
		t.Errorf("output %q, %d bytes", text[:n], r.OutputBytes)
	}
	if _, err := output.WriteAt([]byte("x"), 0); err == nil {
		t.Error("the output can be changed after the program's end")
	}
}

// A payload is what a pickle calls, with arguments as it writes them. canary stands for a path.
type payload struct {
	global, args string // GLOBAL and what stands before REDUCE
	want         ProgramOutcome
}

var payloads = map[string]payload{
	"os.system":     {"posix\nsystem", "V/bin/echo pwned > canary\n", ProgramForbidden},
	"fork":          {"posix\nfork", "", ProgramForbidden},
	"popen":         {"os\npopen", "V/bin/echo pwned > canary\n", ProgramForbidden},
	"subprocess":    {"subprocess\ncall", "(lV/bin/touch\naVcanary\na", ProgramForbidden},
	"execv":         {"posix\nexecv", "V/bin/touch\n(lVtouch\naVcanary\na", ProgramForbidden},
	"spawn":         {"posix\nposix_spawn", "V/bin/touch\n(lVtouch\naVcanary\na(d", ProgramForbidden},
	"kill":          {"posix\nkill", fmt.Sprintf("I%d\nI0\n", os.Getpid()), ProgramForbidden},
	"socket":        {"socket\nsocket", "", ProgramForbidden},
	"memfd":         {"posix\nmemfd_create", "Vx\n", ProgramForbidden},
	"unlink":        {"posix\nunlink", "Vcanary\n", ProgramForbidden},
	"mkdir":         {"posix\nmkdir", "Vcanary\n", ProgramForbidden},
	"open":          {"builtins\nopen", "V/etc/passwd\n", ProgramFailed},
	"open to write": {"builtins\nopen", "Vcanary\nVw\n", ProgramFailed},
	"late import":   {"builtins\n__import__", "Vantigravity\n", ProgramFailed},
	"thread":        {"_thread\nstart_new_thread", "cbuiltins\nprint\n(t", ProgramFailed},
}

func (p payload) pickle(canary string) string {
	return "c" + p.global + "\n(" + strings.ReplaceAll(p.args, "canary", canary) + "tR."
}

// TestProgramContainsPickles: what a pickle calls to start a process, to reach the network or another
// process kills the interpreter, what it opens is refused; the control run shows that each is live.
func TestProgramContainsPickles(t *testing.T) {
	for name, p := range payloads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			canary := filepath.Join(t.TempDir(), "canary")
			if name == "unlink" {
				if err := os.WriteFile(canary, []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before := exists(canary)
			imports := []string{"pickle", "subprocess", "socket", "os"}
			r, out, said := runs(t, Program{Source: unpickles, Imports: imports}, p.pickle(canary))
			if r.Outcome != p.want || strings.Contains(out, "loaded") || exists(canary) != before {
				t.Errorf("%+v, canary %v -> %v\n%s%s", r, before, exists(canary), out, said)
			}
			live, err := unconfined(t, p.pickle(canary))
			if exists(canary) == before && !strings.Contains(live, "loaded") {
				t.Errorf("control run: %s, %v", live, err)
			}
		})
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// unconfined is the control run: the same pickle in a Python without a sandbox.
func unconfined(t *testing.T, pickle string) (string, error) {
	t.Helper()
	file := openFile(t, pickle)
	program := "import os, sys\nINPUT = open(sys.argv[1], 'rb')\n" + unpickles + "\nsys.stdout.flush()\nos._exit(0)"
	cmd := exec.CommandContext(t.Context(), python, "-I", "-B", "-c", program, file.Descriptor.Name())
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// escapes are tried by code that already runs in the interpreter, by way of ctypes where Python has no
// function for it.
var escapes = map[string]struct {
	source string
	want   ProgramOutcome
}{
	"execute memory":      {"libc.mmap(None, 4096, 5, 0x22, -1, 0)", ProgramForbidden},
	"make executable":     {"libc.mprotect(ctypes.c_void_p(page), 4096, 5)", ProgramForbidden},
	"io_uring":            {"libc.syscall(425, 1, ctypes.create_string_buffer(120))", ProgramForbidden},
	"ptrace the parent":   {"libc.ptrace(0x4206, os.getppid(), None, None)", ProgramForbidden},
	"the parent's memory": {"libc.syscall(310, os.getppid(), None, 0, None, 0, 0)", ProgramForbidden},
	"another filter":      {"libc.syscall(317, 1, 0, None)", ProgramForbidden},
	"int 0x80 by x32":     {"libc.syscall(0x40000000 + 39)", ProgramForbidden},
	"raise a limit":       {"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))", ProgramForbidden},
	"map a file":          {"libc.mmap(None, 4096, 1, 2, INPUT.fileno(), 0)", ProgramForbidden},
	"share memory":        {"libc.mmap(None, 4096, 3, 0x21, -1, 0)", ProgramForbidden},
	"proc":                {"open('/proc/self/mem', 'r+b')", ProgramFailed},
	"proc by number":      {"open('/proc/%d/environ' % os.getppid())", ProgramFailed},
	"descriptors":         {"os.listdir('/proc/self/fd')", ProgramFailed},
	"unfilter":            {"exit(9 if libc.prctl(22, 0) else 8)", ProgramFailed},
	"write its input":     {"os.write(INPUT.fileno(), b'x')", ProgramFailed},
	"hold on to fd 3":     {"os.write(3, b'{}'); os.sendmsg", ProgramFailed},
	"memory":              {"x = bytearray(1 << 40)", ProgramFailed},
	"output":              {"OUTPUT.write(bytes(2 << 20)); OUTPUT.write(b'x')", ProgramFailed},
}

func TestProgramHolds(t *testing.T) {
	const head = "import ctypes, os, resource\nlibc = ctypes.CDLL(None)\npage = PAGE\n"
	for name, e := range escapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limits := ProgramLimits{Output: 1 << 20}
			output, err := memoryFile("result", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer output.Close()
			source := strings.Replace(head, "PAGE", "ctypes.addressof(ctypes.create_string_buffer(1)) & ~4095", 1) + e.source
			r, out, said := runs(t, Program{Source: source, Imports: []string{"ctypes", "resource"}, Limits: limits, Output: output}, "input")
			if r.Outcome != e.want || r.OutputBytes > limits.Output {
				t.Errorf("%+v\n%s%s", r, out, said)
			}
		})
	}
}

// TestProgramSecrets: neither the environment nor a file of this process is to be had inside.
func TestProgramSecrets(t *testing.T) {
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
	source := `import os
print(dict(os.environ))
for fd in range(256):
    try: print(fd, os.pread(fd, 100, 0))
    except OSError: pass`
	r, out, said := runs(t, Program{Source: source}, "the model")
	if r.Outcome != ProgramDone || strings.Contains(out, secret) || !strings.Contains(out, "the model") {
		t.Errorf("%+v\n%s%s", r, out, said)
	}
}

// TestHiddenByProc: who can't see the worker in /proc is told why nothing confirms its filter.
func TestHiddenByProc(t *testing.T) {
	if os.Getenv("SECURE_TORCH_TEST_HIDDEN") != "" {
		if d := Diagnose(t.Context(), Spec{}, false); d.OK || !strings.Contains(d.Problem, "hidepid") {
			t.Errorf("doctor: %+v", d)
		}
		if r, _, _ := runs(t, Program{Source: "print('ran')"}, ""); r.Outcome != ProgramRefused || !strings.Contains(r.Detail, "hidepid") {
			t.Errorf("program: %+v", r)
		}
		return
	}
	const hide = "mount -t proc -o hidepid=2 none /proc"
	if err := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", hide).Run(); err != nil {
		t.Skipf("/proc can't be mounted here: %v", err)
	}
	dir, err := os.MkdirTemp("", "hidden") // t.TempDir lies in a folder that others can't enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe := filepath.Join(dir, "sandbox.test")
	if err := errors.Join(copyFile(exe), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c",
		hide+` && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$0" -test.run '^TestHiddenByProc$' -test.v`, exe)
	cmd.Dir, cmd.Env = dir, []string{"PATH=/usr/bin:/bin", "TMPDIR=" + dir, "HOME=" + dir, "SECURE_TORCH_TEST_HIDDEN=1"}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestHiddenByProc") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestProgramIsRefused: without what it takes to confine it, a program is not run.
func TestProgramIsRefused(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, p := range map[string]Program{
		"too long":        {Source: "print('ran')" + strings.Repeat("\n", 1<<17)},
		"memory below 0":  {Source: "print('ran')", Limits: ProgramLimits{Memory: -1}},
		"output below 0":  {Source: "print('ran')", Limits: ProgramLimits{Output: -1}},
		"time below 0":    {Source: "print('ran')", Limits: ProgramLimits{Time: -1}},
		"no memfd":        {Source: "print('ran')", Output: file},
		"nothing to run":  {},
		"no such module":  {Source: "print('ran')", Imports: []string{"no_such_module_here"}},
		"bad profile":     {Source: "print('ran')", Profile: []byte(`{"defaultAction":"SCMP_ACT_ALLOW"}`)},
		"syntax":          {Source: "print('ran'"},
		"relative folder": {Source: "print('ran')", Paths: []string{"here"}},
	} {
		r, out, _ := runs(t, p, "x")
		if r.Outcome != ProgramRefused || r.Detail == "" || strings.Contains(out, "ran") {
			t.Errorf("%s: %+v\n%s", name, r, out)
		}
	}
	if r, err := RunProgram(t.Context(), Program{Python: python, Source: "INPUT.raw.write(b'x')", Input: file}); err == nil || r.Outcome != ProgramRefused {
		t.Errorf("an input that can be written: %+v, %v", r, err)
	}
	if r, err := RunProgram(t.Context(), Program{Python: "/bin/true", Source: "pass"}); err == nil || r.Outcome != ProgramRefused {
		t.Errorf("no Python: %+v, %v", r, err)
	}
}

// TestProgramProfile: a profile adds what is on the list, and the report names it.
func TestProgramProfile(t *testing.T) {
	source := "import resource\nprint(resource.getrusage(0) is not None)"
	if r, _, _ := runs(t, Program{Source: source, Imports: []string{"resource"}}, ""); r.Outcome != ProgramForbidden {
		t.Errorf("control: %+v", r)
	}
	text := []byte(`{"defaultAction":"SCMP_ACT_KILL_PROCESS","syscalls":[{"names":["getrusage"],"action":"SCMP_ACT_ALLOW"}]}`)
	r, out, said := runs(t, Program{Source: source, Imports: []string{"resource"}, Profile: text}, "")
	if r.Outcome != ProgramDone || len(r.Profile.Added) != 1 || r.Profile.Name != "custom" {
		t.Errorf("%+v\n%s%s", r, out, said)
	}
}

// TestProgramIsTooLateToBegin: what had no time to start is out of time, like what ran too long.
func TestProgramIsTooLateToBegin(t *testing.T) {
	for range 5 {
		r, out, _ := runs(t, Program{Source: "print('ran')", Limits: ProgramLimits{Time: time.Nanosecond}}, "")
		if r.Outcome != ProgramTimedOut || out != "" || !strings.HasSuffix(r.Detail, "before the program began") {
			t.Errorf("%+v %q", r, out)
		}
	}
}

func TestProgramIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(500*time.Millisecond, cancel)
	r, err := RunProgram(ctx, Program{Python: python, Source: "while True: pass"})
	if r.Outcome == ProgramDone || r.Outcome == ProgramFailed {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestProgramLeavesNothing: programs that end in every way leave no descriptor and no goroutine behind.
func TestProgramLeavesNothing(t *testing.T) {
	sources := []string{"pass", "import os; os.fork()", "raise SystemExit(3)", "print('x' * 3_000_000)"}
	if r, _, said := runs(t, Program{Source: sources[0]}, ""); r.Outcome != ProgramDone { // what is made once is made now
		t.Fatal(r, said)
	}
	files, routines := openDescriptors(t), runtime.NumGoroutine()
	for range long(1, 50) {
		for i, source := range sources {
			limits := ProgramLimits{}
			r, out, _ := runs(t, Program{Source: source, Limits: limits}, "")
			if r.Outcome == ProgramRefused || len(out) > maxSpoken {
				t.Errorf("%d: %+v, %d bytes", i, r, len(out))
			}
		}
	}
	if got := openDescriptors(t); got > files {
		t.Errorf("%d descriptors became %d", files, got)
	}
	if got := runtime.NumGoroutine(); got > routines+2 {
		t.Errorf("%d goroutines became %d", routines, got)
	}
}

// TestProgramSeesNoSwap: a script or a folder that is a link is what it was when the rules were made; what it
// is turned into later can't be read.
func TestProgramSeesNoSwap(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"real/harmless_module.py": "x = 1", "secret/secret.py": "x = 'canary-of-secure-torch'"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "real"), link); err != nil {
		t.Fatal(err)
	}
	// The module itself swaps the link for one to a folder that no rule speaks of, and wants to read there.
	swap := fmt.Sprintf("import os\ntry:\n os.unlink(%[1]q); os.symlink(%[2]q, %[1]q)\nexcept OSError: pass\nprint(open(%[3]q).read())", link, filepath.Join(dir, "secret"), filepath.Join(dir, "secret", "secret.py"))
	if err := os.WriteFile(filepath.Join(dir, "real", "harmless_module.py"), []byte(swap), 0o600); err != nil {
		t.Fatal(err)
	}
	r, out, said := runs(t, Program{Source: "import harmless_module", Imports: []string{"harmless_module"}, Paths: []string{link}}, "")
	if r.Outcome != ProgramRefused || strings.Contains(out+said, "canary") || !strings.Contains(r.Detail, "Permission") {
		t.Errorf("%+v\n%s%s", r, out, said)
	}
}
