//go:build unix

package artifact

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// openNoFollow refuses a link in the last step. Opening a FIFO does not wait for a writer, and what
// stands there instead of a file is told apart before anything is read.
func openNoFollow(path string) (*os.File, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		switch err {
		case nil:
			return os.NewFile(uintptr(fd), path), nil
		case unix.EINTR:
			continue
		case unix.ELOOP:
			return nil, &NotRegularError{Path: path, What: "a link that was put there meanwhile"}
		case unix.ENXIO:
			return nil, &NotRegularError{Path: path, What: "a socket or a device that is not there"}
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
}
