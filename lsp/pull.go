package lsp

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// pulls reports whether the client asks for diagnostics instead of being sent them. It must also let
// itself be told to ask again: the models' part comes later than the source's. Neovim 0.12, told so by a server
// with workspace diagnostics, asks only for those, and drops what they say of the documents it has open.
func (c client) pulls() bool {
	td, ws := c.caps.TextDocument, c.caps.Workspace
	return c.name != "Neovim" && td != nil && td.Diagnostic != nil && ws != nil && ws.Diagnostics != nil && is(ws.Diagnostics.RefreshSupport)
}

// resultID names a list of diagnostics by its content, so that nothing need be remembered of the client.
func resultID(list []protocol.Diagnostic) string {
	h := fnv.New128a()
	for i := range list {
		body, err := protocol.Marshal(&list[i])
		if err != nil {
			return "" // never equal to what a client sends
		}
		_, _ = h.Write(body) // a hash takes everything
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// diagnostic answers what is known now. It waits for the source to be read, never for a scan.
func diagnostic(ctx context.Context, snap *snapshot, p *protocol.DocumentDiagnosticParams) (protocol.DocumentDiagnosticReport, error) {
	d := snap.docs[p.TextDocument.URI]
	list := []protocol.Diagnostic{}
	if d != nil {
		d, err := d.checked(ctx)
		if err != nil {
			return nil, err
		}
		list = snap.diagnostics(d)
	} else if d := snap.unopened[p.TextDocument.URI]; d != nil && !d.silent {
		list = snap.diagnostics(d)
	}
	id := resultID(list)
	if p.PreviousResultID != nil && *p.PreviousResultID == id && id != "" {
		return &protocol.RelatedUnchangedDocumentDiagnosticReport{
			UnchangedDocumentDiagnosticReport: protocol.UnchangedDocumentDiagnosticReport{Kind: "unchanged", ResultID: id},
		}, nil
	}
	return &protocol.RelatedFullDocumentDiagnosticReport{
		FullDocumentDiagnosticReport: protocol.FullDocumentDiagnosticReport{Kind: "full", ResultID: &id, Items: list},
	}, nil
}

// workspaceDiagnostic answers for every open document that has been read and every model they load. What
// the client still holds of others is emptied.
func workspaceDiagnostic(_ context.Context, snap *snapshot, p *protocol.WorkspaceDiagnosticParams) (*protocol.WorkspaceDiagnosticReport, error) {
	before := map[uri.URI]string{}
	for _, r := range p.PreviousResultIds {
		before[r.URI] = r.Value
	}
	out := &protocol.WorkspaceDiagnosticReport{Items: []protocol.WorkspaceDocumentDiagnosticReport{}}
	add := func(u uri.URI, version *int32, list []protocol.Diagnostic) {
		id := resultID(list)
		had, known := before[canonical(u)]
		delete(before, canonical(u))
		if known && had == id && id != "" {
			out.Items = append(out.Items, &protocol.WorkspaceUnchangedDocumentDiagnosticReport{
				URI: u, Version: version,
				UnchangedDocumentDiagnosticReport: protocol.UnchangedDocumentDiagnosticReport{Kind: "unchanged", ResultID: id},
			})
			return
		}
		out.Items = append(out.Items, &protocol.WorkspaceFullDocumentDiagnosticReport{
			URI: u, Version: version,
			FullDocumentDiagnosticReport: protocol.FullDocumentDiagnosticReport{Kind: "full", ResultID: &id, Items: list},
		})
	}
	for _, d := range sorted(snap.docs) {
		if d.read() {
			add(d.as, &d.version, snap.diagnostics(d))
		} else {
			delete(before, d.uri)
		}
	}
	for _, d := range sorted(snap.unopened) {
		if !d.silent {
			add(d.as, nil, snap.diagnostics(d))
		}
	}
	for _, a := range sorted(snap.artifacts) {
		if u := uri.File(a.Path); snap.docs[u] == nil {
			add(u, nil, snap.modelDiagnostics(a, snap.folderOf(a.Path)))
		}
	}
	gone := make([]uri.URI, 0, len(before))
	for u := range before {
		gone = append(gone, u)
	}
	slices.Sort(gone)
	for _, u := range gone {
		add(u, nil, []protocol.Diagnostic{})
	}
	return out, nil
}

// canonical is a URI as the decoder makes it.
func canonical(u uri.URI) uri.URI {
	if c, err := uri.Parse(string(u)); err == nil {
		return c
	}
	return u
}

// sorted returns a map's values by key.
func sorted[K cmp.Ordered, V any](m map[K]V) []V {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := make([]V, len(keys))
	for i, k := range keys {
		out[i] = m[k]
	}
	return out
}
