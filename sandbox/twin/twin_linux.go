package twin

import (
	"io"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// lowest number of the descriptor: those of a child's own, which begin at 3, are laid over the parent's
// before the child executes anything.
const lowest = 64

// Path names the executable to a child of this process, as long as both share their descriptors. It is
// false where this build holds none, or where the system lets nothing be executed that is in no file
// (vm.memfd_noexec=2, a security module).
func Path() (string, bool) { return path() }

var path = sync.OnceValues(func() (string, bool) { return hold(image) })

// hold keeps text as an executable for as long as this process lives.
func hold(text string) (string, bool) {
	if text == "" {
		return "", false
	}
	f, err := load(text)
	if err != nil {
		return "", false
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, lowest)
	if f.Close(); err != nil {
		return "", false
	}
	return "/proc/self/fd/" + strconv.Itoa(fd), true
}

// load makes a file in memory that holds text and can't be changed any more.
func load(text string) (*os.File, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("secure-torch-scan", flags|unix.MFD_EXEC)
	if err == unix.EINVAL { // before Linux 6.3 every such file can be executed
		fd, err = unix.MemfdCreate("secure-torch-scan", flags)
	}
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "secure-torch-scan")
	if _, err := io.WriteString(f, text); err != nil {
		f.Close()
		return nil, err
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
