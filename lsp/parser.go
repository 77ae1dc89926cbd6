package lsp

import "github.com/secure-torch/secure-torch/analyzers"

// parser is the incremental parser of one open document. The run over the document, of which there is one
// at a time, uses doc; the rest belongs to the owner of the state.
type parser struct {
	doc     *analyzers.Document
	changes []analyzers.Change // since the version that doc was last given
}

// maxChanges bounds what is kept for a parser that is not asked: past it a whole parse costs less.
const maxChanges = 1000

func newParser() *parser { return &parser{doc: analyzers.NewDocument()} }

// add notes changes; nil, for a new text, starts anew.
func (p *parser) add(changes []analyzers.Change) {
	if changes == nil || len(p.changes)+len(changes) > maxChanges {
		*p = *newParser()
		return
	}
	p.changes = append(p.changes, changes...)
}

// take hands out the parser with the changes that it has not seen.
func (p *parser) take() (*analyzers.Document, []analyzers.Change) {
	changes := p.changes
	p.changes = nil
	return p.doc, changes
}
