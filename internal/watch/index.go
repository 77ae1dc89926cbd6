package watch

import (
	"cmp"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"
)

// index remembers what each file looked like, and which ones are not yet quiet.
type index struct {
	quiet, patience time.Duration
	files           map[string]fs.FileInfo // as last reported, or there from the begin
	pending         map[string]*pending
}

// pending is a file that differs from what was last reported.
type pending struct {
	now    fs.FileInfo // nil: gone
	first  time.Time   // when it was first seen to differ
	latest time.Time   // when it last changed
}

func newIndex(o Options) *index {
	return &index{quiet: o.Quiet, patience: o.Patience, files: map[string]fs.FileInfo{}, pending: map[string]*pending{}}
}

// reset forgets what is not watched any more and takes for known what was not watched before: only what
// happens from now on is a change.
func (x *index) reset(files map[string]fs.FileInfo, before, after func(path string) bool) {
	maps.DeleteFunc(x.files, func(path string, _ fs.FileInfo) bool { return !after(path) })
	maps.DeleteFunc(x.pending, func(path string, _ *pending) bool { return !after(path) })
	for path, info := range files {
		if !before(path) {
			x.files[path] = info
		}
	}
}

// observe compares the files there are with those there were.
func (x *index) observe(now time.Time, files map[string]fs.FileInfo) {
	for path, info := range files {
		x.see(now, path, info)
	}
	for path := range x.files {
		if files[path] == nil {
			x.see(now, path, nil)
		}
	}
	for path := range x.pending {
		if files[path] == nil {
			x.see(now, path, nil)
		}
	}
}

func (x *index) see(now time.Time, path string, info fs.FileInfo) {
	p := x.pending[path]
	switch {
	case p == nil && same(x.files[path], info):
	case p == nil:
		x.pending[path] = &pending{info, now, now}
	case !same(p.now, info):
		p.now, p.latest = info, now
	}
}

// same reports whether a file was neither written nor replaced between two looks.
func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func (x *index) waiting() bool { return len(x.pending) > 0 }

// due returns what has been quiet for long enough, or kept us waiting for too long. A file that is what
// it was before is no change.
func (x *index) due(now time.Time) []Change {
	var out []Change
	for path, p := range x.pending {
		if now.Sub(p.latest) < x.quiet && now.Sub(p.first) < x.patience {
			continue
		}
		delete(x.pending, path)
		if same(x.files[path], p.now) {
			continue
		}
		if p.now == nil {
			delete(x.files, path)
		} else {
			x.files[path] = p.now
		}
		out = append(out, Change{Path: path, Gone: p.now == nil})
	}
	return out
}

func inOrder(m map[string]Change) []Change {
	out := make([]Change, 0, len(m))
	for _, c := range m {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Change) int { return cmp.Compare(a.Path, b.Path) })
	return out
}
