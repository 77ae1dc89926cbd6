package sandbox

import (
	"cmp"
	"slices"

	"golang.org/x/sys/unix"
)

// entry is one line of a filter. A system call without an entry kills the process.
type entry struct {
	name string
	// errno is what the call answers instead of being made; 0 lets it through.
	errno uint16
	// when holds the conditions that must all be met; a call that does not meet them kills.
	when []condition
}

// condition on one argument: argument & mask == value.
type condition struct {
	arg         uint
	mask, value uint64
}

const (
	threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD
	// namespaceFlags would give the new task another view of the system, or a tracer.
	namespaceFlags = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER |
		unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_PTRACE | unix.CLONE_VFORK | unix.CLONE_PARENT
	ownMemory = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS
)

// workerPolicy is what a Go program needs that reads open descriptors, computes and answers on an
// open socket. Nothing in it opens, connects, starts a program or makes memory executable.
func workerPolicy() []entry {
	noExec := condition{arg: 2, mask: unix.PROT_EXEC, value: 0}
	all := slices.Concat(
		allow("read", "pread64", "write", "close", "recvmsg", "sendmsg"),               // the files and the socket
		allow("munmap", "madvise", "brk", "mremap"),                                    // memory
		allow("futex", "sched_yield", "nanosleep", "clock_nanosleep", "clock_gettime"), // the scheduler
		allow("epoll_pwait", "restart_syscall", "gettid", "getpid", "getrandom"),       // timers, identity, seeds
		allow("rt_sigprocmask", "rt_sigreturn", "rt_sigaction", "sigaltstack"),         // signals of its own
		allow("set_robust_list", "rseq", "sched_getaffinity", "exit", "exit_group"),    // C library's threads, and the end
		[]entry{
			{name: "mmap", when: []condition{noExec, {arg: 3, mask: ownMemory, value: ownMemory}}},
			{name: "mprotect", when: []condition{noExec}},
			{name: "clone", when: []condition{{arg: 0, mask: threadFlags | namespaceFlags, value: threadFlags}}},
			{name: "tgkill", when: []condition{{arg: 0, mask: ^uint64(0), value: uint64(unix.Getpid())}}}, // preempts own threads
			{name: "clone3", errno: uint16(unix.ENOSYS)},                                                  // the C library falls back to clone, whose flags can be seen
			{name: "openat", errno: uint16(unix.EPERM)},                                                   // its allocator asks for the number of CPUs
			{name: "prctl", errno: uint16(unix.EPERM)},                                                    // its allocator names its memory
		},
	)
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return all
}

func allow(names ...string) []entry {
	out := make([]entry, len(names))
	for i, name := range names {
		out[i].name = name
	}
	return out
}
