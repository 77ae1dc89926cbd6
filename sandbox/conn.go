package sandbox

import (
	"errors"
	"io"
	"os"
)

// conn carries frames, and beside a frame open descriptors where the system can.
type conn interface {
	// send writes one frame. files travel beside it; a conn that cannot carry them is given none.
	send(f frame, files []*os.File) error
	// recv reads one frame into a buffer that the next call reuses, and the descriptors that came
	// beside it. The parent's end takes none: what a worker sends is closed by the kernel.
	recv() (frame, []int, error)
	// passes tells whether descriptors can travel.
	passes() bool
	io.Closer
}

// filesPerFrame bounds the descriptors beside one frame; the kernel's own bound is 253 (SCM_MAX_FD).
const filesPerFrame = 64

// errNoDescriptors says that a file without a descriptor path was offered to a conn that has none.
var errNoDescriptors = errors.New("this transport carries no descriptors")

// streamConn is a conn over a pair of byte streams, for systems that cannot pass descriptors:
// every byte a worker reads is asked of the parent.
type streamConn struct {
	in  io.ReadCloser
	out io.WriteCloser
	buf []byte
	enc []byte
}

func (c *streamConn) passes() bool { return false }

func (c *streamConn) send(f frame, files []*os.File) error {
	if len(files) > 0 {
		return errNoDescriptors
	}
	c.enc = f.append(c.enc[:0])
	_, err := c.out.Write(c.enc)
	return err
}

func (c *streamConn) recv() (frame, []int, error) {
	if c.buf == nil {
		c.buf = make([]byte, MaxFrame)
	}
	if _, err := io.ReadFull(c.in, c.buf[:headerSize]); err != nil {
		return frame{}, nil, err
	}
	n, err := payloadLength(c.buf)
	if err != nil {
		return frame{}, nil, err
	}
	if _, err := io.ReadFull(c.in, c.buf[headerSize:headerSize+n]); err != nil {
		return frame{}, nil, err
	}
	f, err := parseFrame(c.buf[:headerSize+n])
	return f, nil, err
}

func (c *streamConn) Close() error { return errors.Join(c.in.Close(), c.out.Close()) }
