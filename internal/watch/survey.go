package watch

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
	clear(r.beside)
	for path, f := range r.dirs {
		if at, err := placeOf(path); err != nil || f.bySystem && at != f.place {
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

// through watches the folders in which a change can make path lead elsewhere. The way may change before the last of
// them is watched, so it is gone again.
func (r *run) through(path string) {
	way := chain(path)
	for range maxTries {
		for _, step := range way {
			r.steps[step.path] = true
			if !artifact.Inside(step.path, path) {
				r.beside[step.path] = true
			}
			if dir := filepath.Dir(step.path); step.turn {
				r.watch(dir, false)
			} else {
				r.watchAbove(dir)
			}
		}
		before := way
		if way = chain(path); slices.Equal(way, before) {
			return
		}
	}
	r.dirty = true
}

// maxLinks bounds the links of one path, as the system does.
const maxLinks = 40

// step is a path on the way of another one.
type step struct {
	path string
	turn bool // a link, or the file at the end, or the first part of the way that is not there
}

// chain returns the paths at which a change can make path lead elsewhere: each link on the way, the file at the end,
// or the first part of its way that is not there, and all the folders that it goes through.
func chain(path string) []step {
	var steps []step
	rest := path
	for range maxLinks {
		way, link, target, end := firstLink(rest)
		for _, dir := range way {
			steps = append(steps, step{dir, false})
		}
		if link == "" {
			return append(steps, step{end, true})
		}
		steps = append(steps, step{link, true})
		tail := strings.TrimPrefix(rest, link)
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		rest = filepath.Clean(target + tail)
	}
	return steps
}

// firstLink finds the first link on an absolute path, or else where it ends: itself, or the first part of it that is
// not there; and what the way to it goes through.
func firstLink(path string) (way []string, link, target, end string) {
	at := filepath.VolumeName(path) + string(filepath.Separator)
	for _, part := range strings.Split(strings.TrimPrefix(path, at), string(filepath.Separator)) {
		next := filepath.Join(at, part)
		info, err := os.Lstat(next)
		switch {
		case err != nil:
			return way, "", "", next
		case info.Mode()&fs.ModeSymlink != 0:
			if target, err = os.Readlink(next); err != nil {
				return way, "", "", next
			}
			return way, next, target, ""
		}
		if next != path {
			way = append(way, next)
		}
		at = next
	}
	return way, "", "", at
}
