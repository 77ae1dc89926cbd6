package lsp

import (
	"bytes"
	"context"
	"net/url"
	"path"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// documentLink links what a call names, where it is written in the call, to the local file or the hub's
// page, and rule ids in ignore comments to their pages.
func documentLink(ctx context.Context, snap *snapshot, p *protocol.DocumentLinkParams) ([]protocol.DocumentLink, error) {
	links := []protocol.DocumentLink{}
	d := snap.docs[p.TextDocument.URI]
	if d == nil {
		return links, nil
	}
	d, err := d.checked(ctx)
	if err != nil {
		return nil, err
	}
	add := func(s analyzers.Span, target uri.URI, tip string) {
		link := protocol.DocumentLink{Range: d.mapper().toRange(s), Target: &target}
		if snap.client.linkTips() {
			link.Tooltip = &tip
		}
		links = append(links, link)
	}
	for _, c := range d.result.Calls() {
		for _, r := range c.Refs {
			if s, ok := written(d.text, c.Span, r.Value); ok {
				if target, tip := snap.target(c, r); target != "" {
					add(s, target, tip)
				}
			}
		}
	}
	for _, ig := range check.Ignores(d.text) {
		for _, id := range ig.Rules {
			if i := bytes.Index(d.text[ig.RuleSpan.Start:ig.RuleSpan.End], []byte(id)); i >= 0 {
				from := ig.RuleSpan.Start + i
				r, _ := rule.Get(id)
				add(analyzers.Span{Start: from, End: from + len(id)}, rulePage(id), r.Title)
			}
		}
	}
	return links, nil
}

func (c client) linkTips() bool {
	td := c.caps.TextDocument
	return td != nil && td.DocumentLink != nil && is(td.DocumentLink.TooltipSupport)
}

// written finds a value as a string literal's content inside a call.
func written(text []byte, call analyzers.Span, value string) (analyzers.Span, bool) {
	if value == "" || call.Start < 0 || call.End > len(text) || call.Start > call.End {
		return analyzers.Span{}, false
	}
	for _, quote := range []string{`"`, `'`} {
		if i := bytes.Index(text[call.Start:call.End], []byte(quote+value+quote)); i >= 0 {
			from := call.Start + i + 1
			return analyzers.Span{Start: from, End: from + len(value)}, true
		}
	}
	return analyzers.Span{}, false
}

func (snap *snapshot) target(c check.Call, r ref.Ref) (target uri.URI, tip string) {
	switch r.Kind {
	case ref.Path:
		for _, f := range c.Files {
			if a := snap.artifacts[f]; a != nil && a.Size > 0 {
				return uri.File(f), headline(a)
			}
		}
	case ref.Hub:
		page := url.URL{Scheme: "https", Host: "huggingface.co", Path: path.Join("/", r.Type, r.Value)}
		if r.Revision != "" {
			page.Path = path.Join(page.Path, "tree", r.Revision)
		}
		return uri.URI(page.String()), "the repository's page"
	}
	return "", ""
}
