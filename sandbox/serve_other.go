//go:build !linux

package sandbox

import (
	"errors"
	"os"
)

func openConn(string) conn { return &streamConn{in: os.Stdin, out: os.Stdout} }

// descriptor is never made here: descriptors do not travel.
type descriptor int

func (descriptor) ReadAt([]byte, int64) (int, error) { return 0, errors.New("no descriptors here") }
