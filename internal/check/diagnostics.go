package check

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// maxShown bounds the findings of one artifact that a call shows; the artifact has them all.
const maxShown = 5

// Diagnostics says what is wrong, given the artifacts known so far by absolute path. A file that is
// not among them is taken for one that is being scanned.
func (c *Checked) Diagnostics(artifacts map[string]*engine.Artifact) []Diagnostic {
	out := []Diagnostic{}
	for _, d := range c.diagnostics {
		out = append(out, Diagnostic{Rule: d.Rule, Severity: d.Rule.Severity(), Span: d.Span, Message: d.Message, Fixes: d.Fixes})
	}
	for i := range c.calls {
		for _, d := range c.calls[i].diagnostics(artifacts, c.resolved) {
			d.Call = c.calls[i].Span
			if c.calls[i].Example {
				d.Severity, d.Message = min(d.Severity, rule.Info), "in an example: "+d.Message
			}
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(a, b Diagnostic) int { return a.Span.Start - b.Span.Start })
	return out
}

func (c *Call) diagnostics(artifacts map[string]*engine.Artifact, resolved bool) []Diagnostic {
	var out []Diagnostic
	for i, path := range c.Files {
		a := artifacts[path]
		if a != nil && a.Report != nil && i >= len(c.Files)-c.code {
			a = imported(a)
		}
		if a != nil {
			out = append(out, c.ofArtifact(a, c.role(path))...)
		}
	}
	for _, t := range c.Targets() {
		if a := artifacts[t.Path]; a != nil && t.Role == artifact.Settings && !slices.Contains(c.Files, t.Path) {
			out = append(out, c.ofSettings(a)...)
		}
	}
	if c.Rule != "" {
		out = append(out, Diagnostic{Rule: c.Rule, Severity: c.Rule.Severity(), Span: c.FuncSpan, Message: c.Message, Fixes: c.fixes()})
	}
	if c.unread != "" {
		out = append(out, Diagnostic{Rule: rule.LoadUnresolved, Severity: rule.LoadUnresolved.Severity(), Span: c.FuncSpan,
			Message: "the Python that the call imports was not scanned: " + c.unread})
	}
	if why := c.unresolved(resolved); why != "" {
		out = append(out, Diagnostic{Rule: rule.LoadUnresolved, Severity: rule.LoadUnresolved.Severity(), Span: c.FuncSpan, Message: why})
	}
	return out
}

// imported is what is known of a Python file that the call imports, whatever the file's name.
func imported(a *engine.Artifact) *engine.Artifact {
	seen, told := *a.Report, *a
	seen.Findings, told.Report = slices.Clone(a.Report.Findings), &seen
	for i := range seen.Findings {
		if f := &seen.Findings[i]; f.Rule == rule.PythonScriptEffect {
			f.Rule = rule.PythonImportEffect
		}
	}
	return &told
}

// fixes are the call's own, and the pin to the commit that the hub's cache holds.
func (c *Call) fixes() []analyzers.Fix {
	out := slices.Clone(c.Fixes)
	for _, f := range c.Found {
		if f.Hub == nil {
			continue
		}
		if fix, ok := c.PinTo(f.Hub.Commit); ok {
			out = append(out, fix)
		}
	}
	return out
}

func (c *Call) role(path string) artifact.Role {
	role := artifact.Beside
	for _, f := range c.Found {
		for _, t := range f.Targets {
			if abs, err := filepath.Abs(t.Path); err == nil && abs == path {
				role = min(role, t.Role)
			}
		}
	}
	return role
}

// ofArtifact reports a file's findings on the call that loads it.
func (c *Call) ofArtifact(a *engine.Artifact, role artifact.Role) []Diagnostic {
	var out []Diagnostic
	report := a.Report
	if report == nil {
		return nil
	}
	add := func(id rule.ID, message, member string, offset int64) {
		severity := id.Severity()
		if c.Refuses {
			if severity < rule.High {
				return
			}
			id, severity, message = rule.LoadWillBeRefused, rule.LoadWillBeRefused.Severity(), "this call will refuse the file: "+message
		}
		if role == artifact.Settings && c.Options.RemoteCode == "maybe" && (slices.Contains(ofCode, id) || strings.Contains(member, "!")) {
			message += " (where trust_remote_code is true)"
			severity = min(severity, rule.Medium)
		}
		if role == artifact.Alternative {
			message += " (another file there is read in its place by default)"
			severity = min(severity, rule.Medium)
		}
		out = append(out, Diagnostic{Rule: id, Severity: severity, Span: c.FuncSpan, Message: message, Fixes: c.Fixes, Artifact: a,
			Related: []Related{{Path: a.Path, Member: member, Offset: offset, Message: message}}})
	}
	findings := slices.Clone(report.Findings)
	slices.SortStableFunc(findings, func(x, y modelscan.Finding) int { return int(y.Rule.Severity()) - int(x.Rule.Severity()) })
	for i, f := range findings {
		if i == maxShown {
			add(f.Rule, fmt.Sprintf("and %d more findings — %s", len(findings)-i, filepath.Base(a.Path)), f.Path, f.Offset)
			break
		}
		add(f.Rule, f.Message+" — "+at(a, f.Path, f.Offset), f.Path, f.Offset)
	}
	switch {
	case report.Failure != "": // its gap says the same
		add(rule.ReadError, "could not be scanned: "+report.Failure+" — "+filepath.Base(a.Path), "", -1)
	case len(report.Gaps) > 0:
		g := report.Gaps[0]
		more := ""
		if n := len(report.Gaps) - 1; n > 0 {
			more = fmt.Sprintf(", and %d more gaps", n)
		}
		add(g.Rule, "not examined: "+g.Reason+" — "+at(a, g.Path, g.Offset)+more, g.Path, g.Offset)
	}
	return out
}

// at is "evil.pt!archive/data.pkl at offset 0x2e".
func at(a *engine.Artifact, member string, offset int64) string {
	name := filepath.Base(a.Path)
	if inner, ok := strings.CutPrefix(member, a.Report.Artifact+"!"); ok {
		name += "!" + inner
	}
	if offset >= 0 {
		name += fmt.Sprintf(" at offset %#x", offset)
	}
	return name
}

// unresolved says why nothing is known of the file that the call loads; empty when something is.
func (c *Call) unresolved(resolved bool) string {
	if len(c.Refs) == 0 {
		if c.Why == "" {
			return ""
		}
		return "the file that `" + c.Loader + "` loads here cannot be told: " + c.Why
	}
	if !resolved || len(c.Files) > c.code {
		return ""
	}
	var whys []string
	for _, f := range c.Found {
		if f.Why != "" && !slices.Contains(whys, f.Why) {
			whys = append(whys, f.Why)
		}
	}
	if len(whys) == 0 {
		return ""
	}
	return "nothing was scanned for this call: " + strings.Join(whys[:min(len(whys), 3)], "; ")
}
