package sandbox

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownExecutable names this process's executable so that replacing it on disk does not matter.
func ownExecutable() (string, error) {
	const self = "/proc/self/exe"
	if _, err := os.Lstat(self); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoProc, err)
	}
	return self, nil
}

// rootDir is the worker's working directory.
func rootDir() string { return "/" }

// workerEnv is a worker's whole environment: no token, no path, no proxy.
func workerEnv(procs int) []string {
	return []string{"GOTRACEBACK=none", "GOMAXPROCS=" + strconv.Itoa(procs)}
}

// processAttributes put the worker into a group of its own, out of reach of the terminal's Ctrl-C,
// and let it die with its parent.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// connect starts cmd with a transport to it.
func connect(cmd *exec.Cmd, spec Spec) (conn, error) {
	shieldDescriptors()
	boundStacks()
	if spec.Stream || spec.Mode == Wasm {
		return launchStream(cmd, spec)
	}
	return launchPacket(cmd)
}

// threadStack is what a thread of the C library gets by default, in bytes.
const threadStack = 8 << 20

// boundStacks lets processes that are started from here have stacks as everywhere. The C library gives each thread one as
// large as this limit, and they count as memory: with 200 MB each a worker would have room for five.
func boundStacks() {
	var now unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_STACK, &now) == nil && now.Cur > threadStack {
		_ = unix.Setrlimit(unix.RLIMIT_STACK, &unix.Rlimit{Cur: threadStack, Max: now.Max}) // lowering is always allowed
	}
}

// launchPacket starts a worker whose descriptor 3 is the transport.
func launchPacket(cmd *exec.Cmd) (conn, error) {
	parent, child, err := packetPair()
	if err != nil {
		return nil, err
	}
	defer child.Close()
	cmd.Args = append(cmd.Args, transportDescriptor)
	cmd.ExtraFiles = []*os.File{child}
	if err := cmd.Start(); err != nil {
		parent.Close()
		return nil, err
	}
	return parent, nil
}

// killedBy names the signal that ended a process, and tells whether the filter sent it.
func killedBy(state *os.ProcessState) (name string, forbidden bool) {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return "", false
	}
	return unix.SignalName(status.Signal()), status.Signal() == unix.SIGSYS
}

// resident is the memory of the worker that lies in RAM, in bytes; 0 if nobody knows.
func (w *Worker) resident() int64 { return residentOf(w.cmd.Process.Pid) }

func residentOf(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// shieldDescriptors marks every descriptor of this process close-on-exec: those it was started with
// are not, and a worker would inherit them. It is the parent's to do, for in a worker the runtime has
// descriptors of its own.
func shieldDescriptors() {
	if unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	entries, err := os.ReadDir("/proc/self/fd") // a kernel before 5.11
	if err != nil {
		return
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}
