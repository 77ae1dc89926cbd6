package lsp

import (
	"context"
	"slices"

	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/internal/engine"
)

// scan is a model file that open documents load. It lives as long as one of them does.
type scan struct {
	wanted   []uri.URI // by these documents
	artifact *engine.Artifact
	cancel   context.CancelFunc // of the run under way; nil when there is none
	again    bool               // the file changed while the run was under way
}

// want says which files a document loads, in place of what it said before.
func (st *state) want(u uri.URI, files []string) {
	for path, sc := range st.scans {
		if slices.Contains(sc.wanted, u) && !slices.Contains(files, path) {
			st.release(path, sc, u)
		}
	}
	for _, path := range files {
		sc := st.scans[path]
		if sc == nil {
			sc = &scan{}
			st.scans[path] = sc
			st.run(path, sc)
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
	}
	delete(st.scans, path)
	st.shared = nil
	st.showModel(path)
}

// run scans a file in the background, off the connection's reader.
func (st *state) run(path string, sc *scan) {
	s := st.srv
	ctx, cancel := context.WithCancel(s.ctx)
	sc.cancel, sc.again = cancel, false
	go func() {
		defer cancel()
		select {
		case s.reading <- struct{}{}:
		case <-ctx.Done():
			return
		}
		artifact := s.scanFile(ctx, path)
		<-s.reading
		_ = s.do(func(st *state) error { st.wasScanned(path, sc, artifact); return nil })
	}()
}

// scanFile returns nil when the scanner panicked, and says so in the log.
func (s *Server) scanFile(ctx context.Context, path string) (a *engine.Artifact) {
	var err error
	defer recovered(s.log, "scan", &err)
	return s.opts.Scanner.ScanFile(ctx, path)
}

// wasScanned takes over an artifact, unless nobody wants it any more.
func (st *state) wasScanned(path string, sc *scan, a *engine.Artifact) {
	if st.scans[path] != sc {
		return
	}
	sc.cancel = nil
	sc.artifact, st.shared = a, nil
	if sc.again {
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

// rescan scans a file anew if any document loads it. What was known of it holds until then.
func (st *state) rescan(path string) {
	sc := st.scans[path]
	switch {
	case sc == nil:
	case sc.cancel != nil:
		sc.again = true
	default:
		st.run(path, sc)
	}
}
