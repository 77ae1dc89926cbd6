package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/secure-torch/secure-torch/internal/artifact"
)

// place is a folder itself, whatever it is called. The zero place is one that can't be told from others.
type place struct{ dev, ino uint64 }

func placeOf(path string) (place, error) {
	info, err := os.Stat(path)
	if err != nil {
		return place{}, err
	}
	key := artifact.KeyOf(info)
	return place{key.Dev, key.Ino}, nil
}

// systemWatch is a folder that the system watches. It has one watch for a folder, and tells of it under one name; when the
// folder is moved, the watch ends.
type systemWatch struct {
	name    string
	aliases []string // other names that lead to it
}

// maxTries bounds how often what changes under our hands is tried again before the next look at everything.
const maxTries = 5

// heard notes what an event names, under all of its names.
func (r *run) heard(e fsnotify.Event, at time.Time) {
	path := filepath.Clean(e.Name)
	moved := e.Has(fsnotify.Create) || e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)
	r.note(path, at, moved)
	dir := filepath.Dir(path)
	if w := r.system[r.dirs[dir].place]; w != nil && w.name == dir {
		for _, alias := range w.aliases {
			r.note(filepath.Join(alias, filepath.Base(path)), at, moved)
		}
	}
}

// note leaves aside what is of no interest: much happens beside the folders that a path goes through.
func (r *run) note(path string, at time.Time, moved bool) {
	if _, known := r.dirs[path]; known || r.steps[path] || r.dirs[filepath.Dir(path)].listed {
		r.touched[path] = touch{at, moved || r.touched[path].moved}
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
	if r.fs != nil {
		at, err := r.bySystem(dir)
		switch {
		case err == nil:
			f.place, f.bySystem = at, true
		case errors.Is(err, fs.ErrNotExist): // gone again: its parent is watched
			return
		default:
			r.notice(fmt.Sprintf("the system can't watch %s (%s)", dir, reason(err)))
		}
	}
	switch {
	case !known && !f.bySystem:
		r.polling++
	case known && f.bySystem:
		r.polling--
	}
	r.dirs[dir] = f
}

// reason is why the system does not watch a folder, in words that say what may be done: what Linux says of its limits is
// said of full disks, too.
func reason(err error) string {
	switch {
	case runtime.GOOS != "linux":
	case errors.Is(err, syscall.ENOSPC):
		return "the limit fs.inotify.max_user_watches is reached"
	case errors.Is(err, syscall.EMFILE):
		return "the limit fs.inotify.max_user_instances, or that of open files, is reached"
	}
	return err.Error()
}

// watchAbove has the system watch a folder that a path goes through, for its being moved. That it can't, as where the
// folder may not be read, is no reason to poll. Nor is a folder watched for this where that means to open all that is
// in it.
func (r *run) watchAbove(dir string) {
	f, known := r.dirs[dir]
	if known {
		f.listed = f.round == r.index.round && f.listed
		f.round = r.index.round
		r.dirs[dir] = f
		return
	}
	if at, err := placeOf(dir); r.fs == nil || err != nil || at == (place{}) {
		return
	}
	if at, err := r.bySystem(dir); err == nil {
		r.dirs[dir] = folder{place: at, bySystem: true, round: r.index.round}
	}
}

// bySystem has the system watch a folder, and says where that is. The folder may be moved, or another come in its
// place, at any moment. So a watch that it has under a name which does not lead to it any more is ended: the system
// would go on with that one, which ends when the move is told of. And what is watched is compared with what is there.
func (r *run) bySystem(dir string) (place, error) {
	for range maxTries {
		at, err := placeOf(dir)
		if err != nil {
			return place{}, err
		}
		if w := r.system[at]; w != nil {
			if now, err := placeOf(w.name); err == nil && now == at {
				w.aliases = append(w.aliases, dir)
				return at, nil
			}
			r.end(at)
		}
		if err := r.add(r.fs, dir); err != nil {
			return place{}, err
		}
		if now, err := placeOf(dir); err == nil && now == at {
			if at != (place{}) {
				r.system[at] = &systemWatch{name: dir}
			}
			return at, nil
		}
		_ = r.fs.Remove(dir)
	}
	r.dirty = true
	return place{}, fs.ErrNotExist
}

// end stops watching a folder under all its names.
func (r *run) end(at place) {
	w := r.system[at]
	_ = r.fs.Remove(w.name) // it may be gone already
	delete(r.system, at)
	delete(r.dirs, w.name)
	for _, alias := range w.aliases {
		delete(r.dirs, alias)
	}
	r.dirty = true // those of its names that are wanted still are watched anew
}

// forget stops watching a folder.
func (r *run) forget(dir string) {
	f, known := r.dirs[dir]
	switch w := r.system[f.place]; {
	case !known: // it ended with another name of it
	case !f.bySystem:
		r.polling--
	case w == nil:
		_ = r.fs.Remove(dir) // it may be gone already
	case w.name != dir:
		w.aliases = slices.DeleteFunc(w.aliases, func(alias string) bool { return alias == dir })
	case len(w.aliases) == 0:
		_ = r.fs.Remove(dir)
		delete(r.system, f.place)
	default:
		r.end(f.place)
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
