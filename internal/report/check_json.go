package report

import (
	"encoding/json"
	"io"
	"path/filepath"
	"slices"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// The JSON output of check; docs/schema/check.json says the same. Lines and columns count from 1,
// columns in Unicode code points.
type (
	jsonCheck struct {
		Version   int            `json:"version"`
		Tool      jsonTool       `json:"tool"`
		Files     []jsonFile     `json:"files"`
		Artifacts []jsonArtifact `json:"artifacts"`
		Gaps      []jsonFileGap  `json:"gaps"`
	}
	jsonFile struct {
		Path        string           `json:"path"`
		URI         string           `json:"uri"`
		Calls       []jsonCall       `json:"calls"`
		Diagnostics []jsonDiagnostic `json:"diagnostics"`
		Suppressed  []jsonDiagnostic `json:"suppressed,omitempty"`
	}
	jsonRange struct {
		Line      int `json:"line"`
		Column    int `json:"column"`
		EndLine   int `json:"end_line"`
		EndColumn int `json:"end_column"`
		Cell      int `json:"cell,omitempty"` // of a notebook, from 1: lines are the cell's
	}
	jsonCall struct {
		Loader string `json:"loader"`
		jsonRange
		Guarded *bool     `json:"guarded"` // null: not certain
		Refs    []jsonRef `json:"refs"`
		Why     string    `json:"why"`
	}
	jsonRef struct {
		Kind      string `json:"kind"`
		Value     string `json:"value"`
		File      string `json:"file,omitempty"`
		Revision  string `json:"revision,omitempty"`
		Type      string `json:"type,omitempty"`               // of a repository: datasets, spaces
		Beside    bool   `json:"relative_to_source,omitempty"` // a path from the source's folder
		Sure      string `json:"sure"`
		Artifact  *int   `json:"artifact,omitempty"` // index into artifacts, of the first
		Artifacts []int  `json:"artifacts,omitempty"`
		Why       string `json:"why,omitempty"` // why nothing was scanned for it
	}
	jsonDiagnostic struct {
		Rule rule.ID `json:"rule"`
		Name string  `json:"name"`
		jsonRange
		Severity rule.Severity `json:"severity"`
		Message  string        `json:"message"`
		Fix      *jsonFix      `json:"fix"`
		Fixes    []jsonFix     `json:"fixes,omitempty"`
		Related  []jsonRelated `json:"related,omitempty"`
		Reason   string        `json:"reason,omitempty"` // of a suppression
		Print    string        `json:"fingerprint"`      // stays when lines move: what --baseline compares
	}
	jsonFix struct {
		Title string     `json:"title"`
		Safe  bool       `json:"safe"`
		Edits []jsonEdit `json:"edits"`
	}
	jsonEdit struct {
		jsonRange
		New string `json:"new"`
	}
	jsonRelated struct {
		Path    string `json:"path"`
		URI     string `json:"uri"`
		Member  string `json:"member"`
		Offset  int64  `json:"offset"`
		Message string `json:"message"`
	}
	jsonFileGap struct {
		Path   string `json:"path"`
		Reason string `json:"reason"`
	}
)

// CheckJSON writes the run in the layout of docs/schema/check.json.
func CheckJSON(w io.Writer, run *CheckRun) error {
	out := jsonCheck{Version: schemaVersion, Tool: jsonTool{"secure-torch", run.Version}, Files: []jsonFile{}, Artifacts: []jsonArtifact{}, Gaps: []jsonFileGap{}}
	index := map[string]int{}
	for i, r := range run.Results {
		index[r.Path] = i
		out.Artifacts = append(out.Artifacts, toJSON(r))
	}
	for _, f := range run.Files {
		out.Files = append(out.Files, fileJSON(f, index))
	}
	for _, g := range run.Gaps {
		out.Gaps = append(out.Gaps, jsonFileGap{Escape(filepath.ToSlash(g.Path)), Escape(g.Reason)})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func fileJSON(f CheckedFile, artifacts map[string]int) jsonFile {
	out := jsonFile{Path: Escape(filepath.ToSlash(f.Path)), URI: URI(f.Path), Calls: []jsonCall{}, Diagnostics: []jsonDiagnostic{}}
	for _, c := range f.Calls {
		out.Calls = append(out.Calls, callJSON(f.Lines, c, artifacts))
	}
	for _, d := range f.Diagnostics {
		out.Diagnostics = append(out.Diagnostics, diagnosticJSON(f, d, ""))
	}
	for _, d := range f.Suppressed {
		out.Suppressed = append(out.Suppressed, diagnosticJSON(f, d.Diagnostic, d.Reason))
	}
	return out
}

func rangeJSON(l *check.Lines, s analyzers.Span) jsonRange {
	var r jsonRange
	r.Line, r.Column = l.At(s.Start)
	r.EndLine, r.EndColumn = l.At(s.End)
	r.Cell = l.Cell(s.Start)
	return r
}

func callJSON(l *check.Lines, c check.Call, artifacts map[string]int) jsonCall {
	out := jsonCall{Loader: c.Loader, jsonRange: rangeJSON(l, c.Span), Refs: []jsonRef{}, Why: Escape(c.Why)}
	if c.Guarded != analyzers.Unsure {
		yes := c.Guarded == analyzers.Yes
		out.Guarded = &yes
	}
	for i, r := range c.Refs {
		j := jsonRef{Kind: r.Kind.String(), Value: Escape(r.Value), File: Escape(r.File), Revision: Escape(r.Revision), Type: r.Type, Beside: r.RelativeToSource, Sure: r.Sure.String()}
		if i < len(c.Found) {
			j.Why = Escape(c.Found[i].Why)
			for _, t := range c.Found[i].Targets {
				abs, err := filepath.Abs(t.Path)
				if at, ok := artifacts[abs]; ok && err == nil && !slices.Contains(j.Artifacts, at) {
					j.Artifacts = append(j.Artifacts, at)
				}
			}
		}
		if len(j.Artifacts) > 0 {
			j.Artifact = &j.Artifacts[0]
		}
		out.Refs = append(out.Refs, j)
	}
	return out
}

func diagnosticJSON(f CheckedFile, d check.Diagnostic, reason string) jsonDiagnostic {
	l := f.Lines
	r, _ := rule.Get(d.Rule)
	out := jsonDiagnostic{Rule: d.Rule, Name: r.Name, jsonRange: rangeJSON(l, d.Span), Severity: d.Severity, Message: Escape(d.Message), Reason: Escape(reason), Print: CheckFingerprint(f, d)}
	for _, fix := range d.Fixes {
		j := jsonFix{Title: fix.Title, Safe: fix.Safe, Edits: []jsonEdit{}}
		for _, e := range fix.Edits {
			j.Edits = append(j.Edits, jsonEdit{rangeJSON(l, e.Span), e.New})
		}
		out.Fixes = append(out.Fixes, j)
	}
	if len(out.Fixes) > 0 {
		out.Fix = &out.Fixes[0]
	}
	for _, rel := range d.Related {
		out.Related = append(out.Related, jsonRelated{Escape(filepath.ToSlash(rel.Path)), URI(rel.Path), Escape(rel.Member), rel.Offset, Escape(rel.Message)})
	}
	return out
}
