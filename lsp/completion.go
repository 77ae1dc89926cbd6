package lsp

import (
	"context"
	"regexp"
	"sync"

	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// ignoreBegun matches a line up to where a rule is to be named.
var ignoreBegun = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`#[ \t]*secure-torch:[ \t]*ignore(?:-file)?\[([^\]\n]*)$`)
})

// completion offers rule ids inside the brackets of an ignore comment, keys and values in a secure-torch.toml, and
// nothing anywhere else: this
// server works beside others that know Python.
func completion(_ context.Context, snap *snapshot, p *protocol.CompletionParams) (protocol.CompletionResult, error) {
	list := &protocol.CompletionList{Items: []protocol.CompletionItem{}}
	d := snap.docs[p.TextDocument.URI]
	if d == nil {
		return list, nil
	}
	at := d.mapper().offset(p.Position)
	begin, _ := d.mapper().line(int(d.mapper().position(at).Line))
	if d.isConfigFile() {
		list.Items = completeConfig(d.text, begin, at)
		return list, nil
	}
	if !ignoreBegun().Match(d.text[begin:at]) {
		return list, nil
	}
	for _, r := range rule.All() {
		list.Items = append(list.Items, protocol.CompletionItem{
			Label:         string(r.ID),
			Kind:          protocol.CompletionItemKindConstant,
			Detail:        protocol.NewOptional(r.Severity.String() + ": " + r.Title),
			FilterText:    protocol.NewOptional(string(r.ID) + " " + r.Name),
			InsertText:    protocol.NewOptional(string(r.ID)),
			Documentation: markdown(r.Body()),
		})
	}
	return list, nil
}
