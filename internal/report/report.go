// Package report writes what a scan found: as text for people, JSON, SARIF and HTML for programs and
// archives. Every format is one file, and none of them judges: verdicts and scores come from the reports.
package report

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Run is everything that one command reports.
type Run struct {
	Version string // of the program
	Results []Result
}

// Result is one artifact as it is to be reported. Suppressed findings are taken out of its report,
// so that neither verdict nor score counts them, and kept beside it.
type Result struct {
	*engine.Artifact
	Suppressed []Suppressed
}

// Suppressed is a finding that somebody chose not to hear of again, and why.
type Suppressed struct {
	Finding modelscan.Finding
	Reason  string
}

// Verdict of the whole run: the worst of its artifacts, Unknown when there are none.
func (r *Run) Verdict() modelscan.Verdict {
	worst := modelscan.Unknown
	for i, res := range r.Results {
		if v := res.Verdict(); i == 0 || badness(v) > badness(worst) {
			worst = v
		}
	}
	return worst
}

// badness orders verdicts: what nobody looked at is worse than what was looked at in part.
func badness(v modelscan.Verdict) int {
	return slices.Index([]modelscan.Verdict{modelscan.Safe, modelscan.Review, modelscan.Incomplete, modelscan.Unknown, modelscan.Error, modelscan.Unsafe}, v)
}

// Worst is the highest severity among the findings that are not suppressed; 0 when there are none.
func (r *Run) Worst() rule.Severity {
	worst := rule.Severity(0)
	for _, res := range r.Results {
		for _, f := range res.Report.Findings {
			worst = max(worst, f.Rule.Severity())
		}
	}
	return worst
}

// Examined tells whether everything that a loader would read has been read.
func (r *Run) Examined() bool {
	for _, res := range r.Results {
		if res.Report.Failure != "" || len(res.Report.Gaps) > 0 || res.Verdict() == modelscan.Unknown {
			return false
		}
	}
	return len(r.Results) > 0
}

// findings of an artifact, the worst first, in the order of their report within a severity.
func (r Result) findings() []modelscan.Finding {
	sorted := slices.Clone(r.Report.Findings)
	slices.SortStableFunc(sorted, func(a, b modelscan.Finding) int {
		return int(b.Rule.Severity()) - int(a.Rule.Severity())
	})
	return sorted
}

// members are the names on the way to a source inside the artifact: "model.zip!a.pt!data.pkl" is
// ["a.pt", "data.pkl"]. The artifact itself is not among them.
func members(artifact, source string) []string {
	inside, ok := strings.CutPrefix(source, artifact+"!")
	if !ok {
		return nil
	}
	return strings.Split(inside, "!")
}

// URI of an artifact's path: a file URI, or the path itself where it is one of a remote scheme.
// Bytes that are no valid UTF-8 are percent-encoded as they are.
func URI(path string) string {
	if scheme, _, ok := strings.Cut(path, ":"); ok && slices.Contains([]string{"hf", "http", "https", "s3", "gs", "az"}, scheme) {
		return path
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	abs = filepath.ToSlash(abs)
	if !strings.HasPrefix(abs, "/") { // a Windows drive
		abs = "/" + abs
	}
	return (&url.URL{Scheme: "file", Path: abs}).String()
}
