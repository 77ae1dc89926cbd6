package probe

import (
	"fmt"
	"unsafe"
)

// wasmDescriptors are tried from 3 on: 0 to 2 are the transport and standard error.
const wasmDescriptors = 16

//go:wasmimport wasi_snapshot_preview1 path_open
//go:noescape
func pathOpen(dir int32, lookup int32, path string, oflags int32, rights, inheriting int64, flags int32, fd unsafe.Pointer) int32

//go:wasmimport wasi_snapshot_preview1 path_filestat_get
//go:noescape
func pathStat(dir int32, lookup int32, path string, stat unsafe.Pointer) int32

//go:wasmimport wasi_snapshot_preview1 path_create_directory
//go:noescape
func pathMakeDir(dir int32, path string) int32

//go:wasmimport wasi_snapshot_preview1 path_unlink_file
//go:noescape
func pathUnlink(dir int32, path string) int32

//go:wasmimport wasi_snapshot_preview1 path_rename
//go:noescape
func pathRename(dir int32, from string, toDir int32, to string) int32

//go:wasmimport wasi_snapshot_preview1 path_symlink
//go:noescape
func pathSymlink(from string, dir int32, to string) int32

//go:wasmimport wasi_snapshot_preview1 path_readlink
//go:noescape
func pathReadlink(dir int32, path string, buf unsafe.Pointer, size int32, used unsafe.Pointer) int32

//go:wasmimport wasi_snapshot_preview1 fd_readdir
//go:noescape
func readDir(fd int32, buf unsafe.Pointer, size int32, cookie int64, used unsafe.Pointer) int32

//go:wasmimport wasi_snapshot_preview1 fd_prestat_get
//go:noescape
func prestat(fd int32, stat unsafe.Pointer) int32

//go:wasmimport wasi_snapshot_preview1 fd_fdstat_get
//go:noescape
func fdstat(fd int32, stat unsafe.Pointer) int32

//go:wasmimport wasi_snapshot_preview1 sock_accept
//go:noescape
func accept(fd int32, flags int32, conn unsafe.Pointer) int32

//go:wasmimport wasi_snapshot_preview1 sock_recv
//go:noescape
func receive(fd int32, vectors unsafe.Pointer, n int32, flags int32, used, out unsafe.Pointer) int32

//go:wasmimport wasi_snapshot_preview1 sock_send
//go:noescape
func send(fd int32, vectors unsafe.Pointer, n int32, flags int32, used unsafe.Pointer) int32

//go:wasmimport wasi_snapshot_preview1 proc_raise
func raise(signal int32) int32

//go:wasmimport wasi_snapshot_preview1 environ_sizes_get
//go:noescape
func environSizes(count, size unsafe.Pointer) int32

// Run makes the named probe's calls. It is "allowed" if the host made any of them.
func Run(name string) (string, error) {
	var buf [256]byte
	out, more := unsafe.Pointer(&buf[0]), unsafe.Pointer(&buf[128])
	const passwd, nowhere = "etc/passwd", "secure-torch-probe"
	calls := map[string]func(fd int32) int32{
		"open a file":               func(fd int32) int32 { return pathOpen(fd, 1, passwd, 0, 2, 0, 0, out) },
		"create a file":             func(fd int32) int32 { return pathOpen(fd, 1, nowhere, 1, 64, 0, 0, out) },
		"stat a file":               func(fd int32) int32 { return pathStat(fd, 1, passwd, out) },
		"list a folder":             func(fd int32) int32 { return readDir(fd, out, 64, 0, more) },
		"make a folder":             func(fd int32) int32 { return pathMakeDir(fd, nowhere) },
		"remove a file":             func(fd int32) int32 { return pathUnlink(fd, nowhere) },
		"rename a file":             func(fd int32) int32 { return pathRename(fd, nowhere, fd, nowhere) },
		"link a file":               func(fd int32) int32 { return pathSymlink(passwd, fd, nowhere) },
		"read a link":               func(fd int32) int32 { return pathReadlink(fd, nowhere, out, 64, more) },
		"a folder handed in":        func(fd int32) int32 { return prestat(fd, out) },
		"a descriptor that is open": func(fd int32) int32 { return fdstat(fd, out) },
		"accept a connection":       func(fd int32) int32 { return accept(fd, 0, out) },
		"receive":                   func(fd int32) int32 { return receive(fd, out, 0, 0, more, more) },
		"send":                      func(fd int32) int32 { return send(fd, out, 0, 0, more) },
		"a process's signal":        func(int32) int32 { return raise(0) },
		"an environment": func(int32) int32 {
			if errno := environSizes(out, more); errno != 0 || buf[0] == 0 {
				return max(errno, 44) // none: ENOENT
			}
			return 0
		},
	}
	do, ok := calls[name]
	if !ok {
		return "", fmt.Errorf("no probe is called %q", name)
	}
	var last int32
	for fd := int32(3); fd < wasmDescriptors; fd++ {
		if last = do(fd); last == 0 {
			return "allowed", nil
		}
	}
	return fmt.Sprintf("refused (errno %d)", last), nil
}
