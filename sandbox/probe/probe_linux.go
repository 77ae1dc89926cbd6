// Package probe makes the system calls that a confined worker must not be able to make, one at a
// time and on purpose. Claims about a sandbox come from these, never from feature flags.
//
// Every probe is harmless where nothing stops it: that run, without a sandbox, shows that the probe
// does reach the kernel.
package probe

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Probe is one call.
type Probe struct {
	Name string
	// Live marks the ones that `doctor` makes: one for each way out.
	Live bool
	// Alone marks one that cannot be tried without a sandbox: it would end or upset the process.
	Alone bool
	// Do makes the call. It returns 0 when the kernel made it.
	Do func(Env) unix.Errno
}

// Env is what a probe may aim at.
type Env struct {
	Parent int // process that must be out of reach
	File   int // descriptor open for reading only; -1 for none
}

// All returns every probe of this architecture.
func All() []Probe { return append(portable(), native()...) }

// Outcome of a probe that returned.
func Outcome(errno unix.Errno) string {
	if errno == 0 {
		return "allowed"
	}
	if name := unix.ErrnoName(errno); name != "" {
		return name
	}
	return fmt.Sprintf("errno %d", int(errno))
}

// Run makes the named probe's call.
func Run(name string, env Env) (string, error) {
	for _, p := range All() {
		if p.Name == name {
			return Outcome(p.Do(env)), nil
		}
	}
	return "", fmt.Errorf("no probe is called %q", name)
}

// Texts that calls point to. They stay where they are.
var (
	passwd  = []byte("/etc/passwd\x00")
	nowhere = []byte("/nonexistent/secure-torch\x00")
	root    = []byte("/\x00")
	program = []byte("/bin/true\x00")
	label   = []byte("probe\x00")
	noTime  [16]byte
	scratch [4096]byte
)

func at(b []byte) uintptr { return uintptr(unsafe.Pointer(&b[0])) }

// call makes a system call, and nothing else.
func call(number uintptr, args ...uintptr) unix.Errno {
	var a [6]uintptr
	copy(a[:], args)
	_, _, errno := unix.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
	return errno
}

// task starts a new process, which ends at once where it comes into being.
func task(number uintptr, args ...uintptr) unix.Errno {
	var a [2]uintptr
	copy(a[:], args)
	child, _, errno := unix.RawSyscall(number, a[0], a[1], 0)
	if errno == 0 && child == 0 {
		_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	if errno == 0 {
		_, _ = unix.Wait4(int(child), nil, 0, nil) // a control run leaves no zombie
	}
	return errno
}

func one(name string, number uintptr, args ...uintptr) Probe {
	return Probe{Name: name, Do: func(Env) unix.Errno { return call(number, args...) }}
}

func live(p Probe) Probe { p.Live = true; return p }

func alone(p Probe) Probe { p.Alone = true; return p }

func withEnv(name string, do func(Env) unix.Errno) Probe { return Probe{Name: name, Do: do} }

const nobody = ^uintptr(0) // -1

// softOffline is MADV_SOFT_OFFLINE, which takes pages of the machine out of use; no length, so it takes none.
const softOffline = 101

// futexUnlockPI is FUTEX_UNLOCK_PI of a lock that nobody holds: EPERM.
const futexUnlockPI = 7

// processorTime is the clock of a process's processor time (clock_getcpuclockid(3)).
func processorTime(pid int) uintptr { return uintptr(^pid<<3 | 2) }

// affinity asks for a process's; the call answers with a size where it succeeds.
func affinity(pid int) unix.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_SCHED_GETAFFINITY, uintptr(pid), uintptr(len(scratch)), at(scratch[:]))
	return errno
}

func portable() []Probe {
	cwd := uintptr(unix.AT_FDCWD & (1<<64 - 1))
	anonymous := uintptr(unix.MAP_PRIVATE | unix.MAP_ANONYMOUS)
	return []Probe{
		// programs and processes
		live(alone(one("execve", unix.SYS_EXECVE, at(program), 0, 0))),
		alone(one("execveat", unix.SYS_EXECVEAT, cwd, at(program), 0, 0, 0)),
		{Name: "clone process", Live: true, Do: func(Env) unix.Errno { return task(unix.SYS_CLONE, uintptr(unix.SIGCHLD)) }},
		{Name: "clone user namespace", Do: func(Env) unix.Errno { return task(unix.SYS_CLONE, unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD)) }},
		one("clone3", unix.SYS_CLONE3, at(scratch[:]), 8),
		one("unshare", unix.SYS_UNSHARE, unix.CLONE_FS),
		one("setns", unix.SYS_SETNS, nobody, 0),
		// other processes
		live(withEnv("ptrace the parent", func(e Env) unix.Errno { return call(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(e.Parent), 0, 0) })),
		one("ptrace traceme", unix.SYS_PTRACE, unix.PTRACE_PEEKDATA, 1, 0, 0),
		withEnv("process_vm_readv", func(e Env) unix.Errno { return call(unix.SYS_PROCESS_VM_READV, uintptr(e.Parent), 0, 0, 0, 0, 0) }),
		withEnv("process_vm_writev", func(e Env) unix.Errno { return call(unix.SYS_PROCESS_VM_WRITEV, uintptr(e.Parent), 0, 0, 0, 0, 0) }),
		one("process_madvise", unix.SYS_PROCESS_MADVISE, nobody, 0, 0, 0, 0),
		live(withEnv("kill the parent", func(e Env) unix.Errno { return call(unix.SYS_KILL, uintptr(e.Parent), 0) })),
		withEnv("tgkill the parent", func(e Env) unix.Errno { return call(unix.SYS_TGKILL, uintptr(e.Parent), uintptr(e.Parent), 0) }),
		withEnv("tkill the parent", func(e Env) unix.Errno { return call(unix.SYS_TKILL, uintptr(e.Parent), 0) }),
		withEnv("pidfd_open", func(e Env) unix.Errno { return call(unix.SYS_PIDFD_OPEN, uintptr(e.Parent), 0) }),
		one("pidfd_getfd", unix.SYS_PIDFD_GETFD, nobody, 0, 0),
		one("pidfd_send_signal", unix.SYS_PIDFD_SEND_SIGNAL, nobody, 0, 0, 0),
		withEnv("kcmp", func(e Env) unix.Errno { return call(unix.SYS_KCMP, uintptr(e.Parent), uintptr(e.Parent), 0, 0, 0) }),
		withEnv("prlimit64", func(e Env) unix.Errno {
			return call(unix.SYS_PRLIMIT64, uintptr(e.Parent), unix.RLIMIT_NOFILE, 0, at(scratch[:]))
		}),
		withEnv("clock of the parent", func(e Env) unix.Errno { return call(unix.SYS_CLOCK_GETTIME, processorTime(e.Parent), at(scratch[:])) }),
		withEnv("sleep by the parent's clock", func(e Env) unix.Errno {
			return call(unix.SYS_CLOCK_NANOSLEEP, processorTime(e.Parent), 1, at(noTime[:]), 0) // until 0, which is over
		}),
		withEnv("affinity of the parent", func(e Env) unix.Errno { return affinity(e.Parent) }),
		one("futex lending priority", unix.SYS_FUTEX, at(scratch[64:]), futexUnlockPI, 0, 0, 0, 0),
		one("setpriority", unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, 0),
		one("sched_setaffinity", unix.SYS_SCHED_SETAFFINITY, 0, 0, 0),
		// files
		live(one("openat", unix.SYS_OPENAT, cwd, at(passwd), unix.O_RDONLY)),
		one("openat2", unix.SYS_OPENAT2, cwd, at(passwd), at(scratch[:]), 24),
		one("open_by_handle_at", unix.SYS_OPEN_BY_HANDLE_AT, nobody, at(scratch[:]), 0),
		one("newfstatat", statAt, cwd, at(passwd), at(scratch[:]), 0),
		one("statx", unix.SYS_STATX, cwd, at(passwd), 0, 0, at(scratch[:])),
		one("getdents64", unix.SYS_GETDENTS64, 0, at(scratch[:]), 64),
		one("readlinkat", unix.SYS_READLINKAT, cwd, at(root), at(scratch[:]), 64),
		one("faccessat", unix.SYS_FACCESSAT, cwd, at(passwd), 0),
		one("getcwd", unix.SYS_GETCWD, at(scratch[:]), 64),
		one("chdir", unix.SYS_CHDIR, at(root)),
		one("chroot", unix.SYS_CHROOT, at(root)),
		one("unlinkat", unix.SYS_UNLINKAT, cwd, at(nowhere), 0),
		one("renameat2", unix.SYS_RENAMEAT2, cwd, at(nowhere), cwd, at(nowhere), 0),
		one("mkdirat", unix.SYS_MKDIRAT, cwd, at(nowhere), 0o700),
		one("symlinkat", unix.SYS_SYMLINKAT, at(root), cwd, at(nowhere)),
		one("linkat", unix.SYS_LINKAT, cwd, at(nowhere), cwd, at(nowhere), 0),
		one("mknodat", unix.SYS_MKNODAT, cwd, at(nowhere), 0, 0),
		one("fchmodat", unix.SYS_FCHMODAT, cwd, at(nowhere), 0),
		one("fchownat", unix.SYS_FCHOWNAT, cwd, at(nowhere), 0, 0, 0),
		one("truncate", unix.SYS_TRUNCATE, at(nowhere), 0),
		one("ftruncate", unix.SYS_FTRUNCATE, nobody, 0),
		one("fallocate", unix.SYS_FALLOCATE, nobody, 0, 0, 1),
		one("copy_file_range", unix.SYS_COPY_FILE_RANGE, nobody, 0, nobody, 0, 1, 0),
		one("sendfile", unix.SYS_SENDFILE, nobody, nobody, 0, 1),
		one("splice", unix.SYS_SPLICE, nobody, 0, nobody, 0, 1, 0),
		one("inotify_init1", unix.SYS_INOTIFY_INIT1, unix.IN_CLOEXEC),
		one("fanotify_init", unix.SYS_FANOTIFY_INIT, unix.FAN_CLOEXEC, 0),
		withEnv("write to the model", func(e Env) unix.Errno { return call(unix.SYS_WRITE, uintptr(e.File), at(label), 1) }),
		one("dup", unix.SYS_DUP, 0),
		one("fcntl", unix.SYS_FCNTL, 0, unix.F_GETFD, 0),
		one("ioctl", unix.SYS_IOCTL, 0, unix.TIOCSTI, at(label)),
		// the network and other channels
		live(one("socket", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)),
		one("socket unix", unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0),
		one("socketpair", unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0, at(scratch[:])),
		live(one("connect", unix.SYS_CONNECT, 0, at(scratch[:]), 16)),
		one("bind", unix.SYS_BIND, 0, at(scratch[:]), 16),
		one("listen", unix.SYS_LISTEN, 0, 1),
		one("accept4", unix.SYS_ACCEPT4, 0, 0, 0, 0),
		one("sendto", unix.SYS_SENDTO, 0, at(label), 1, 0, 0, 0),
		one("sendmmsg", unix.SYS_SENDMMSG, 0, 0, 0, 0),
		one("pipe2", unix.SYS_PIPE2, at(scratch[:]), unix.O_CLOEXEC),
		one("mq_open", unix.SYS_MQ_OPEN, at(label), 0, 0, 0),
		one("shmget", unix.SYS_SHMGET, 0, 4096, 0o1600),
		one("semget", unix.SYS_SEMGET, 0, 0, 0),
		one("msgget", unix.SYS_MSGGET, 1, 0),
		one("eventfd2", unix.SYS_EVENTFD2, 0, unix.EFD_CLOEXEC),
		one("epoll_create1", unix.SYS_EPOLL_CREATE1, unix.EPOLL_CLOEXEC),
		one("signalfd4", unix.SYS_SIGNALFD4, nobody, at(scratch[:]), 8, unix.SFD_CLOEXEC),
		// memory that can be run, or is shared
		live(one("mmap executable", unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, anonymous, nobody, 0)),
		one("mmap executable, odd bits", unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_EXEC|8, anonymous, nobody, 0),
		one("mmap shared", unix.SYS_MMAP, 0, 4096, unix.PROT_READ, unix.MAP_SHARED|unix.MAP_ANONYMOUS, nobody, 0),
		withEnv("mmap the model", func(e Env) unix.Errno {
			return call(unix.SYS_MMAP, 0, 4096, unix.PROT_READ, unix.MAP_PRIVATE, uintptr(e.File), 0)
		}),
		one("mprotect executable", unix.SYS_MPROTECT, 0, 0, unix.PROT_READ|unix.PROT_EXEC),
		one("mmap growing down", unix.SYS_MMAP, 0, 4096, unix.PROT_READ, anonymous|unix.MAP_GROWSDOWN, nobody, 0),
		one("mremap", unix.SYS_MREMAP, 0, 0, 0, 0),
		one("madvise offline", unix.SYS_MADVISE, 0, 0, softOffline),
		one("memfd_create", unix.SYS_MEMFD_CREATE, at(label), unix.MFD_CLOEXEC),
		one("userfaultfd", unix.SYS_USERFAULTFD, unix.O_CLOEXEC),
		one("move_pages", unix.SYS_MOVE_PAGES, 0, 0, 0, 0, 0, 0),
		// the kernel's large and young parts
		live(one("io_uring_setup", unix.SYS_IO_URING_SETUP, 1, at(scratch[:]))),
		one("io_uring_enter", unix.SYS_IO_URING_ENTER, nobody, 0, 0, 0, 0, 0),
		one("io_uring_register", unix.SYS_IO_URING_REGISTER, nobody, 0, 0, 0),
		one("bpf", unix.SYS_BPF, 0, 0, 0),
		one("perf_event_open", unix.SYS_PERF_EVENT_OPEN, 0, 0, 0, nobody, 0),
		one("keyctl", unix.SYS_KEYCTL, 0, nobody, 0, 0, 0),
		one("add_key", unix.SYS_ADD_KEY, 0, 0, 0, 0, 0),
		one("request_key", unix.SYS_REQUEST_KEY, 0, 0, 0, 0),
		one("timer_create", unix.SYS_TIMER_CREATE, 0, 0, 0),
		// rights and the machine
		one("prctl", unix.SYS_PRCTL, unix.PR_GET_DUMPABLE, 0, 0, 0, 0),
		one("seccomp", unix.SYS_SECCOMP, unix.SECCOMP_GET_NOTIF_SIZES, 0, at(scratch[:])),
		one("landlock_create_ruleset", unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, 1),
		one("setuid", unix.SYS_SETUID, nobody),
		one("setgid", unix.SYS_SETGID, nobody),
		one("setgroups", unix.SYS_SETGROUPS, nobody, 0),
		one("capset", unix.SYS_CAPSET, 0, 0),
		one("personality", unix.SYS_PERSONALITY, 0xffffffff),
		one("mount", unix.SYS_MOUNT, at(nowhere), at(nowhere), 0, 0, 0),
		one("umount2", unix.SYS_UMOUNT2, at(nowhere), 0),
		one("pivot_root", unix.SYS_PIVOT_ROOT, at(nowhere), at(nowhere)),
		one("open_tree", unix.SYS_OPEN_TREE, cwd, at(nowhere), 0),
		one("fsopen", unix.SYS_FSOPEN, at(nowhere), 0),
		one("init_module", unix.SYS_INIT_MODULE, 0, 0, 0),
		one("finit_module", unix.SYS_FINIT_MODULE, nobody, at(label), 0),
		one("delete_module", unix.SYS_DELETE_MODULE, at(label), unix.O_NONBLOCK),
		one("reboot", unix.SYS_REBOOT, 0, 0, 0, 0),
		one("sethostname", unix.SYS_SETHOSTNAME, 0, nobody),
		one("settimeofday", unix.SYS_SETTIMEOFDAY, 1, 1),
		one("syslog", unix.SYS_SYSLOG, 10, 0, 0),
		one("no such call", 9999),
	}
}
