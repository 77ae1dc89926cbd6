package lsp

import (
	"fmt"
	"slices"
	"strings"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// diagnostics of a document that has been read, given the artifacts known at the snapshot.
func (snap *snapshot) diagnostics(d *document) []protocol.Diagnostic {
	out := []protocol.Diagnostic{} // never nil: null is no list
	for i, c := range snap.shown(d) {
		out = append(out, snap.client.toDiagnostic(d, i, c))
	}
	return out
}

// shown are the diagnostics of a document that has been read, without those that a comment or the config
// silences.
func (snap *snapshot) shown(d *document) []check.Diagnostic {
	all, _ := d.result.Split(snap.artifacts, d.trusted(), snap.hubDiagnostics(d)...)
	return slices.DeleteFunc(all, func(x check.Diagnostic) bool {
		if d.unopened && x.Artifact == nil && snap.client.settings.WorkspaceScan != scanAll {
			return true
		}
		return d.root != nil && x.Rule != "" && d.root.ignores(x, d.path)
	})
}

// diagnosticData travels with a diagnostic and with the code actions made for it.
type diagnosticData struct {
	Version int32  `json:"version"` // of the document
	Index   int    `json:"index"`   // among the document's diagnostics
	Model   string `json:"model,omitempty"`
}

func (c client) toDiagnostic(d *document, index int, diag check.Diagnostic) protocol.Diagnostic {
	out := c.ruleDiagnostic(diag.Rule, diag.Severity, diag.Message)
	out.Range = d.mapper().toRange(diag.Span)
	caps := c.diagnosticCaps()
	if is(caps.RelatedInformation) {
		for _, r := range diag.Related {
			out.RelatedInformation = append(out.RelatedInformation, protocol.DiagnosticRelatedInformation{
				Location: protocol.Location{URI: uri.File(r.Path)},
				Message:  related(r),
			})
		}
	}
	if is(caps.DataSupport) {
		data := diagnosticData{Version: d.version, Index: index}
		if diag.Artifact != nil {
			data.Model = diag.Artifact.Path
		}
		out.Data = toAny(data)
	}
	return out
}

// ruleDiagnostic makes what is common to all diagnostics of a rule.
func (c client) ruleDiagnostic(id rule.ID, sev rule.Severity, message string) protocol.Diagnostic {
	out := protocol.Diagnostic{
		Severity: severity(sev),
		Source:   protocol.NewOptional(name),
		Message:  protocol.String(visible(message)),
	}
	if tag, ok := tags[id]; ok && slices.Contains(c.diagnosticCaps().TagSupport.ValueSet, tag) {
		out.Tags = protocol.NewDiagnosticTags(tag)
	}
	if id == "" { // about a config, not about code
		return out
	}
	out.Code = protocol.String(id)
	if is(c.diagnosticCaps().CodeDescriptionSupport) {
		out.CodeDescription = protocol.CodeDescription{Href: rulePage(id)}
	}
	return out
}

// tags of the rules whose diagnostics editors may show by how the code looks: faded, or struck through.
var tags = map[rule.ID]protocol.DiagnosticTag{
	rule.SuppressionUnused: protocol.DiagnosticTagUnnecessary,
	rule.KerasLegacyLoad:   protocol.DiagnosticTagDeprecated,
}

// modelDiagnostics says at a model file's own URI what was found in it, and what was not examined, but for what the
// config of its folder silences. A model has no lines: everything stands at its begin, and the offset in the message.
func (snap *snapshot) modelDiagnostics(a *engine.Artifact, r *root) []protocol.Diagnostic {
	out := []protocol.Diagnostic{}
	if a == nil || a.Report == nil {
		return out
	}
	add := func(id rule.ID, text string) {
		if r == nil || !r.ignores(check.Diagnostic{Rule: id, Artifact: a}, a.Path) {
			out = append(out, snap.client.ruleDiagnostic(id, id.Severity(), text))
		}
	}
	for _, f := range a.Report.Findings {
		add(f.Rule, place(f.Path, f.Offset)+f.Message)
	}
	for _, g := range a.Report.Gaps {
		add(g.Rule, place(g.Path, g.Offset)+g.Reason)
	}
	return out
}

// related says where in a model something was found, unless the message says so itself.
func related(r check.Related) string {
	if strings.Contains(r.Message, r.Member) {
		return visible(r.Message)
	}
	return visible(place(r.Member, r.Offset) + r.Message)
}

// place names a position in a model file, as a prefix.
func place(path string, offset int64) string {
	if offset < 0 {
		return path + ": "
	}
	return fmt.Sprintf("%s, offset %#x: ", path, offset)
}

func severity(s rule.Severity) protocol.DiagnosticSeverity {
	switch s {
	case rule.Medium:
		return protocol.DiagnosticSeverityWarning
	case rule.Low:
		return protocol.DiagnosticSeverityInformation
	case rule.Info:
		return protocol.DiagnosticSeverityHint
	}
	return protocol.DiagnosticSeverityError // high, critical, and an invalid one, which is loud
}
