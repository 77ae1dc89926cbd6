package lsp

import (
	"fmt"
	"strings"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/workspace"
)

// didOpen takes over a document. Strings of a message share its memory, so what is kept is copied.
func didOpen(st *state, p *protocol.DidOpenTextDocumentParams) error {
	u := uri.URI(strings.Clone(string(p.TextDocument.URI)))
	st.parsers[u] = analyzers.NewDocument()
	st.put(st.newDocument(u, p.TextDocument.Version, []byte(p.TextDocument.Text)))
	return nil
}

// didChange makes the next version. Changes of a document that was never opened are refused: there is
// no text they could apply to.
func didChange(st *state, p *protocol.DidChangeTextDocumentParams) error {
	d := st.docs[p.TextDocument.URI]
	if d == nil {
		return fmt.Errorf("%w: %s", errNotOpen, p.TextDocument.URI)
	}
	text := apply(d.text, st.client.encoding, p.ContentChanges)
	if d.notebook != nil {
		st.putCell(d.notebook, d.uri, p.TextDocument.Version, text)
		st.rereadAfter(d.notebook, d.uri)
		return nil
	}
	st.put(st.newDocument(d.uri, p.TextDocument.Version, text))
	return nil
}

// didSave has the files that the document loads looked at again.
func didSave(st *state, p *protocol.DidSaveTextDocumentParams) error {
	d := st.docs[p.TextDocument.URI]
	if d == nil || d.result == nil {
		return nil
	}
	for _, t := range targets(d.result) {
		st.rescan(t.Path)
	}
	for _, other := range sorted(st.docs) {
		if other.root == d.root && other != d && d.root != nil && other.notebook == nil {
			st.put(st.newDocument(other.uri, other.version, other.text)) // it may import what was saved
		}
	}
	return nil
}

// didClose forgets a document, what it wanted scanned, and what was shown of it.
func didClose(st *state, p *protocol.DidCloseTextDocumentParams) error {
	d := st.docs[p.TextDocument.URI]
	if d == nil {
		return fmt.Errorf("%w: %s", errNotOpen, p.TextDocument.URI)
	}
	st.forget(d.uri)
	if d.path != "" && workspace.IsSource(d.path) {
		st.later(d.root, d.path)
	}
	delete(st.parsers, d.uri)
	if !st.busy[d.uri] {
		st.giveBack(d)
	}
	st.watchWanted()
	return nil
}
