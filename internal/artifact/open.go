// Package artifact finds and opens the files that a reference names: local paths, globs and the
// model hub's cache on this machine. It opens a path once; from then on the descriptor counts.
package artifact

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// File is a regular file, open for reading.
type File struct {
	Path string // as asked for
	Real string // without links
	Key  Key    // at the time it was opened
	*os.File
}

// Key identifies one state of a file's content without reading it.
type Key struct {
	Dev, Ino uint64
	Size     int64
	Mtime    int64 // nanoseconds since 1970
	Ctime    int64 // the same; an unprivileged process can't set it back
}

// ErrChanged says that a file is no longer what it was when it was opened.
var ErrChanged = errors.New("the file changed while it was read")

// ErrOutside says that a path leads out of the folder it has to stay in.
var ErrOutside = errors.New("leads out of the folder")

// NotRegularError says what stands in a file's place.
type NotRegularError struct {
	Path string
	What string // "a directory", "a named pipe (FIFO)" …
}

func (e *NotRegularError) Error() string {
	return fmt.Sprintf("%s is %s, not a regular file", e.Path, e.What)
}

// Open opens the regular file that path leads to. within, if there are any, are folders one of which
// the real path has to lie in. Links are resolved first; the real path is then opened without following any
// in its last step, without waiting for the other end of a pipe, and once.
func Open(path string, within ...string) (*File, error) {
	if path == "" || strings.IndexByte(path, 0) >= 0 {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrInvalid}
	}
	real, err := resolve(path, within)
	if err != nil {
		return nil, err
	}
	f, err := openNoFollow(real)
	if err != nil {
		return nil, err
	}
	file, err := describe(f, path, real)
	if err != nil {
		f.Close()
		return nil, err
	}
	return file, nil
}

// OpenEntry opens a directory entry that is known to be no link: a walk found it so.
func OpenEntry(path string) (*File, error) {
	f, err := openNoFollow(path)
	if err != nil {
		return nil, err
	}
	file, err := describe(f, path, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	return file, nil
}

// FromDescriptor takes a file that somebody else opened. The path is a label.
func FromDescriptor(f *os.File, path string) (*File, error) { return describe(f, path, path) }

// Changed returns ErrChanged if the open file is not what it was when it was opened.
func (f *File) Changed() error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if now := KeyOf(info); now != f.Key {
		return fmt.Errorf("%w: %s", ErrChanged, difference(f.Key, now))
	}
	return nil
}

func describe(f *os.File, path, real string) (*File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &NotRegularError{Path: path, What: what(info.Mode())}
	}
	return &File{Path: path, Real: real, Key: KeyOf(info), File: f}, nil
}

func difference(was, now Key) string {
	switch {
	case was.Size != now.Size:
		return fmt.Sprintf("%d bytes became %d", was.Size, now.Size)
	case was.Mtime != now.Mtime:
		return "it was written to"
	}
	return "it was moved, removed or its attributes changed"
}

// resolve follows links and checks that what they lead to lies within.
func resolve(path string, within []string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil || len(within) == 0 {
		return real, err
	}
	if err := Contained(path, within...); err != nil {
		return "", err
	}
	return real, nil
}

// Contained tells whether what path leads to lies in one of the folders, or is one of them; else the
// error wraps ErrOutside. Relative paths, of either kind, start from the working directory.
func Contained(path string, within ...string) error {
	real, err := absolute(path)
	if err != nil {
		return err
	}
	for _, folder := range within {
		if root, err := absolute(folder); err == nil && Inside(root, real) {
			return nil
		}
	}
	return fmt.Errorf("%s %w %s", path, ErrOutside, within[0])
}

// absolute is the path without links, from the root on: a relative one says nothing about where it lies.
func absolute(path string) (string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(full)
}

// Inside tells whether path lies in root or is root. Both must be free of links.
func Inside(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && (rel == "." || filepath.IsLocal(rel))
}

func what(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe (FIFO)"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeSymlink != 0:
		return "a link"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}
