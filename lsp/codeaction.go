package lsp

import (
	"context"
	"slices"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/analyzers"
)

// codeAction offers the fixes of the diagnostics that touch the range.
func codeAction(ctx context.Context, snap *snapshot, p *protocol.CodeActionParams) ([]protocol.CommandOrCodeAction, error) {
	actions := []protocol.CommandOrCodeAction{}
	d := snap.docs[p.TextDocument.URI]
	if d == nil || !wanted(p.Context.Only, protocol.CodeActionKindQuickFix) {
		return actions, nil
	}
	result, err := d.checked(ctx)
	if err != nil {
		return nil, err
	}
	at := d.mapper().toSpan(p.Range)
	for i, diag := range result.Diagnostics(snap.artifacts) {
		if !touch(diag.Span, at) {
			continue
		}
		for _, fix := range diag.Fixes {
			actions = append(actions, &protocol.CodeAction{
				Title:       fix.Title,
				Kind:        ptr(protocol.CodeActionKindQuickFix),
				Diagnostics: []protocol.Diagnostic{snap.client.toDiagnostic(d, i, diag)},
				IsPreferred: ptr(fix.Safe),
				Edit:        snap.edit(d, fix.Edits),
			})
		}
	}
	return actions, nil
}

// edit is versioned where the client can check it, so that it never meets another text.
func (snap *snapshot) edit(d *document, edits []analyzers.Edit) *protocol.WorkspaceEdit {
	text := d.mapper().toEdits(edits)
	if !snap.client.documentChanges() {
		return &protocol.WorkspaceEdit{Changes: map[uri.URI][]protocol.TextEdit{d.uri: text}}
	}
	elements := make([]protocol.TextDocumentEditElement, len(text))
	for i := range text {
		elements[i] = &text[i]
	}
	return &protocol.WorkspaceEdit{DocumentChanges: []protocol.DocumentChange{&protocol.TextDocumentEdit{
		TextDocument: protocol.OptionalVersionedTextDocumentIdentifier{
			TextDocumentIdentifier: protocol.TextDocumentIdentifier{URI: d.uri}, Version: ptr(d.version),
		},
		Edits: elements,
	}}}
}

func (c client) documentChanges() bool {
	ws := c.caps.Workspace
	return ws != nil && ws.WorkspaceEdit != nil && is(ws.WorkspaceEdit.DocumentChanges)
}

// wanted reports whether a client that asked only for some kinds wants this one. Kinds nest at dots.
func wanted(only []protocol.CodeActionKind, kind protocol.CodeActionKind) bool {
	return len(only) == 0 || slices.ContainsFunc(only, func(k protocol.CodeActionKind) bool {
		return k == "" || k == kind || len(kind) > len(k) && kind[:len(k)] == k && kind[len(k)] == '.'
	})
}

// touch reports whether two spans share a byte or meet.
func touch(a, b analyzers.Span) bool { return a.Start <= b.End && b.Start <= a.End }
