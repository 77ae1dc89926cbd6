package policy

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Coarse is what a program that is trusted, an interpreter while it imports installed modules, is not
// let do. It is the only table that lists what is refused: whatever is not on it goes through.
func Coarse() []Entry {
	return slices.Concat(
		refuse(unix.EPERM, "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmmsg"),
		refuse(unix.EPERM, "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "kcmp"),
		refuse(unix.EPERM, "kill", "tkill", "setpriority", "ioprio_set"),
		refuse(unix.EPERM, "io_uring_setup", "io_uring_enter", "io_uring_register", "bpf", "perf_event_open", "userfaultfd"),
		refuse(unix.EPERM, "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "open_tree", "move_mount", "fsopen", "fsmount", "fspick", "mount_setattr"),
		refuse(unix.EPERM, "init_module", "finit_module", "delete_module", "kexec_load", "reboot", "swapon", "swapoff", "acct", "quotactl"),
		refuse(unix.EPERM, "keyctl", "add_key", "request_key", "personality", "syslog", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname"),
		refuse(unix.EPERM, "open_by_handle_at", "name_to_handle_at", "fanotify_init", "lookup_dcookie", "vhangup"),
		// What Landlock does not speak of: whose a file is, who may use it, and when it was changed.
		refuse(unix.EPERM, "fchmod", "fchmodat", "fchown", "fchownat", "utimensat", "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
		refuse(unix.EPERM, legacyOwners...),
		refuse(unix.EPERM, legacyForks...),
		[]Entry{
			{Name: "clone", Errno: uint16(unix.EPERM), When: []Condition{{Arg: 0, Mask: unix.CLONE_THREAD, Value: 0}}},
			{Name: "clone3", Errno: uint16(unix.ENOSYS)}, // its flags lie in memory, where a filter can't see them
		},
	)
}

// Python is what an interpreter needs that has imported its modules and now runs a hostile pickle over
// open descriptors: memory, reading, writing and seeking in what is open. What Python code tries all the
// time, and copes with not getting, is answered with an error; whatever else is not listed kills, above
// all every way to start a process: a call that merely fails goes unnoticed, and the pickle "loads".
func Python() []Entry {
	noExec := Condition{Arg: 2, Mask: unix.PROT_EXEC, Value: 0}
	return slices.Concat(
		allow("read", "pread64", "readv", "write", "pwrite64", "writev", "lseek", "close", "fstat", "recvmsg", "sendmsg"),
		allow("munmap", "brk"), advise(),
		locks(), allow("sched_yield", "nanosleep", "gettimeofday"), clocks("clock_nanosleep", "clock_gettime", "clock_getres"),
		allow(legacyClock...),
		allow("rt_sigprocmask", "rt_sigreturn", "rt_sigaction", "sigaltstack", "restart_syscall"),
		allow("gettid", "getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "uname", "getrandom", "getcwd", "set_robust_list", "rseq"),
		allow("exit", "exit_group"), ownAffinity(),
		allowWhen([]Condition{noExec, {Arg: 3, Mask: ownMemoryMask, Value: ownMemory}}, "mmap"),
		allowWhen([]Condition{noExec}, "mprotect"),
		allowWhen([]Condition{{Arg: 0, Mask: ^uint64(0), Value: 0}, {Arg: 2, Mask: ^uint64(0), Value: 0}}, "prlimit64"), // one's own limits, read only
		// A late import looks for files: it does not find them.
		refuse(unix.EACCES, "openat", "openat2", "statx", "readlinkat", "faccessat", "faccessat2", "getdents64", "statfs"),
		refuse(unix.EACCES, legacyFiles...),
		refuse(unix.EPERM, "prctl", "fcntl", "dup", "sched_setaffinity", "sched_getaffinity", "mlock"), // another thread's affinity
		refuse(unix.ENOTTY, "ioctl"),
		refuse(unix.ENOMEM, "mremap"), // see Worker
		[]Entry{
			{Name: "clone", Errno: uint16(unix.EAGAIN), When: []Condition{{Arg: 0, Mask: threadFlags, Value: threadFlags}}}, // no threads
			{Name: "clone3", Errno: uint16(unix.ENOSYS)},
		},
	)
}

// Addable are the calls that a profile may add to Python, each with the conditions under which it is
// then let through. None of them opens, connects, starts a program, reaches another process or makes
// memory executable.
func Addable() []Entry {
	threads := Condition{Arg: 0, Mask: threadFlags | namespaceFlags, Value: threadFlags}
	return slices.Concat(
		allow("getrusage", "times", "sysinfo", "getcpu", "getpriority", "getgroups", "getresuid", "getresgid", "getsid", "getpgid"),
		allow(legacyAddable...),
		allow("sched_getparam", "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min", "get_mempolicy", "membarrier", "mincore"),
		allow("preadv", "preadv2", "pwritev", "fadvise64", "fsync", "fdatasync", "ftruncate"),
		allow("ppoll", "pselect6", "epoll_create1", "epoll_ctl", "epoll_pwait", "eventfd2", "timerfd_create", "timerfd_settime"),
		allow("getitimer", "setitimer", "rt_sigpending", "rt_sigtimedwait"),
		allowWhen([]Condition{threads}, "clone"),
		allowWhen([]Condition{{Arg: 0, Mask: 1<<32 - 1, Value: unix.PR_SET_NAME}}, "prctl"),
	)
}

func refuse(with unix.Errno, names ...string) []Entry {
	out := allow(names...)
	for i := range out {
		out[i].Errno = uint16(with)
	}
	return out
}

func allowWhen(when []Condition, names ...string) []Entry {
	out := allow(names...)
	for i := range out {
		out[i].When = when
	}
	return out
}
