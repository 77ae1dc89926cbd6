package lsp

import (
	"path/filepath"
	"slices"

	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/workspace"
	"github.com/secure-torch/secure-torch/modelscan"
)

// backlog is the work that nobody waits for: the sources of the workspace that are not open, and the models that
// lie in it. It rests while anything is done for an open document. Only the owner of the state touches it.
type backlog struct {
	todo   []unopened
	queued map[string]bool // the paths in todo
	busy   bool            // something of it is being looked at
	paused bool            // by the user
	total  int             // of this round: since there was nothing to do
	done   int
	told   progress // what was last told of it
}

// unopened is a file that is to be looked at: a source for what it loads, or a model.
type unopened struct {
	root *root
	path string
}

// Bounds of what is kept of sources that are not open.
const (
	maxUnopened      = 2000
	maxUnopenedBytes = 32 << 20
)

// later queues files of a folder, unless the user wants none of this.
func (st *state) later(r *root, paths ...string) {
	b := &st.backlog
	if r == nil || r.alone || !st.client.settings.scansWorkspace() {
		return
	}
	if len(b.todo) == 0 && !b.busy {
		b.total, b.done = 0, 0
	}
	for _, path := range paths {
		if !b.queued[path] {
			b.queued[path] = true
			b.todo = append(b.todo, unopened{r, path})
			b.total++
		}
	}
}

// ready says whether something of the backlog is to be done now: nothing is done for an open document, and not too
// many models wait for their scans already.
func (st *state) ready() bool {
	b := &st.backlog
	return !b.paused && !b.busy && len(b.todo) > 0 && len(st.busy) == 0 && st.front == 0 && st.back < 2*fillSlots
}

// next takes something to do from the backlog, if it is time for that.
func (st *state) next() (u unopened, ok bool) {
	b := &st.backlog
	b.busy = false
	if !st.ready() {
		return u, false
	}
	u = b.todo[0]
	b.todo = b.todo[1:]
	delete(b.queued, u.path)
	b.done++
	b.busy = true
	return u, true
}

// stir has the backlog worked through when there is something to do. It is called after every event.
func (st *state) stir() {
	if st.ready() {
		select {
		case st.srv.stirred <- struct{}{}:
		default:
		}
	}
	st.tellProgress()
}

// workThrough does what there is to do in the backlog, one thing after the other.
func (s *Server) workThrough() {
	for {
		select {
		case <-s.stirred:
		case <-s.ctx.Done():
			return
		}
		for {
			var u unopened
			var more bool
			if s.do(func(st *state) error { u, more = st.next(); return nil }) != nil {
				return
			}
			if !more {
				break
			}
			s.lookAt(u)
		}
		_ = s.do(func(st *state) error { st.watchWanted(); return nil })
	}
}

// lookAt reads a source and takes over what it loads, or has a model scanned.
func (s *Server) lookAt(u unopened) {
	var err error
	defer recovered(s.log, "backlog", &err)
	if !workspace.IsSource(u.path) {
		_ = s.do(func(st *state) error { st.foundModel(u); return nil })
		return
	}
	d := s.readUnopened(u)
	_ = s.do(func(st *state) error { st.foundSource(u, d); return nil })
}

// readUnopened returns nil for a source that loads nothing, or cannot be read.
func (s *Server) readUnopened(u unopened) *document {
	text, err := u.root.read(u.path)
	if err != nil {
		return nil
	}
	d := &document{uri: uri.File(u.path), path: u.path, root: u.root, unopened: true, done: make(chan struct{})}
	close(d.done)
	if filepath.Ext(u.path) == ".ipynb" { // its cells have URIs that only an editor knows: its models alone are told of
		nb, err := analyzers.ReadNotebook(text)
		if err != nil {
			return nil
		}
		text, d.silent = nb.Source, true
	}
	sinks := check.Sinks(u.root.settings())
	if !u.root.modules().Relevant(analyzers.SkimSource(text, sinks)) {
		return nil
	}
	d.text = text
	c := s.opts.Checker.Check(s.ctx, Source{Path: u.path, Root: u.root.dir, Text: text, Sinks: sinks, Modules: u.root.modules()})
	if !d.trusted() {
		c = confine(c, u.root.dir)
	}
	d.result = c
	return d
}

// foundSource takes over what is known of a source that is not open; d is nil where that is nothing.
func (st *state) foundSource(u unopened, d *document) {
	at := uri.File(u.path)
	switch {
	case st.docs[at] != nil || !slices.Contains(st.roots, u.root): // opened, or closed with its folder, meanwhile
	case d == nil || !st.worthKeeping(d):
		st.forgetUnopened(at)
	default:
		if old := st.unopened[at]; old != nil {
			st.held -= len(old.text)
		}
		d.as, d.mapper = st.spell(at), lazyMapper(d.text, st.client.encoding)
		st.unopened[at], st.shared = d, nil
		st.held += len(d.text)
		st.want(at, targets(d.result))
		st.show(d)
		st.outdated()
	}
}

// worthKeeping says whether a source that is not open may come to say something: of a model, or, where the user
// asked for all, of itself.
func (st *state) worthKeeping(d *document) bool {
	if st.unopened[d.uri] == nil && (len(st.unopened) >= maxUnopened || st.held+len(d.text) > maxUnopenedBytes) {
		return false
	}
	for _, c := range d.result.Calls() {
		if len(c.Files)+len(c.Absent) > 0 {
			return true
		}
	}
	if st.client.settings.WorkspaceScan != scanAll || d.silent {
		return false
	}
	shown, _ := d.result.Split(nil, d.trusted())
	return len(shown) > 0
}

// forgetUnopened forgets a source that is not open, and clears what was shown of it.
func (st *state) forgetUnopened(u uri.URI) {
	d := st.unopened[u]
	if d == nil {
		return
	}
	st.held -= len(d.text)
	delete(st.unopened, u)
	st.shared = nil
	st.want(u, nil)
	if st.docs[u] == nil {
		st.clear(u)
	}
}

// foundModel has a model that lies in the workspace scanned, if that is not done anyway: it is wanted by itself.
func (st *state) foundModel(u unopened) {
	if st.scans[u.path] != nil || !slices.Contains(st.roots, u.root) {
		return
	}
	if st.missed(u.path) {
		defer st.rereadAll()
	}
	st.want(uri.File(u.path), []artifact.Target{{Path: u.path, Within: []string{u.root.dir}}})
}

// lonely says whether a model is scanned only because it lies in the workspace.
func (sc *scan) lonely(path string) bool {
	return len(sc.wanted) == 1 && sc.wanted[0] == uri.File(path)
}

// remarkable says whether there is anything to tell of a model that nobody is known to load.
func remarkable(r *modelscan.Report) bool {
	return r == nil || r.Failure != "" || len(r.Findings)+len(r.Gaps) > 0
}

// rereadUnopened has the known sources that are not open looked at again.
func (st *state) rereadUnopened() {
	for _, d := range sorted(st.unopened) {
		st.later(d.root, d.path)
	}
}

// dropBacklog forgets everything that is not open.
func (st *state) dropBacklog() {
	st.backlog.todo, st.backlog.queued = nil, map[string]bool{}
	for u := range st.unopened {
		st.forgetUnopened(u)
	}
	for path, sc := range st.scans {
		if u := uri.File(path); slices.Contains(sc.wanted, u) {
			st.want(u, nil)
		}
	}
}

// listAll has the sources and models of every folder listed.
func (st *state) listAll() {
	if !st.client.settings.scansWorkspace() {
		return
	}
	for _, r := range st.roots {
		if r.found != nil {
			st.later(r, r.found...)
		} else {
			st.srv.list(r)
		}
	}
}

// pause stops the backlog, or goes on with it.
func (s *Server) pause(stop bool) (any, error) {
	left := 0
	err := s.do(func(st *state) error {
		st.backlog.paused, left = stop, len(st.backlog.todo)
		return nil
	})
	return map[string]any{"paused": stop, "left": left}, err
}
