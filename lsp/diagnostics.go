package lsp

import (
	"fmt"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// diagnostics of a document that has been read, given the artifacts known at the snapshot.
func (snap *snapshot) diagnostics(d *document) []protocol.Diagnostic {
	out := []protocol.Diagnostic{} // never nil: null is no list
	for _, c := range d.result.Diagnostics(snap.artifacts) {
		out = append(out, snap.client.toDiagnostic(d.mapper(), c))
	}
	return out
}

func (c client) toDiagnostic(m *mapper, d check.Diagnostic) protocol.Diagnostic {
	caps := c.diagnosticCaps()
	out := protocol.Diagnostic{
		Range:    m.toRange(d.Span),
		Severity: severity(d.Severity),
		Code:     protocol.String(d.Rule),
		Source:   protocol.NewOptional(name),
		Message:  protocol.String(d.Message),
	}
	if is(caps.RelatedInformation) {
		for _, r := range d.Related {
			out.RelatedInformation = append(out.RelatedInformation, protocol.DiagnosticRelatedInformation{
				Location: protocol.Location{URI: uri.File(r.Path)},
				Message:  related(r),
			})
		}
	}
	return out
}

func related(r check.Related) string {
	if r.Offset < 0 {
		return fmt.Sprintf("%s: %s", r.Member, r.Message)
	}
	return fmt.Sprintf("%s at offset %#x: %s", r.Member, r.Offset, r.Message)
}

func severity(s rule.Severity) protocol.DiagnosticSeverity {
	switch {
	case s >= rule.High:
		return protocol.DiagnosticSeverityError
	case s == rule.Medium:
		return protocol.DiagnosticSeverityWarning
	case s == rule.Low:
		return protocol.DiagnosticSeverityInformation
	case s == rule.Info:
		return protocol.DiagnosticSeverityHint
	}
	return protocol.DiagnosticSeverityError // an invalid severity is loud
}
