package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Fingerprint identifies a finding from one run to the next: the rule, the file as it was named, the
// place inside it and what would happen. The offset is not part of it; the message is, so that a
// finding whose arguments changed is a new one. It is what partialFingerprints in SARIF hold.
func Fingerprint(path string, f modelscan.Finding) string {
	_, inside, _ := strings.Cut(f.Path, "!")
	return fingerprint(string(f.Rule), cleanPath(path), Escape(inside), Escape(f.Subject), Escape(f.Message))
}

func fingerprint(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part) // lengths, so that no two lists of parts look alike
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// cleanPath is a path in the form in which reports name it: relative to the working directory where
// it lies in it, with "/", escaped.
func cleanPath(path string) string {
	if filepath.IsAbs(path) {
		if here, err := filepath.Abs("."); err == nil {
			if rel, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(rel) {
				path = rel
			}
		}
	}
	return Escape(filepath.ToSlash(filepath.Clean(path)))
}

// Baseline is the set of findings of an earlier run.
type Baseline map[string]bool

// maxBaseline of a baseline file, in bytes.
const maxBaseline = 256 << 20

// ReadBaseline reads an earlier JSON report.
func ReadBaseline(r io.Reader) (Baseline, error) {
	var earlier struct {
		Version   int `json:"version"`
		Artifacts []struct {
			Path     string `json:"path"`
			Findings []struct {
				Rule    string `json:"rule"`
				Path    string `json:"path"`
				Subject string `json:"subject"`
				Message string `json:"message"`
			} `json:"findings"`
		} `json:"artifacts"`
	}
	limited := &io.LimitedReader{R: r, N: maxBaseline}
	if err := json.NewDecoder(limited).Decode(&earlier); err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	if earlier.Version != schemaVersion || earlier.Artifacts == nil {
		return nil, errors.New("baseline: not a JSON report of secure-torch scan")
	}
	known := Baseline{}
	for _, a := range earlier.Artifacts {
		for _, f := range a.Findings {
			_, inside, _ := strings.Cut(f.Path, "!")
			known[fingerprint(f.Rule, cleanPath(a.Path), inside, f.Subject, f.Message)] = true
		}
	}
	return known, nil
}

// Suppress takes findings out of the result's report for which why gives a reason, and keeps them
// beside it. Gaps are never suppressed: what was not examined is not known to be harmless.
func (r *Result) Suppress(why func(modelscan.Finding) (reason string, ok bool)) {
	if r.Report == nil || len(r.Report.Findings) == 0 {
		return
	}
	kept := []modelscan.Finding{}
	var dropped []Suppressed
	for _, f := range r.Report.Findings {
		if reason, ok := why(f); ok {
			dropped = append(dropped, Suppressed{f, reason})
		} else {
			kept = append(kept, f)
		}
	}
	if len(dropped) == 0 {
		return
	}
	r.own()
	r.Report.Findings = kept
	r.Suppressed = append(r.Suppressed, dropped...)
}

// Note adds a line to the result's coverage.
func (r *Result) Note(line string) {
	r.own()
	r.Report.Coverage.Notes = append(slices.Clip(r.Report.Coverage.Notes), line)
}

// own makes the result's artifact and report its own copies: the engine's may be shared with a cache.
func (r *Result) own() {
	artifact, scanned := *r.Artifact, *r.Report
	artifact.Report = &scanned
	r.Artifact = &artifact
}
