package watch

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact"
)

// index remembers what each file looked like, and which ones are not yet quiet. It holds a hundred thousand files
// in some 20 MB: it keeps no os.FileInfo.
type index struct {
	quiet, patience time.Duration
	brief           bool
	files           map[string]seen // as last reported, or there from the begin
	pending         map[string]*pending
	round           uint32 // of looks at everything
}

// seen is what a file looked like, and in which round it was last there.
type seen struct {
	artifact.Key
	round uint32
}

// none is the Key of a file that is not there.
var none artifact.Key

// pending is a file that differs from what was last reported.
type pending struct {
	now    artifact.Key // none: gone
	first  time.Time    // when it was first seen to differ
	latest time.Time    // when it last changed
	round  uint32
}

func newIndex(o Options) *index {
	return &index{quiet: o.Quiet, patience: o.Patience, brief: o.Brief, files: map[string]seen{}, pending: map[string]*pending{}}
}

// reset forgets what is not watched any more and takes for known what was not watched before: only what
// happens from now on is a change. survey lists the files there are, in a round of its own.
func (x *index) reset(before, after func(path string) bool, survey func(there func(string, artifact.Key))) {
	maps.DeleteFunc(x.files, func(path string, _ seen) bool { return !after(path) })
	maps.DeleteFunc(x.pending, func(path string, _ *pending) bool { return !after(path) })
	survey(func(path string, key artifact.Key) {
		if !before(path) {
			x.files[path] = seen{key, x.round}
		}
	})
}

// observe compares all the files there are, which survey lists in a round of its own, with those there were.
func (x *index) observe(now time.Time, survey func(there func(string, artifact.Key))) {
	survey(func(path string, key artifact.Key) { x.see(now, path, key) })
	for path, f := range x.files {
		if f.round != x.round {
			x.see(now, path, none)
		}
	}
	for path, p := range x.pending {
		if p.round != x.round {
			x.see(now, path, none)
		}
	}
}

// touch is see after an event: the file was being written to until now, whatever it looks like.
func (x *index) touch(now time.Time, path string, key artifact.Key) {
	x.see(now, path, key)
	if p := x.pending[path]; p != nil && now.After(p.latest) {
		p.latest = now
	}
}

// suspect has files reported that may have been something else for a moment, whatever they look like: their folder was
// moved, or a link was turned, and there is nothing to be seen of it when it has been turned back.
func (x *index) suspect(now time.Time, roots []string, is func(path string) bool) {
	for path, f := range x.files {
		if x.pending[path] == nil && is(path) {
			x.pending[path] = &pending{f.Key, now, now, x.round}
		}
	}
	for _, root := range roots {
		if _, known := x.files[root]; !known && x.brief && x.pending[root] == nil && is(root) {
			x.pending[root] = &pending{none, now, now, x.round}
		}
	}
}

// again looks once more at what is about to be reported: no event is relied upon.
func (x *index) again(now time.Time, look func(path string) artifact.Key) {
	for path, p := range x.pending {
		if !now.Before(x.dueAt(p)) {
			x.see(now, path, look(path))
		}
	}
}

// see notes what one file looks like at the time now; none where it is gone.
func (x *index) see(now time.Time, path string, key artifact.Key) {
	f, known := x.files[path]
	if known && f.round != x.round {
		f.round = x.round
		x.files[path] = f
	}
	p := x.pending[path]
	switch {
	case p == nil && f.Key == key:
		return
	case p == nil:
		p = &pending{key, now, now, x.round}
		x.pending[path] = p
	case p.now != key:
		p.now, p.latest = key, now
	}
	p.round = x.round
}

func (x *index) waiting() bool { return len(x.pending) > 0 }

// next is when the first of the pending files will have been quiet, or waited for, for long enough.
func (x *index) next() time.Time {
	var first time.Time
	for _, p := range x.pending {
		if at := x.dueAt(p); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

func (x *index) dueAt(p *pending) time.Time {
	quiet, patience := p.latest.Add(x.quiet), p.first.Add(x.patience)
	if patience.Before(quiet) {
		return patience
	}
	return quiet
}

// due returns what has been quiet for long enough, or kept us waiting for too long. A file that is what it was before is
// a change nevertheless: it was something else in between, and somebody may have looked then.
func (x *index) due(now time.Time) []Change {
	var out []Change
	for path, p := range x.pending {
		if now.Before(x.dueAt(p)) {
			continue
		}
		delete(x.pending, path)
		if p.now == none {
			if _, known := x.files[path]; !known && !x.brief {
				continue
			}
			delete(x.files, path)
		} else {
			x.files[path] = seen{p.now, x.round}
		}
		out = append(out, Change{Path: path, Gone: p.now == none})
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
