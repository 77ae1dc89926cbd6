// Package watch tells which files have changed. It owns no other state and scans nothing itself.
//
// What the operating system reports is only a hint where to look: a change is what two looks at a file
// say. So a file replaced by a rename, a swapped link, a lost event and plain polling are all the same
// case, and a file that is still being written is not reported until it has been quiet for a while.
package watch

import (
	"context"
	"fmt"
	"path/filepath"
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
	// Brief tells also of files that were there only for a moment, as gone.
	Brief bool
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
	r := newRun(w.opts)
	r.add = w.add
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
		case e := <-r.events():
			r.heard(e, time.Now())
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
	dirs    map[string]folder // that are watched, by the system or by polling
	system  map[place]*systemWatch
	steps   map[string]bool // paths at which a change makes a root, or a link, lead elsewhere
	beside  map[string]bool // those of them that a link has led to
	touched map[string]touch
	polling int           // folders that the system can't watch
	dirty   bool          // something happened, and nobody knows where
	cost    time.Duration // of the last look at everything
	looked  time.Time     // when that was
	latest  time.Time     // when anything was last looked at
	noticed bool
}

func newRun(o Options) *run {
	return &run{opts: o, index: newIndex(o), dirs: map[string]folder{}, system: map[place]*systemWatch{}, steps: map[string]bool{}, beside: map[string]bool{}, touched: map[string]touch{}}
}

// folder is one that is watched.
type folder struct {
	place    place  // where the system watches it
	bySystem bool   // and not by polling
	listed   bool   // the files in it are watched, and not only what a link or a root goes through
	round    uint32 // of the look at everything that last came by
}

// touch is what events said of a path.
type touch struct {
	at    time.Time // of the last of them
	moved bool      // it may be another file or folder now
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
	wait := time.Hour
	if len(r.touched) > 0 {
		wait = 0
	}
	if r.index.waiting() {
		wait = min(wait, r.index.next().Sub(now))
	}
	wait = max(wait, r.latest.Add(r.opts.Quiet/5).Sub(now)) // what follows at once is looked at with it
	if r.dirty || r.polling > 0 {
		wait = min(wait, r.nextLook().Sub(now))
	}
	return max(wait, 0)
}

// nextLook is when everything is to be looked at: in a burst, looking must not take all the time.
func (r *run) nextLook() time.Time {
	pause := max(r.opts.Quiet/3, 4*r.cost)
	if !r.dirty {
		pause = max(r.opts.Poll, 4*r.cost)
	}
	return r.looked.Add(pause)
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
		fsw, err := fsnotify.NewBufferedWatcher(1024)
		if err != nil {
			r.notice(fmt.Sprintf("the system can't watch folders (%s)", reason(err)))
			r.opts.Polling = true
		} else {
			r.fs = fsw
		}
	}
	r.index.reset(under(before), under(r.roots), r.survey)
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

// look compares with what was: what events named, everything where they do not suffice, and what is about to be
// reported.
func (r *run) look(now time.Time) {
	r.latest = now
	var moved []string
	everything := false
	for path, t := range r.touched {
		_, known := r.dirs[path]
		if t.moved && (known || r.steps[path]) {
			moved = append(moved, path)
			everything = everything || r.beside[path]
		}
		if t.moved && known {
			r.gone(path)
		}
	}
	if len(moved) > 0 {
		below := under(moved)
		r.index.suspect(now, r.roots, func(path string) bool { return everything || below(path) })
	}
	for path, t := range r.touched {
		r.touch(path, t.at)
	}
	clear(r.touched)
	if (r.dirty || r.polling > 0) && !now.Before(r.nextLook()) {
		r.dirty = false
		r.index.observe(now, r.survey)
		r.looked, r.cost = now, time.Since(now)
	}
	r.index.again(now, keyOf)
}

func (r *run) notice(why string) {
	if !r.noticed {
		r.noticed = true
		r.opts.Notice(fmt.Sprintf("%s: looking every %s instead", why, r.opts.Poll))
	}
}
