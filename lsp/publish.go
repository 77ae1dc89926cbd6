package lsp

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/internal/engine"
)

// publication is what is to be shown at one URI: a document's diagnostics, a model's, or none.
type publication struct {
	uri   uri.URI
	as    uri.URI // the same as the client writes it
	snap  *snapshot
	doc   *document
	model *engine.Artifact
	root  *root // that the model lies in; nil for none
}

// show queues the diagnostics of a document, unless the client pulls them. They are made when their turn
// comes; until then a newer publication takes the place of this one, so versions only ever grow.
func (st *state) show(d *document) {
	if !d.silent {
		st.enqueue(publication{uri: d.uri, doc: d})
	}
}

// showModel queues the diagnostics of a model file at its own URI; none when no document loads it any more.
func (st *state) showModel(path string) {
	p := publication{uri: uri.File(path)}
	if sc := st.scans[path]; sc != nil {
		p.model, p.root = sc.artifact, st.folderOf(path)
	}
	if st.docs[p.uri] == nil {
		st.enqueue(p)
	}
}

// clear queues the removal of what is shown at u.
func (st *state) clear(u uri.URI) { st.enqueue(publication{uri: u}) }

func (st *state) enqueue(p publication) {
	if st.client.pulls() {
		return
	}
	st.drop(p.uri)
	p.snap, p.as = st.snapshot(), st.spell(p.uri)
	st.queue = append(st.queue, p)
}

// drop forgets what waits to be published at u.
func (st *state) drop(u uri.URI) {
	st.queue = slices.DeleteFunc(st.queue, func(p publication) bool { return p.uri == u })
}

// publishAll sends what the owner of the state hands out: a client that does not read holds up only this.
func (s *Server) publishAll() {
	for {
		select {
		case p := <-s.publish:
			if err := s.send(p); err != nil {
				s.log.Warn("publish", "uri", p.uri, "err", err)
			}
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *Server) send(p publication) (err error) {
	defer recovered(s.log, "publish", &err)
	msg := &protocol.PublishDiagnosticsParams{URI: p.as, Diagnostics: []protocol.Diagnostic{}}
	switch {
	case p.doc != nil:
		if p.snap.client.versions() && !p.doc.unopened {
			msg.Version = protocol.NewOptional(p.doc.version)
		}
		msg.Diagnostics = p.snap.diagnostics(p.doc)
	case p.model != nil:
		msg.Diagnostics = p.snap.modelDiagnostics(p.model, p.root)
	}
	return s.client.PublishDiagnostics(s.ctx, msg)
}

// outdated says that what the client has asked for before may now be answered otherwise.
func (st *state) outdated() {
	select {
	case st.srv.stale <- struct{}{}:
	default:
	}
}

const refreshWait = 10 * time.Second

// refreshAll tells the client, where it listens, to ask again. At most one such round is under way.
func (s *Server) refreshAll() {
	for {
		select {
		case <-s.stale:
		case <-s.ctx.Done():
			return
		}
		var c client
		if s.do(func(st *state) error { c = st.client; return nil }) != nil {
			return
		}
		s.refresh(c)
	}
}

// refresh waits for the answers, each for a while of its own: a client that is slow with one is to hear of the others too.
func (s *Server) refresh(c client) {
	var asked []func(context.Context) error
	if c.pulls() {
		asked = append(asked, s.client.DiagnosticRefresh)
	}
	if ws := c.caps.Workspace; ws != nil && ws.CodeLens != nil && is(ws.CodeLens.RefreshSupport) {
		asked = append(asked, s.client.CodeLensRefresh)
	}
	if ws := c.caps.Workspace; ws != nil && ws.InlayHint != nil && is(ws.InlayHint.RefreshSupport) {
		asked = append(asked, s.client.InlayHintRefresh)
	}
	var all sync.WaitGroup
	for _, ask := range asked {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(s.ctx, refreshWait)
			defer cancel()
			if err := ask(ctx); err != nil && s.ctx.Err() == nil {
				s.log.Warn("refresh", "err", err)
			}
		})
	}
	all.Wait()
}
