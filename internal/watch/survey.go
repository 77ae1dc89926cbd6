package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact"
)

// keyOf is what the file that path leads to looks like; none where there is no regular file.
func keyOf(path string) artifact.Key {
	info, err := os.Stat(path) // what a link leads to is what is loaded
	if err != nil || !info.Mode().IsRegular() {
		return none
	}
	return artifact.KeyOf(info)
}

// touch looks at one path that an event named, a folder's going aside.
func (r *run) touch(path string, at time.Time) {
	if r.steps[path] {
		r.dirty = true // something leads elsewhere
	}
	if !r.dirs[filepath.Dir(path)].listed {
		return
	}
	info, err := os.Lstat(path)
	there := func(path string, key artifact.Key) { r.index.touch(at, path, key) }
	switch {
	case err != nil:
		there(path, none)
	case info.IsDir():
		r.walk(path, there)
	case info.Mode()&fs.ModeSymlink != 0:
		r.link(path, there)
	default:
		there(path, keyOf(path))
	}
}

// survey lists all the files under the roots. Every folder on the way is watched before it is read, so that nothing
// comes in between unseen.
func (r *run) survey(there func(string, artifact.Key)) {
	r.index.round++
	clear(r.steps)
	for path := range r.dirs {
		if _, err := os.Lstat(path); err != nil { // first of all: the system knows a folder by its number, which may go on under another name
			r.forget(path)
		}
	}
	for _, root := range r.roots {
		r.through(root)
		r.walk(root, there)
	}
	for path, f := range r.dirs {
		if f.round != r.index.round {
			r.forget(path)
		}
	}
}

// walk lists the files of a tree, or the one that root is.
func (r *run) walk(root string, there func(string, artifact.Key)) {
	top := root
	if info, err := os.Stat(root); err == nil && info.IsDir() {
		top += string(filepath.Separator) // so that a root which is itself a link is read
	}
	_ = filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		path = filepath.Clean(path)
		switch {
		case err != nil && e != nil && e.IsDir():
			return fs.SkipDir
		case err != nil: // the root is not there
		case e.IsDir():
			r.watch(path, true)
		case e.Type()&fs.ModeSymlink != 0:
			r.link(path, there)
		case e.Type().IsRegular():
			if info, err := e.Info(); err == nil {
				there(path, artifact.KeyOf(info))
			}
		}
		return nil
	})
}

// link lists a link to a file, and watches the way that it goes.
func (r *run) link(path string, there func(string, artifact.Key)) {
	if key := keyOf(path); key != none {
		r.through(path)
		there(path, key)
	}
}

// through watches the folders in which a change can make path lead elsewhere.
func (r *run) through(path string) {
	for _, step := range chain(path) {
		r.steps[step] = true
		r.watch(filepath.Dir(step), false)
	}
}

// watch has the system watch a folder. One that it can't is polled.
func (r *run) watch(dir string, listed bool) {
	f, known := r.dirs[dir]
	f.listed = listed || known && f.round == r.index.round && f.listed
	f.round = r.index.round
	if known && (f.bySystem || r.opts.Polling) {
		r.dirs[dir] = f
		return
	}
	was := f.bySystem
	if r.fs != nil {
		err := r.add(r.fs, dir)
		switch {
		case err == nil:
			f.bySystem = true
		case errors.Is(err, fs.ErrNotExist): // gone again: its parent is watched
			return
		default:
			r.notice(fmt.Sprintf("the system can't watch %s (%v)", dir, err))
		}
	}
	switch {
	case !known && !f.bySystem:
		r.polling++
	case known && !was && f.bySystem:
		r.polling--
	}
	r.dirs[dir] = f
}

// forget stops watching a folder.
func (r *run) forget(dir string) {
	if r.dirs[dir].bySystem {
		_ = r.fs.Remove(dir) // it may be gone already
	} else {
		r.polling--
	}
	delete(r.dirs, dir)
}

// gone stops watching a folder that went or moved, with those below it, until a look at everything has found what
// there is in its place.
func (r *run) gone(dir string) {
	for path := range r.dirs {
		if artifact.Inside(dir, path) {
			r.forget(path)
		}
	}
	r.dirty = true
}

// maxLinks bounds the links of one path, as the system does.
const maxLinks = 40

// chain returns the paths at which a change can make path lead elsewhere: each link on the way, and the file at the
// end, or the first part of its way that is not there.
func chain(path string) []string {
	var steps []string
	rest := path
	for range maxLinks {
		link, target, end := firstLink(rest)
		if link == "" {
			return append(steps, end)
		}
		steps = append(steps, link)
		tail := strings.TrimPrefix(rest, link)
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		rest = filepath.Clean(target + tail)
	}
	return steps
}

// firstLink finds the first link on an absolute path, or else where it ends: itself, or the first part of it that is
// not there.
func firstLink(path string) (link, target, end string) {
	at := filepath.VolumeName(path) + string(filepath.Separator)
	for _, part := range strings.Split(strings.TrimPrefix(path, at), string(filepath.Separator)) {
		next := filepath.Join(at, part)
		info, err := os.Lstat(next)
		switch {
		case err != nil:
			return "", "", next
		case info.Mode()&fs.ModeSymlink != 0:
			if target, err = os.Readlink(next); err != nil {
				return "", "", next
			}
			return next, target, ""
		}
		at = next
	}
	return "", "", at
}
