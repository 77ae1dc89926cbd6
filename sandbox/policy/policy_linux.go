// Package policy is the one table of what a confined process may ask of the kernel. Two back ends
// turn it into a filter: libseccomp, and package bpf where there is no C compiler.
package policy

import (
	"cmp"
	"slices"

	"golang.org/x/sys/unix"
)

// Entry is one line of a filter. A system call without an entry kills the process.
type Entry struct {
	Name string
	// Errno is what the call answers instead of being made; 0 lets it through.
	Errno uint16
	// When holds the conditions that must all be met; a call that does not meet them kills.
	When []Condition
}

// Condition on one argument: argument & Mask == Value.
type Condition struct {
	Arg         uint
	Mask, Value uint64
}

const (
	threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD
	// namespaceFlags would give the new task another view of the system, or a tracer.
	namespaceFlags = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER |
		unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_PTRACE | unix.CLONE_VFORK | unix.CLONE_PARENT
)

// Flags of mmap that must not be there: MAP_GROWSDOWN makes memory a stack, which RLIMIT_DATA does not count.
const (
	ownMemoryMask = unix.MAP_ANONYMOUS | unix.MAP_SHARED | unix.MAP_GROWSDOWN
	ownMemory     = unix.MAP_ANONYMOUS
)

// advise lets the advice through that C libraries and the Go runtime give: what came up to now has small numbers, and
// guard pages. Numbers 100 and 101 take pages of the machine out of use, where root asks for it.
func advise() []Entry {
	return slices.Concat(
		allowWhen([]Condition{{Arg: 2, Mask: 1<<32 - 1 - 31, Value: 0}}, "madvise"),
		allowWhen([]Condition{{Arg: 2, Mask: 1<<32 - 1 - 1, Value: 102}}, "madvise"), // MADV_GUARD_INSTALL, MADV_GUARD_REMOVE
	)
}

// low is a mask of an int argument but for the bits in spare: what lies above it in the register means nothing.
func low(spare uint64) uint64 { return 1<<32 - 1 - spare }

// clocks lets clocks of the machine and of the process through. A number below zero names the processor time of any
// process there is, to the nanosecond: it tells what others do, and when.
func clocks(names ...string) []Entry {
	return allowWhen([]Condition{{Arg: 0, Mask: low(31), Value: 0}}, names...)
}

// locks lets threads wait for each other. Left out are the operations that lend a priority: they look for the owner among
// the threads of the whole machine, and the kernel's part of them has been a way out before (CVE-2014-3153).
func locks() []Entry {
	const how = 128 | 256 // FUTEX_PRIVATE_FLAG, FUTEX_CLOCK_REALTIME
	return slices.Concat(
		allowWhen([]Condition{{Arg: 1, Mask: low(how | 3), Value: 0}}, "futex"), // WAIT, WAKE, FD, REQUEUE
		allowWhen([]Condition{{Arg: 1, Mask: low(how | 1), Value: 4}}, "futex"), // CMP_REQUEUE, WAKE_OP
		allowWhen([]Condition{{Arg: 1, Mask: low(how), Value: 9}}, "futex"),     // WAIT_BITSET
		allowWhen([]Condition{{Arg: 1, Mask: low(how), Value: 10}}, "futex"),    // WAKE_BITSET
	)
}

// ownAffinity asks where this thread may run, not another process's.
func ownAffinity() []Entry {
	return allowWhen([]Condition{{Arg: 0, Mask: low(0), Value: 0}}, "sched_getaffinity")
}

// Worker is what a Go program needs that reads open descriptors, computes and answers on an
// open socket. Nothing in it opens, connects, starts a program or makes memory executable.
func Worker() []Entry {
	noExec := Condition{Arg: 2, Mask: unix.PROT_EXEC, Value: 0}
	all := slices.Concat(
		allow("read", "pread64", "write", "close", "recvmsg", "sendmsg"), // the files and the socket
		allow("munmap", "brk"), advise(), // memory
		locks(), allow("sched_yield", "nanosleep"), clocks("clock_nanosleep", "clock_gettime"), // the scheduler
		allow("epoll_pwait", "restart_syscall", "gettid", "getpid", "getrandom"), // timers, identity, seeds
		allow("rt_sigprocmask", "rt_sigreturn", "rt_sigaction", "sigaltstack"),   // signals of its own
		allow("set_robust_list", "rseq", "exit", "exit_group"), ownAffinity(),    // C library's threads, and the end
		[]Entry{
			// Memory of its own: no file and nothing shared. MAP_PRIVATE is not asked for, since the
			// runtime's random numbers live in MAP_DROPPABLE memory from Linux 6.11 on.
			{Name: "mmap", When: []Condition{noExec, {Arg: 3, Mask: ownMemoryMask, Value: ownMemory}}},
			{Name: "mprotect", When: []Condition{noExec}},
			{Name: "clone", When: []Condition{{Arg: 0, Mask: threadFlags | namespaceFlags, Value: threadFlags}}},
			{Name: "tgkill", When: []Condition{{Arg: 0, Mask: ^uint64(0), Value: uint64(unix.Getpid())}}}, // preempts own threads
			{Name: "clone3", Errno: uint16(unix.ENOSYS)},                                                  // the C library falls back to clone, whose flags can be seen
			{Name: "openat", Errno: uint16(unix.EPERM)},                                                   // its allocator asks for the number of CPUs
			{Name: "mremap", Errno: uint16(unix.ENOMEM)},                                                  // a stack that grows so is not counted; the C library copies instead
			{Name: "prctl", Errno: uint16(unix.EPERM)},                                                    // its allocator names its memory
		},
	)
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func allow(names ...string) []Entry {
	out := make([]Entry, len(names))
	for i, name := range names {
		out[i].Name = name
	}
	return out
}

// Calls counts the system calls that a list speaks of.
func Calls(entries []Entry) int {
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name] = true
	}
	return len(names)
}
