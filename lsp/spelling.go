package lsp

import (
	"encoding/json"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/uri"
)

// The protocol library normalises every URI that it decodes, as VS Code would write it. Other clients
// write theirs otherwise (an unescaped @, three slashes) and compare strings: they are to be answered in
// their own spelling, so that is read from the message itself where a document is opened.

// opened are the places in a message at which a document that is opened is named.
type opened struct {
	TextDocument      named   `json:"textDocument"`
	CellTextDocuments []named `json:"cellTextDocuments"`
	Change            struct {
		Cells struct {
			Structure struct {
				DidOpen []named `json:"didOpen"`
			} `json:"structure"`
		} `json:"cells"`
	} `json:"change"`
}

type named struct {
	URI string `json:"uri"`
}

// spelled is notify for a method that opens documents.
func spelled[P any](f func(*state, *P) error) method {
	inner := notify(f)
	return method{notify: func(st *state, raw jsonrpc2.RawMessage) error {
		var o opened
		if json.Unmarshal(raw, &o) == nil { // else the inner one says what is wrong
			all := append(append(o.CellTextDocuments, o.TextDocument), o.Change.Cells.Structure.DidOpen...)
			for _, n := range all {
				if u, err := uri.Parse(n.URI); err == nil && string(u) != n.URI {
					st.spelling[u] = uri.URI(n.URI)
				}
			}
		}
		return inner.notify(st, raw)
	}}
}

// spell is a document's URI as the client writes it.
func (st *state) spell(u uri.URI) uri.URI {
	if as, ok := st.spelling[u]; ok {
		return as
	}
	return u
}
