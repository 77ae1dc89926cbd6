package probe

import "golang.org/x/sys/unix"

const statAt = unix.SYS_NEWFSTATAT

// x32 marks a call number of the x32 ABI.
const x32 = 0x40000000

// native are the calls that only this architecture has: the old ones, and those of its other two
// system call interfaces.
func native() []Probe {
	return []Probe{
		{Name: "fork", Live: true, Do: func(Env) unix.Errno { return task(unix.SYS_FORK) }},
		alone(one("vfork", unix.SYS_VFORK)), // the child would return on the parent's stack
		one("open", unix.SYS_OPEN, at(passwd), unix.O_RDONLY),
		one("creat", unix.SYS_CREAT, at(nowhere), 0o600),
		one("stat", unix.SYS_STAT, at(passwd), at(scratch[:])),
		one("access", unix.SYS_ACCESS, at(passwd), 0),
		one("unlink", unix.SYS_UNLINK, at(nowhere)),
		one("rename", unix.SYS_RENAME, at(nowhere), at(nowhere)),
		one("mkdir", unix.SYS_MKDIR, at(nowhere), 0o700),
		one("arch_prctl", unix.SYS_ARCH_PRCTL, 0x1003, at(scratch[:])), // ARCH_GET_FS
		one("iopl", unix.SYS_IOPL, 0),
		one("memfd_secret", unix.SYS_MEMFD_SECRET, unix.O_CLOEXEC),
		alone(one("x32 getpid", x32|unix.SYS_GETPID)),
		alone(one("x32 execve", x32|520, at(program), 0, 0)),
		{Name: "int 0x80", Live: true, Do: func(Env) unix.Errno {
			if answer := int80(20); int32(answer) < 0 { // 20 is getpid there
				return unix.Errno(-int32(answer))
			}
			return 0
		}},
	}
}

// int80 makes a call without arguments through the 32-bit interface.
func int80(number uint32) uint32
