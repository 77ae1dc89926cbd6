package watch

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact"
)

// Since lists the files, and those in the folders, that were written, moved or linked to their place at or after a
// time, in the order of a walk. It goes by the change time too, which a program can't set back.
func Since(paths []string, since time.Time) ([]Change, error) {
	r := newRun(Options{Polling: true, Notice: func(string) {}})
	var out []Change
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(abs); err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		newRoot, folders := linkedSince(abs, since), map[string]bool{abs: false}
		r.walk(abs, func(path string, key artifact.Key) {
			if newRoot || changed(key) >= since.UnixNano() || linkedSince(path, since) || cameSince(filepath.Dir(path), since, folders) {
				out = append(out, Change{Path: path})
			}
		})
	}
	return out, nil
}

func changed(k artifact.Key) int64 { return max(k.Mtime, k.Ctime) }

// linkedSince tells whether path is a link that was made since.
func linkedSince(path string, since time.Time) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0 && changed(artifact.KeyOf(info)) >= since.UnixNano()
}

// cameSince tells whether a folder, or one that it lies in below the root, may have been moved to its place since: that
// changes it and the one it lies in, and no file in it. known holds what was found, and the root.
func cameSince(dir string, since time.Time, known map[string]bool) bool {
	came, ok := known[dir]
	if above := filepath.Dir(dir); !ok && above != dir {
		came = cameSince(above, since, known) || folderChanged(dir, since) && folderChanged(above, since)
		known[dir] = came
	}
	return came
}

func folderChanged(dir string, since time.Time) bool {
	info, err := os.Stat(dir)
	return err == nil && changed(artifact.KeyOf(info)) >= since.UnixNano()
}
