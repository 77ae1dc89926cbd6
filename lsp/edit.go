package lsp

import (
	"slices"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/analyzers"
)

// edit makes a workspace edit. It is versioned where the client can check that, so that it never meets
// another text, and annotated where the client can show what it is for.
func (snap *snapshot) edit(d *document, title string, edits []analyzers.Edit) *protocol.WorkspaceEdit {
	text := d.mapper().toEdits(edits)
	if !snap.client.documentChanges() {
		return &protocol.WorkspaceEdit{Changes: map[uri.URI][]protocol.TextEdit{d.as: text}}
	}
	out := &protocol.WorkspaceEdit{}
	annotate := snap.client.annotates()
	if annotate {
		out.ChangeAnnotations = map[protocol.ChangeAnnotationIdentifier]protocol.ChangeAnnotation{name: {Label: title}}
	}
	elements := make([]protocol.TextDocumentEditElement, len(text))
	for i := range text {
		if annotate {
			elements[i] = &protocol.AnnotatedTextEdit{TextEdit: text[i], AnnotationID: name}
		} else {
			elements[i] = &text[i]
		}
	}
	out.DocumentChanges = []protocol.DocumentChange{&protocol.TextDocumentEdit{
		TextDocument: protocol.OptionalVersionedTextDocumentIdentifier{
			TextDocumentIdentifier: protocol.TextDocumentIdentifier{URI: d.as}, Version: ptr(d.version),
		},
		Edits: elements,
	}}
	return out
}

func (c client) documentChanges() bool {
	ws := c.caps.Workspace
	return ws != nil && ws.WorkspaceEdit != nil && is(ws.WorkspaceEdit.DocumentChanges)
}

func (c client) annotates() bool {
	td := c.caps.TextDocument
	return td != nil && td.CodeAction != nil && is(td.CodeAction.HonorsChangeAnnotations)
}

// resolvesEdits reports whether the client asks for an action's edit when the user has chosen it.
func (c client) resolvesEdits() bool {
	td := c.caps.TextDocument
	return td != nil && td.CodeAction != nil && is(td.CodeAction.DataSupport) &&
		slices.Contains(td.CodeAction.ResolveSupport.Properties, "edit")
}
