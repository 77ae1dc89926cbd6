//go:build linux && amd64

package sandbox

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// fatal are ways out that a program in the interpreter tries by the call itself. Each kills it.
var fatal = map[string]string{
	"clone a process":          syscallText(unix.SYS_CLONE, uint64(unix.SIGCHLD), 0, 0, 0, 0),
	"clone a traced thread":    syscallText(unix.SYS_CLONE, unix.CLONE_PTRACE|uint64(unix.SIGCHLD), 0, 0, 0, 0),
	"execute its output":       "OUTPUT.write(b'#!/bin/sh\\n'); libc.syscall(322, 5, b'', None, None, 0x1000)",
	"unshare":                  syscallText(unix.SYS_UNSHARE, unix.CLONE_NEWUSER),
	"enter the parent's":       syscallText(unix.SYS_SETNS, 3, 0),
	"chroot":                   "libc.chroot(b'/')",
	"a mount":                  syscallText(unix.SYS_FSOPEN, 0, 0),
	"keys":                     syscallText(unix.SYS_KEYCTL, 0, 0xfffffffd, 0, 0, 0),
	"kill the parent's thread": fmt.Sprintf("libc.syscall(%d, os.getppid(), os.getppid(), 0)", unix.SYS_TGKILL),
	"queue a signal":           fmt.Sprintf("libc.syscall(%d, os.getppid(), 0, ctypes.create_string_buffer(128))", unix.SYS_RT_SIGQUEUEINFO),
	"the parent's clock":       fmt.Sprintf("libc.syscall(%d, ctypes.c_long(~os.getppid() << 3 | 2), ctypes.create_string_buffer(16))", unix.SYS_CLOCK_GETTIME),
	"sleep by another's clock": fmt.Sprintf("libc.syscall(%d, ctypes.c_long(~os.getppid() << 3 | 2), 1, ctypes.create_string_buffer(16), None)", unix.SYS_CLOCK_NANOSLEEP),
	"a lock lending priority":  syscallText(unix.SYS_FUTEX, 0, 6, 0, 0),
	"hold the parent":          fmt.Sprintf("libc.syscall(%d, os.getppid(), 0)", unix.SYS_PIDFD_OPEN),
	"the parent's limits":      fmt.Sprintf("libc.syscall(%d, os.getppid(), 7, None, None)", unix.SYS_PRLIMIT64),
	"its own limits":           fmt.Sprintf("libc.syscall(%d, 0, 7, ctypes.create_string_buffer(16), None)", unix.SYS_PRLIMIT64),
	"asynchronous reads":       fmt.Sprintf("libc.syscall(%d, 8, ctypes.create_string_buffer(8))", unix.SYS_IO_SETUP),
	"shared memory":            syscallText(unix.SYS_SHMGET, 0, 4096, 0o1600),
	"a message queue":          syscallText(unix.SYS_MSGGET, 1, 0),
	"a session":                "os.setsid()",
	"another user":             "os.setuid(0)",
	"personality":              syscallText(unix.SYS_PERSONALITY, 0x0400000),
	"segments":                 syscallText(unix.SYS_MODIFY_LDT, 0, 0, 0),
	"move pages into a pipe":   syscallText(unix.SYS_VMSPLICE, 1, 0, 0, 0),
	"copy its input":           syscallText(unix.SYS_COPY_FILE_RANGE, 6, 0, 5, 0, 1, 0),
	"send its input":           syscallText(unix.SYS_SENDFILE, 1, 6, 0, 1),
	"cut its output":           "os.ftruncate(5, 0)",
	"pages out of use":         "libc.madvise(ctypes.c_void_p(page), 4096, 101)",
	"a stack without a limit":  "libc.mmap(None, 20 << 30, 3, 0x122, -1, 0)",
	"handle its own death":     "import signal; signal.signal(signal.SIGSYS, signal.SIG_IGN); os.fork()",
	"fork while it is torn":    "import sys; sys.setrecursionlimit(99)\nclass A:\n    def __del__(self): os.fork()\nx = A(); del x",
}

func syscallText(number uintptr, args ...uint64) string {
	text := fmt.Sprintf("libc.syscall(%d", number)
	for _, a := range args {
		text += fmt.Sprintf(", ctypes.c_ulong(%d)", a)
	}
	return text + ")"
}

const escapeHead = `import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]
page = ctypes.addressof(ctypes.create_string_buffer(1)) & ~4095
`

func TestProgramDiesOfEscapes(t *testing.T) {
	for name, source := range fatal {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			output, err := NewOutput()
			if err != nil {
				t.Fatal(err)
			}
			defer output.Close()
			r, out, said := runs(t, Program{Source: escapeHead + source + "\nprint('alive')", Imports: []string{"ctypes", "signal"}, Output: output}, "input")
			if r.Outcome != ProgramForbidden || strings.Contains(out, "alive") {
				t.Errorf("%+v\n%s%s", r, out, said)
			}
		})
	}
}

// refusals are ways out that are answered with an error, for harmless code tries some of them. Each is an
// expression that is true when the attempt came to nothing.
var refusals = []string{
	// other descriptors and memory
	"fails(lambda: open('/proc/self/mem', 'r+b'))", "fails(lambda: open('/proc/self/maps'))", "fails(lambda: open('/dev/shm/x', 'w'))",
	"fails(lambda: open('/proc/self/fd/5', 'r+b'))", "fails(lambda: os.open('/', os.O_RDONLY | os.O_PATH))", "fails(lambda: os.readlink('/proc/self/exe'))",
	"fails(lambda: os.dup(5))", "fails(lambda: os.stat('/'))",
	"libc.fcntl(5, 1033, 15) == -1",                                      // seals: what is sealed too early can't be written, and is no harm; it is refused all the same
	"libc.fcntl(3, 8, os.getppid()) == -1", "libc.fcntl(3, 10, 9) == -1", // a signal for somebody else
	"libc.syscall(204, os.getppid(), 128, ctypes.create_string_buffer(128)) == -1", // sched_getaffinity
	"libc.ioctl(1, 0x5412, b'x') == -1", "libc.ioctl(3, 0x8901, ctypes.byref(ctypes.c_int(os.getppid()))) == -1",
	// memory beyond the limit
	"libc.mmap(None, 20 << 30, 3, 0x22, -1, 0) == FAILED", "libc.mmap(None, 1 << 45, 1, 0x4022, -1, 0) == FAILED", "libc.mremap(stack, 4096, 20 << 30, 1) == FAILED",
	// threads, and what is left of prctl
	"fails(lambda: threading.Thread(target=print).start())", "libc.syscall(56, 0x10010f00, 0, 0, 0, 0) == -1", "libc.syscall(435, None, 0) == -1",
	"libc.prctl(4, 1, 0, 0, 0) == -1", "libc.prctl(1, 0, 0, 0, 0) == -1", "libc.prctl(35, 1, 0, 0, 0) == -1", "libc.prctl(59, 1, 0, 0, 0) == -1",
}

// TestProgramIsRefusedEscapes: nothing of refusals comes to anything, and what it sends to the parent is not taken.
func TestProgramIsRefusedEscapes(t *testing.T) {
	source := escapeHead + `import array, socket, sys, threading
FAILED = ctypes.c_void_p(-1).value
def fails(f):
    try: f()
    except (OSError, RuntimeError): return True
    return False
stack = ctypes.c_void_p.in_dll(libc, "program_invocation_name").value & ~4095
control = sys._getframe().f_back.f_locals["control"]  # boot's own
for i in range(1000):  # a flood, with descriptors
    try: control.sendmsg([b'{"ready": true}' * 100], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2, 3, 5]))], socket.MSG_DONTWAIT)
    except OSError: break
`
	for i, r := range refusals {
		source += fmt.Sprintf("print(%d, bool(%s))\n", i, r)
	}
	if r, _, said := runs(t, Program{Source: "pass"}, ""); r.Outcome != ProgramDone { // what is made once is made now
		t.Fatal(r, said)
	}
	before := openDescriptors(t)
	r, out, said := runs(t, Program{Source: source, Imports: []string{"ctypes", "signal", "array", "threading", "socket"}}, "input")
	if r.Outcome != ProgramDone || strings.Contains(out, "False") || strings.Count(out, "True") != len(refusals) {
		t.Errorf("%+v\n%s%s", r, out, said)
		for i, r := range refusals {
			if !strings.Contains(out, fmt.Sprintf("%d True\n", i)) {
				t.Errorf("%d: %s", i, r)
			}
		}
	}
	if after := openDescriptors(t); after > before+1 { // the input
		t.Errorf("%d descriptors became %d", before, after)
	}
}

// TestProgramSpins: one that never ends is ended, when it is known to have begun.
func TestProgramSpins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := RunProgram(ctx, Program{Python: python, Source: "print('begun', flush=True)\nwhile True: pass", Stdout: onWrite(cancel)})
	if err != nil || r.Outcome != ProgramTimedOut {
		t.Errorf("%+v, %v", r, err)
	}
}

// onWrite is called for what is written to it.
type onWrite func()

func (f onWrite) Write(p []byte) (int, error) { f(); return len(p), nil }

// TestProgramKeepsNoRights: root's rights are gone in a worker and in an interpreter.
func TestProgramKeepsNoRights(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root has any; TestAsNobody runs without")
	}
	w := start(t, Spec{})
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.cmd.Process.Pid))
	if err != nil || statusField(text, "CapPrm") != "0000000000000000" || statusField(text, "CapEff") != "0000000000000000" {
		t.Errorf("%v\n%s", err, text)
	}
	source := "import ctypes, struct\nhas = ctypes.create_string_buffer(24)\nctypes.CDLL(None).capget(struct.pack('<Ii', 0x20080522, 0), has)\nprint(*struct.unpack('<6I', has))"
	text = []byte(`{"defaultAction":"SCMP_ACT_KILL_PROCESS","syscalls":[{"names":["capget"],"action":"SCMP_ACT_ALLOW"}]}`)
	if r, _, _ := runs(t, Program{Source: source, Imports: []string{"ctypes", "struct"}, Profile: text}, ""); r.Outcome != ProgramRefused {
		t.Errorf("a profile may add capget: %+v", r)
	}
}
