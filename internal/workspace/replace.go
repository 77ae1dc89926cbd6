package workspace

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
)

// Replace writes a source anew, whole or not at all. It refuses when the file no longer holds old.
func Replace(path string, old, src []byte) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	now, err := Read(real)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, old) {
		return errors.New(path + " changed while it was checked")
	}
	info, err := os.Stat(real)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(real), ".secure-torch-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(src)
	if err := errors.Join(err, tmp.Chmod(info.Mode().Perm()), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), real)
}
