package report

import (
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// CheckRun is everything that one `check` reports.
type CheckRun struct {
	Version string
	Files   []CheckedFile
	Results []Result    // the artifacts that were scanned
	Gaps    []SourceGap // what could not be read
}

// CheckedFile is one source and what is wrong with it.
type CheckedFile struct {
	Path        string
	Lines       *check.Lines
	Calls       []check.Call
	Diagnostics []check.Diagnostic
	Suppressed  []SuppressedDiagnostic
}

// SuppressedDiagnostic is a diagnostic that a comment, the config or a baseline asks not to show.
type SuppressedDiagnostic struct {
	check.Diagnostic
	Reason string
}

// SourceGap is a source, or a part of one, that was not understood.
type SourceGap struct {
	Path   string
	Reason string
}

// Worst is the highest severity of what is shown; 0 when there is nothing.
func (r *CheckRun) Worst() rule.Severity {
	worst := rule.Severity(0)
	for _, f := range r.Files {
		for _, d := range f.Diagnostics {
			worst = max(worst, d.Severity)
		}
	}
	return worst
}
