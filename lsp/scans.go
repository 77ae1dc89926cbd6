package lsp

import (
	"context"
	"slices"

	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
)

// scan is a model file that open documents load. It lives as long as one of them does.
type scan struct {
	target   artifact.Target
	wanted   []uri.URI // by these documents
	artifact *engine.Artifact
	cancel   context.CancelFunc // of the run under way; nil when there is none
	done     chan struct{}      // closed when that run has ended
	next     chan struct{}      // the same of a run that must follow it; nil when none must
}

// want says which files a document loads, in place of what it said before.
func (st *state) want(u uri.URI, targets []artifact.Target) {
	for path, sc := range st.scans {
		if slices.Contains(sc.wanted, u) && !slices.ContainsFunc(targets, func(t artifact.Target) bool { return t.Path == path }) {
			st.release(path, sc, u)
		}
	}
	for _, t := range targets {
		sc := st.scans[t.Path]
		if sc == nil {
			sc = &scan{target: t}
			st.scans[t.Path] = sc
			st.run(t.Path, sc)
		}
		if !slices.Contains(sc.wanted, u) {
			sc.wanted = append(sc.wanted, u)
		}
	}
}

// release ends a document's interest in a file. Nobody's file is forgotten; the engine caches reports.
func (st *state) release(path string, sc *scan, u uri.URI) {
	sc.wanted = slices.DeleteFunc(sc.wanted, func(w uri.URI) bool { return w == u })
	if len(sc.wanted) > 0 {
		return
	}
	if sc.cancel != nil {
		sc.cancel()
		close(sc.done)
	}
	if sc.next != nil {
		close(sc.next)
	}
	delete(st.scans, path)
	st.shared = nil
	st.showModel(path)
}

// run scans a file in the background, off the connection's reader.
func (st *state) run(path string, sc *scan) {
	s := st.srv
	ctx, cancel := context.WithCancel(s.ctx)
	sc.cancel, sc.done, sc.next = cancel, sc.next, nil
	if sc.done == nil {
		sc.done = make(chan struct{})
	}
	go func() {
		defer cancel()
		select {
		case s.reading <- struct{}{}:
		case <-ctx.Done():
			return
		}
		a := s.scanTarget(ctx, sc.target)
		<-s.reading
		_ = s.do(func(st *state) error { st.wasScanned(path, sc, a); return nil })
	}()
}

// scanTarget returns nil when the scanner panicked, and says so in the log.
func (s *Server) scanTarget(ctx context.Context, t artifact.Target) (a *engine.Artifact) {
	var err error
	defer recovered(s.log, "scan", &err)
	return s.opts.Scanner.ScanTarget(ctx, t)
}

// wasScanned takes over an artifact, unless nobody wants it any more.
func (st *state) wasScanned(path string, sc *scan, a *engine.Artifact) {
	if st.scans[path] != sc {
		return
	}
	close(sc.done)
	sc.cancel = nil
	sc.artifact, st.shared = a, nil
	if sc.next != nil {
		st.run(path, sc)
	}
	st.showModel(path)
	for _, u := range sc.wanted {
		if d := st.docs[u]; d != nil && d.result != nil {
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
