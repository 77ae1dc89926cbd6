package lsp

import (
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// publication is what is to be shown of a document; nothing, when doc is nil.
type publication struct {
	uri  uri.URI
	doc  *document
	snap *snapshot
}

// show queues the diagnostics of a document. They are made when their turn comes; until then a newer
// publication takes the place of this one, so versions only ever grow.
func (st *state) show(d *document) {
	st.drop(d.uri)
	st.queue = append(st.queue, publication{d.uri, d, st.snapshot()})
}

// clear queues the removal of a document's diagnostics.
func (st *state) clear(u uri.URI) {
	st.drop(u)
	st.queue = append(st.queue, publication{uri: u})
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
	msg := &protocol.PublishDiagnosticsParams{URI: p.uri, Diagnostics: []protocol.Diagnostic{}}
	if p.doc != nil {
		if p.snap.client.versions() {
			msg.Version = protocol.NewOptional(p.doc.version)
		}
		msg.Diagnostics = p.snap.diagnostics(p.doc)
	}
	return s.client.PublishDiagnostics(s.ctx, msg)
}
