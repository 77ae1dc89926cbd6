// Package watch tells which files have changed. It owns no other state and scans nothing itself.
//
// What the operating system reports is only a hint where to look: a change is what two looks at a file
// say. So a file replaced by a rename, a swapped link, a lost event and plain polling are all the same
// case, and a file that is still being written is not reported until it has been quiet for a while.
package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Change is a file that is there, with new content, or that is gone.
type Change struct {
	Path string
	Gone bool
}

// Options of a Watcher. The zero Options are sensible.
type Options struct {
	// Quiet is how long a file must not change before it is reported. Default 300 ms.
	Quiet time.Duration
	// Patience is how long a file that never gets quiet is waited for. Default 10 s.
	Patience time.Duration
	// Poll is the pause between two looks at what the system can't watch. Default 2 s.
	Poll time.Duration
	// Polling looks at everything that way.
	Polling bool
	// Notice is told, once, why polling is used. It may be nil.
	Notice func(string)
}

func (o *Options) defaults() {
	if o.Quiet <= 0 {
		o.Quiet = 300 * time.Millisecond
	}
	if o.Patience <= 0 {
		o.Patience = 10 * time.Second
	}
	if o.Poll <= 0 {
		o.Poll = 2 * time.Second
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
}

// Watcher watches files and folders. Set and Run may be used from different goroutines.
type Watcher struct {
	opts    Options
	set     chan order
	changes chan []Change
	add     func(*fsnotify.Watcher, string) error
}

// New returns a Watcher that watches nothing until Set is called.
func New(opts Options) *Watcher {
	opts.defaults()
	return &Watcher{opts: opts, set: make(chan order), changes: make(chan []Change), add: (*fsnotify.Watcher).Add}
}

// Set says what to watch, in place of what was watched before: files, which need not exist, and folders
// with all that is in them. What is there already is no change. It returns when the watcher has looked.
func (w *Watcher) Set(ctx context.Context, paths []string) {
	o := order{paths, make(chan struct{})}
	select {
	case w.set <- o:
	case <-ctx.Done():
		return
	}
	select {
	case <-o.done:
	case <-ctx.Done():
	}
}

// order is a call of Set on its way to Run.
type order struct {
	paths []string
	done  chan struct{}
}

// Changes delivers what has changed, gathered until it is taken.
func (w *Watcher) Changes() <-chan []Change { return w.changes }

// Run watches until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	r := &run{opts: w.opts, add: w.add, index: newIndex(w.opts), dirs: map[string]bool{}}
	defer r.close()
	var ready map[string]Change
	timer := time.NewTimer(w.opts.Poll)
	defer timer.Stop()
	for {
		timer.Reset(r.wait(time.Now()))
		var out chan<- []Change
		var batch []Change
		if len(ready) > 0 {
			out, batch = w.changes, inOrder(ready)
		}
		select {
		case <-ctx.Done():
			return
		case o := <-w.set:
			r.setRoots(o.paths)
			close(o.done)
		case out <- batch:
			ready = nil
		case <-r.events():
			r.dirty = true
		case <-r.errors(): // events were lost: no matter, everything is looked at
			r.dirty = true
		case now := <-timer.C:
			r.look(now)
			for _, c := range r.index.due(now) {
				if ready == nil {
					ready = map[string]Change{}
				}
				ready[c.Path] = c
			}
		}
	}
}

// run is the state of Run.
type run struct {
	opts    Options
	add     func(*fsnotify.Watcher, string) error
	roots   []string
	index   *index
	fs      *fsnotify.Watcher // nil when there is none
	dirs    map[string]bool   // watched folders; true: by the system, false: by polling
	dirty   bool              // something happened somewhere
	cost    time.Duration     // of the last look
	polled  time.Time         // when everything was last looked at
	noticed bool
}

func (r *run) close() {
	if r.fs != nil {
		_ = r.fs.Close() // nothing is lost by it
	}
}

func (r *run) events() <-chan fsnotify.Event {
	if r.fs == nil {
		return nil
	}
	return r.fs.Events
}

func (r *run) errors() <-chan error {
	if r.fs == nil {
		return nil
	}
	return r.fs.Errors
}

// wait is how long nothing needs to be done.
func (r *run) wait(now time.Time) time.Duration {
	switch {
	case r.dirty || r.index.waiting():
		return max(r.opts.Quiet/3, 4*r.cost) // in a burst, looking must not take all the time
	case r.polls():
		return max(0, r.polled.Add(r.opts.Poll).Sub(now))
	}
	return time.Hour
}

func (r *run) polls() bool {
	for _, bySystem := range r.dirs {
		if !bySystem {
			return true
		}
	}
	return false
}

func (r *run) setRoots(paths []string) {
	before := r.roots
	r.roots = nil
	for _, p := range paths {
		if abs, err := filepath.Abs(p); err == nil {
			r.roots = append(r.roots, abs)
		}
	}
	if r.fs == nil && !r.opts.Polling {
		fsw, err := fsnotify.NewWatcher()
		if err != nil {
			r.notice(fmt.Sprintf("the system can't watch folders (%v)", err))
			r.opts.Polling = true
		} else {
			r.fs = fsw
		}
	}
	files, dirs := r.survey()
	r.watchDirs(dirs)
	r.index.reset(files, under(before), under(r.roots))
	r.dirty = true // look once more: things may have changed before the system watched
}

// under tells whether a path is one of the roots or lies below one.
func under(roots []string) func(path string) bool {
	known := make(map[string]bool, len(roots))
	for _, root := range roots {
		known[root] = true
	}
	return func(path string) bool {
		for !known[path] {
			parent := filepath.Dir(path)
			if parent == path {
				return false
			}
			path = parent
		}
		return true
	}
}

// look compares everything with what it was.
func (r *run) look(now time.Time) {
	r.dirty, r.polled = false, now
	files, dirs := r.survey()
	r.watchDirs(dirs)
	r.index.observe(now, files)
	r.cost = time.Since(now)
}

// survey lists the files under the roots and the folders in which something about them can change.
func (r *run) survey() (files map[string]fs.FileInfo, dirs map[string]bool) {
	files, dirs = map[string]fs.FileInfo{}, map[string]bool{}
	for _, root := range r.roots {
		for _, d := range chain(root) {
			dirs[d] = true
		}
		_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil && e == nil: // the root is not there
				return nil
			case err != nil:
				return fs.SkipDir
			case e.IsDir():
				dirs[path] = true
				return nil
			}
			info, err := os.Stat(path) // what a link leads to is what is loaded
			switch {
			case err == nil && info.IsDir() && path == root:
				_ = filepath.WalkDir(path+string(filepath.Separator), r.inLinkedRoot(path, files, dirs))
			case err == nil && info.Mode().IsRegular():
				files[path] = info
				if e.Type()&fs.ModeSymlink != 0 {
					for _, d := range chain(path) {
						dirs[d] = true
					}
				}
			}
			return nil
		})
	}
	return files, dirs
}

// inLinkedRoot lists a root that is itself a link to a folder.
func (r *run) inLinkedRoot(root string, files map[string]fs.FileInfo, dirs map[string]bool) fs.WalkDirFunc {
	return func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case e.IsDir():
			dirs[filepath.Clean(path)] = true
			return nil
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			files[filepath.Join(root, strings.TrimPrefix(path, root))] = info
		}
		return nil
	}
}

// maxLinks bounds the links of one path, as the system does.
const maxLinks = 40

// chain returns the folders in which a change can make path lead elsewhere: for each link on the way the
// one that it stands in, and the one that the file at the end stands in, or its nearest existing parent.
func chain(path string) []string {
	var dirs []string
	rest := path
	for range maxLinks {
		link, target, dir := firstLink(rest)
		if link == "" {
			return append(dirs, dir)
		}
		dirs = append(dirs, filepath.Dir(link))
		tail := strings.TrimPrefix(rest, link)
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		rest = filepath.Clean(target + tail)
	}
	return dirs
}

// firstLink finds the first link on an absolute path, and the deepest existing folder above its end.
func firstLink(path string) (link, target, dir string) {
	at := filepath.VolumeName(path) + string(filepath.Separator)
	dir = at
	for _, part := range strings.Split(strings.TrimPrefix(path, at), string(filepath.Separator)) {
		next := filepath.Join(at, part)
		info, err := os.Lstat(next)
		switch {
		case err != nil:
			return "", "", dir
		case info.Mode()&fs.ModeSymlink != 0:
			if target, err = os.Readlink(next); err != nil {
				return "", "", dir
			}
			return next, target, dir
		case info.IsDir() && next != path:
			dir = next
		}
		at = next
	}
	return "", "", dir
}

// watchDirs has the system watch these folders and no others. Those that it can't are polled.
func (r *run) watchDirs(dirs map[string]bool) {
	for d, bySystem := range r.dirs {
		if !dirs[d] {
			if bySystem {
				_ = r.fs.Remove(d) // it may be gone already
			}
			delete(r.dirs, d)
		}
	}
	for d := range dirs {
		if bySystem, known := r.dirs[d]; known && (bySystem || r.opts.Polling) {
			continue
		}
		if r.fs == nil {
			r.dirs[d] = false
			continue
		}
		err := r.add(r.fs, d)
		switch {
		case err == nil:
			r.dirs[d] = true
		case errors.Is(err, fs.ErrNotExist): // gone again: its parent is watched
		default:
			r.dirs[d] = false
			r.notice(fmt.Sprintf("the system can't watch %s (%v)", d, err))
		}
	}
}

func (r *run) notice(why string) {
	if !r.noticed {
		r.noticed = true
		r.opts.Notice(fmt.Sprintf("%s: looking every %s instead", why, r.opts.Poll))
	}
}
