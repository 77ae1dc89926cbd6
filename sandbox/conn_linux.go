package sandbox

import (
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// packetPair makes the two ends of a SEQPACKET socket. Both are close-on-exec; the parent's end does
// not block the thread that reads it.
func packetPair() (parent *packetConn, child *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	child = os.NewFile(uintptr(fds[1]), "worker's end")
	if err := unix.SetNonblock(fds[0], true); err != nil {
		unix.Close(fds[0])
		child.Close()
		return nil, nil, err
	}
	f := os.NewFile(uintptr(fds[0]), "parent's end")
	raw, err := f.SyscallConn()
	if err != nil {
		f.Close()
		child.Close()
		return nil, nil, err
	}
	return &packetConn{f: f, raw: raw, buf: make([]byte, MaxFrame)}, child, nil
}

// packetConn is the parent's end: it sends descriptors and never takes any.
type packetConn struct {
	f   *os.File
	raw syscall.RawConn
	buf []byte
	enc []byte
}

func (c *packetConn) passes() bool { return true }
func (c *packetConn) Close() error { return c.f.Close() }

func (c *packetConn) send(f frame, files []*os.File) error {
	c.enc = f.append(c.enc[:0])
	return c.sendRaw(c.enc, files)
}

// sendRaw writes one message that is no frame.
func (c *packetConn) sendRaw(message []byte, files []*os.File) error {
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, file := range files {
			fds[i] = int(file.Fd())
		}
		rights = unix.UnixRights(fds...)
	}
	var sendErr error
	err := c.raw.Write(func(fd uintptr) bool {
		_, sendErr = unix.SendmsgN(int(fd), message, rights, nil, unix.MSG_NOSIGNAL)
		return sendErr != unix.EAGAIN
	})
	if err == nil {
		err = sendErr
	}
	return err
}

// recv gives the kernel no room for control messages, so that descriptors sent by a worker are dropped.
func (c *packetConn) recv() (frame, []int, error) {
	n, err := c.f.Read(c.buf)
	if err != nil {
		return frame{}, nil, err
	}
	f, err := parseFrame(c.buf[:n])
	return f, nil, err
}

// workerConn is the worker's end. It blocks, and uses no call that the filter forbids.
type workerConn struct {
	fd  int
	buf []byte
	oob []byte
	enc []byte
}

func newWorkerConn(fd int) *workerConn {
	return &workerConn{fd: fd, buf: make([]byte, MaxFrame), oob: make([]byte, unix.CmsgSpace(4*filesPerFrame))}
}

func (c *workerConn) passes() bool { return true }
func (c *workerConn) Close() error { return unix.Close(c.fd) }

func (c *workerConn) send(f frame, files []*os.File) error {
	if len(files) > 0 {
		return errNoDescriptors
	}
	c.enc = f.append(c.enc[:0])
	for {
		if _, err := unix.SendmsgN(c.fd, c.enc, nil, nil, unix.MSG_NOSIGNAL); err != unix.EINTR {
			return err
		}
	}
}

func (c *workerConn) recv() (frame, []int, error) {
	var n, oobn, flags int
	var err error
	for {
		n, oobn, flags, _, err = unix.Recvmsg(c.fd, c.buf, c.oob, unix.MSG_CMSG_CLOEXEC)
		if err != unix.EINTR {
			break
		}
	}
	switch {
	case err != nil:
		return frame{}, nil, err
	case n == 0:
		return frame{}, nil, io.EOF
	case flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0:
		return frame{}, nil, fmt.Errorf("message was cut")
	}
	f, err := parseFrame(c.buf[:n])
	if err != nil {
		return frame{}, nil, err
	}
	fds, err := rightsIn(c.oob[:oobn])
	return f, fds, err
}

func rightsIn(oob []byte) ([]int, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var all []int
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return nil, err
		}
		all = append(all, fds...)
	}
	return all, nil
}
