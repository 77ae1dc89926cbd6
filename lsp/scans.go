package lsp

import (
	"context"
	"os"
	"slices"

	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
)

// scan is a model file that documents load, open ones or others of the workspace, or that lies in the workspace: it
// is then wanted by its own URI. It lives as long as one of them does.
type scan struct {
	target   artifact.Target
	wanted   []uri.URI // by these documents
	artifact *engine.Artifact
	filling  bool               // the run under way is one for which nobody waits
	turn     int                // counts the runs: what an earlier one brings is dropped
	stamp    stamp              // of the file before the last run that ended
	watched  stamp              // of the file when it began to be watched
	cancel   context.CancelFunc // of the run under way; nil when there is none
	done     chan struct{}      // closed when that run has ended
	next     chan struct{}      // the same of a run that must follow it; nil when none must
}

// want says which files a document loads, in place of what it said before.
func (st *state) want(u uri.URI, targets []artifact.Target) {
	for _, path := range st.loads[u] {
		if !slices.ContainsFunc(targets, func(t artifact.Target) bool { return t.Path == path }) {
			st.release(path, st.scans[path], u)
		}
	}
	delete(st.loads, u)
	for _, t := range targets {
		sc := st.scans[t.Path]
		fresh := sc == nil
		if fresh {
			sc = &scan{target: t}
			st.scans[t.Path] = sc
		}
		if !slices.Contains(sc.wanted, u) {
			sc.wanted = append(sc.wanted, u)
		}
		st.loads[u] = append(st.loads[u], t.Path)
		switch {
		case fresh:
			st.run(t.Path, sc)
		case sc.filling && sc.cancel != nil && st.docs[u] != nil: // somebody waits for it now
			st.stop(sc)
			st.run(t.Path, sc)
		}
	}
}

// stop cancels the run under way. Whoever waits for it waits for the next.
func (st *state) stop(sc *scan) {
	sc.cancel()
	sc.cancel = nil
	if sc.filling {
		st.back--
	} else {
		st.front--
	}
	if sc.next == nil {
		sc.next = sc.done
		return
	}
	close(sc.done)
}

// release ends a document's interest in a file. Nobody's file is forgotten; the engine caches reports.
func (st *state) release(path string, sc *scan, u uri.URI) {
	sc.wanted = slices.DeleteFunc(sc.wanted, func(w uri.URI) bool { return w == u })
	if len(sc.wanted) > 0 {
		return
	}
	if sc.cancel != nil {
		st.stop(sc)
	}
	if sc.next != nil {
		close(sc.next)
	}
	delete(st.scans, path)
	st.scanned()
	if sc.artifact != nil || st.docs[u] != nil {
		st.showModel(path)
	}
}

// run scans a file in the background, off the connection's reader.
func (st *state) run(path string, sc *scan) {
	s := st.srv
	ctx, cancel := context.WithCancel(s.ctx)
	sc.cancel, sc.done, sc.next = cancel, sc.next, nil
	if sc.done == nil {
		sc.done = make(chan struct{})
	}
	sc.turn++
	turn, slots := sc.turn, s.reading
	if sc.filling = !slices.ContainsFunc(sc.wanted, func(u uri.URI) bool { return st.docs[u] != nil }); sc.filling {
		slots, ctx = s.filling, engine.InBackground(ctx)
		st.back++
	} else {
		st.front++
	}
	go func() {
		defer cancel()
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		now := stampOf(path)
		a := s.scanTarget(ctx, sc.target)
		<-slots
		_ = s.do(func(st *state) error {
			if st.scans[path] == sc && sc.turn == turn && sc.cancel != nil { // somebody still wants it
				sc.stamp = now
				st.wasScanned(path, sc, a)
			}
			return nil
		})
	}()
}

// stamp changes with a file. The zero stamp is that of no regular file.
type stamp struct{ size, mtime int64 }

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return stamp{}
	}
	return stamp{info.Size(), info.ModTime().UnixNano()}
}

// changedUnseen says whether the file changed after its scan began and before it was watched. It says so once.
func (sc *scan) changedUnseen() bool {
	changed := sc.watched != stamp{} && sc.watched != sc.stamp
	sc.watched = stamp{}
	return changed
}

// scanTarget returns nil when the scanner panicked, and says so in the log.
func (s *Server) scanTarget(ctx context.Context, t artifact.Target) (a *engine.Artifact) {
	var err error
	defer recovered(s.log, "scan", &err)
	return s.opts.Scanner.ScanTarget(ctx, t)
}

// wasScanned takes over an artifact.
func (st *state) wasScanned(path string, sc *scan, a *engine.Artifact) {
	close(sc.done)
	sc.cancel = nil
	if sc.filling {
		st.back--
	} else {
		st.front--
	}
	before := sc.artifact
	sc.artifact = a
	st.scanned()
	if sc.next != nil || sc.changedUnseen() {
		st.run(path, sc)
	}
	switch {
	case !sc.lonely(path) || a != nil && remarkable(a.Report):
		st.showModel(path)
	case sc.cancel != nil: // it is being scanned again
	default: // nothing to be told of it, and nobody who loads it
		if sc.artifact = nil; before != nil {
			st.showModel(path)
		}
		st.want(uri.File(path), nil)
		return
	}
	for _, u := range sc.wanted {
		if d := st.docs[u]; d != nil && d.result != nil {
			st.show(d)
		} else if d := st.unopened[u]; d != nil {
			st.show(d)
		}
	}
	st.outdated()
}

// rescan scans a file anew if any document loads it. What was known of it holds until then. The channel
// is closed when that is done; it is nil when there is nothing to do.
func (st *state) rescan(path string) <-chan struct{} {
	sc := st.scans[path]
	switch {
	case sc == nil:
		return nil
	case sc.cancel == nil:
		st.run(path, sc)
		return sc.done
	case sc.next == nil:
		sc.next = make(chan struct{})
	}
	return sc.next
}
