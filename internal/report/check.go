package report

import (
	"encoding/json"
	"fmt"

	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
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
	Suppressed  []check.Suppressed
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

// CheckBaseline is a set of diagnostics that are known, each as often as it was there.
type CheckBaseline map[string]int

// ReadCheckBaseline reads what CheckJSON wrote.
func ReadCheckBaseline(text []byte) (CheckBaseline, error) {
	var old struct {
		Version int `json:"version"`
		Files   []struct {
			Diagnostics []struct {
				Fingerprint string `json:"fingerprint"`
			} `json:"diagnostics"`
		} `json:"files"`
	}
	if err := json.Unmarshal(text, &old); err != nil {
		return nil, err
	}
	if old.Version != schemaVersion {
		return nil, fmt.Errorf("version %d is not %d", old.Version, schemaVersion)
	}
	known := CheckBaseline{}
	for _, f := range old.Files {
		for _, d := range f.Diagnostics {
			known[d.Fingerprint]++
		}
	}
	return known, nil
}

// Suppress moves the diagnostics for which why gives a reason among the suppressed.
func (f *CheckedFile) Suppress(why func(check.Diagnostic) (string, bool)) {
	kept := []check.Diagnostic{}
	for _, d := range f.Diagnostics {
		if reason, ok := why(d); ok {
			f.Suppressed = append(f.Suppressed, check.Suppressed{Diagnostic: d, Reason: reason})
		} else {
			kept = append(kept, d)
		}
	}
	f.Diagnostics = kept
}

// Examined says whether every source could be read, and every model that they name was.
func (r *CheckRun) Examined() bool {
	for _, res := range r.Results {
		if res.Report.Failure != "" || len(res.Report.Gaps) > 0 || res.Verdict() == modelscan.Unknown {
			return false
		}
	}
	return len(r.Gaps) == 0
}
