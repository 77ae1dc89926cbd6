package lsp

import (
	"context"
	"fmt"
	"path"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// hover says at a load call what is known of the models it may load, or why it is not known which.
func hover(ctx context.Context, snap *snapshot, p *protocol.HoverParams) (*protocol.Hover, error) {
	d := snap.docs[p.TextDocument.URI]
	if d == nil {
		return nil, nil
	}
	d, err := d.checked(ctx)
	if err != nil {
		return nil, err
	}
	at := d.mapper().offset(p.Position)
	for _, c := range d.result.Calls() {
		if c.Span.Start > at || at > c.Span.End {
			continue
		}
		return &protocol.Hover{Contents: markdown(snap.aboutCall(d, c)), Range: ptr(d.mapper().toRange(c.Span))}, nil
	}
	return nil, nil
}

func (snap *snapshot) aboutCall(d *document, c check.Call) string {
	found, waiting := snap.known(c)
	var parts []string
	for i, a := range found {
		if i == listed {
			parts = append(parts, fmt.Sprintf("… and %s more", count(len(found)-i, "file")))
			break
		}
		parts = append(parts, summary(a, listed))
	}
	if waiting > 0 {
		parts = append(parts, count(waiting, "file")+" still being scanned.")
	}
	for _, r := range c.Refs {
		switch r.Kind {
		case ref.Hub:
			parts = append(parts, "hub: "+code(strings.Trim(path.Join(r.Type, r.Value, r.File), "/"))+", revision "+code(orMain(r.Revision)))
		case ref.URL:
			parts = append(parts, "downloads: "+code(r.Value))
		}
	}
	parts = append(parts, snap.aboutHub(d, c)...)
	if c.Why != "" {
		parts = append(parts, "What it loads is not certain: "+plain(c.Why)+".")
	}
	if len(parts) == 0 && len(c.Absent) > 0 {
		parts = append(parts, "There is no "+code(c.Absent[0])+".")
	}
	if len(parts) == 0 {
		parts = append(parts, code(c.Loader)+" loads a model; which one cannot be told from the source.")
	}
	return strings.Join(parts, "\n\n---\n\n")
}

func orMain(revision string) string {
	if revision == "" {
		return "main (not pinned)"
	}
	return revision
}
