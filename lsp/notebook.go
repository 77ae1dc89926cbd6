package lsp

import (
	"fmt"
	"slices"
	"strings"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// Notebooks come in two ways. With notebookDocument/* every cell is a text document of its own; a name that
// one cell defines is known in those after it, so each Python cell is read together with those before it.
// JupyterLab sends a notebook as one Python document, which needs nothing special.

// notebook is an open notebook: its cells in order, Python or not.
type notebook struct {
	path  string // of the file; empty when it is none
	cells []uri.URI
}

func didOpenNotebook(st *state, p *protocol.DidOpenNotebookDocumentParams) error {
	u := uri.URI(strings.Clone(string(p.NotebookDocument.URI)))
	nb := &notebook{}
	if u.IsFile() {
		nb.path = u.FsPath()
	}
	for _, c := range p.NotebookDocument.Cells {
		nb.cells = append(nb.cells, uri.URI(strings.Clone(string(c.Document))))
	}
	st.notebooks[u] = nb
	st.openCells(nb, p.CellTextDocuments)
	return nil
}

// openCells takes over the texts of Python cells.
func (st *state) openCells(nb *notebook, cells []protocol.TextDocumentItem) {
	for _, c := range cells {
		if c.LanguageID != "python" {
			continue
		}
		u := uri.URI(strings.Clone(string(c.URI)))
		st.putCell(nb, u, c.Version, []byte(c.Text))
	}
	st.rereadNotebook(nb)
}

func (st *state) putCell(nb *notebook, u uri.URI, version int32, text []byte) {
	d := st.newDocument(u, version, text)
	d.path, d.notebook = nb.path, nb
	st.retire(u, d)
	if nb.path != "" {
		d.root = st.rootOf(nb.path)
	}
	st.docs[u], st.shared = d, nil
}

// rereadNotebook has all cells read again.
func (st *state) rereadNotebook(nb *notebook) { st.rereadCells(nb, nb.cells) }

// rereadAfter has the first of the changed cells and those after it read again: what a cell means depends on those
// before it alone.
func (st *state) rereadAfter(nb *notebook, changed ...uri.URI) {
	first := slices.IndexFunc(nb.cells, func(u uri.URI) bool { return slices.Contains(changed, u) })
	if first >= 0 {
		st.rereadCells(nb, nb.cells[first:])
	}
}

func (st *state) rereadCells(nb *notebook, cells []uri.URI) {
	for _, u := range cells {
		if d := st.docs[u]; d != nil {
			st.putCell(nb, u, d.version, d.text)
			st.read(st.docs[u])
		}
	}
}

func didChangeNotebook(st *state, p *protocol.DidChangeNotebookDocumentParams) error {
	nb := st.notebooks[p.NotebookDocument.URI]
	if nb == nil {
		return fmt.Errorf("%w: %s", errNotOpen, p.NotebookDocument.URI)
	}
	changed := p.Change.Cells
	if changed == nil {
		return nil
	}
	if s := changed.Structure; s != nil {
		from := min(int(s.Array.Start), len(nb.cells))
		to := min(from+int(s.Array.DeleteCount), len(nb.cells))
		var cells []uri.URI
		for _, c := range s.Array.Cells {
			cells = append(cells, uri.URI(strings.Clone(string(c.Document))))
		}
		nb.cells = slices.Replace(slices.Clone(nb.cells), from, to, cells...)
		for _, c := range s.DidClose {
			st.forget(c.URI)
		}
		st.openCells(nb, s.DidOpen)
	}
	var edited []uri.URI
	for _, c := range changed.TextContent {
		if d := st.docs[c.Document.URI]; d != nil {
			text := apply(d.text, st.client.encoding, c.Changes)
			st.putCell(nb, d.uri, c.Document.Version, text)
			edited = append(edited, d.uri)
		}
	}
	if changed.Structure != nil {
		st.rereadNotebook(nb)
	} else {
		st.rereadAfter(nb, edited...)
	}
	return nil
}

func (st *state) forget(u uri.URI) {
	d := st.docs[u]
	if d == nil {
		return
	}
	st.retire(d.uri, nil)
	delete(st.docs, d.uri)
	st.shared = nil
	st.want(d.uri, nil)
	st.clear(d.uri)
	delete(st.spelling, d.uri)
	st.leave(d.root)
}

func didCloseNotebook(st *state, p *protocol.DidCloseNotebookDocumentParams) error {
	nb := st.notebooks[p.NotebookDocument.URI]
	if nb == nil {
		return fmt.Errorf("%w: %s", errNotOpen, p.NotebookDocument.URI)
	}
	for _, u := range nb.cells {
		st.forget(u)
	}
	delete(st.notebooks, p.NotebookDocument.URI)
	st.watchWanted()
	return nil
}
