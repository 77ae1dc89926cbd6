package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// maxNotes of an artifact's coverage are shown; the JSON output has them all.
const maxNotes = 3

// Text writes the run for people. Its last line is the verdict on the whole.
func Text(w io.Writer, run *Run, colors Palette) error {
	t := textWriter{bufio.NewWriter(w), colors}
	others := 0
	for i, r := range run.Results {
		if r.Report.Kind == modelscan.KindOther && r.Verdict() == modelscan.Safe && len(run.Results) > 1 {
			others++
			continue
		}
		if i > 0 && r.Verdict() != modelscan.Safe {
			t.line("")
		}
		t.result(r)
	}
	t.summary(run, others)
	return t.w.Flush()
}

// textWriter keeps the first write error in its bufio.Writer, which Flush returns.
type textWriter struct {
	w *bufio.Writer
	Palette
}

func (t textWriter) line(format string, args ...any) { fmt.Fprintf(t.w, format+"\n", args...) }

func (t textWriter) result(r Result) {
	path := Escape(filepath.ToSlash(r.Path))
	for _, f := range r.findings() {
		t.heading("✗", f.Rule)
		t.line("  %s", place(path, r.Report.Artifact, f.Path, f.Offset))
		t.line("  %s\n", Escape(f.Message))
	}
	for _, g := range r.Report.Gaps {
		if g.Reason == r.Report.Failure {
			continue // said below
		}
		t.heading("?", g.Rule)
		t.line("  %s", place(path, r.Report.Artifact, g.Path, g.Offset))
		t.line("  not examined: %s\n", Escape(g.Reason))
	}
	if r.Report.Failure != "" {
		t.line("%s\n  %s\n  %s\n", t.Severity(rule.High, "! ERROR"), path, Escape(r.Report.Failure))
	}
	t.footer(path, r)
}

// footer is the artifact's own line, with what goes into its score and what was left out.
func (t textWriter) footer(path string, r Result) {
	kind := strings.Join(r.Report.Formats, ", ")
	if r.Report.Kind == modelscan.KindOther {
		kind = "no loader reads this"
	}
	if kind != "" {
		kind = t.Dim(" (" + kind + ")")
	}
	mark := t.Severity(rule.Medium, "? ")
	switch r.Verdict() {
	case modelscan.Safe:
		mark = t.Good("✓ ")
	case modelscan.Unsafe:
		mark = t.Severity(rule.Critical, "✗ ")
	}
	t.line("%s%s: %s%s%s, threat score %s", mark, path, r.Verdict(), byRanges(r), kind, scoreLine(r.Report.Score()))
	if o := r.Origin; o != nil && o.Status.Level != "" {
		t.line("  the hub's own scanners: %s", Escape(o.Status.Level))
	}
	t.provenanceLines(r.Signature)
	if n := len(r.Suppressed); n > 0 {
		t.line("  %d suppressed: not counted", n)
	}
	for i, note := range r.Report.Coverage.Notes {
		if i == maxNotes {
			t.line("  and %d more notes: see --format json", len(r.Report.Coverage.Notes)-maxNotes)
			break
		}
		t.line("  note: %s", Escape(note))
	}
}

// byRanges qualifies a verdict on a file of which parts were read.
func byRanges(r Result) string {
	if r.Report.Coverage.Mode != "ranges" {
		return ""
	}
	return " as far as ranges show"
}

// heading is "✗ CRITICAL pickle-os-system ST201 (CWE-502)".
func (t textWriter) heading(mark string, id rule.ID) {
	r, _ := rule.Get(id)
	label := mark + " " + strings.ToUpper(id.Severity().String())
	if mark == "?" {
		label = mark + " INCOMPLETE"
	}
	cwe := ""
	if len(r.CWE) > 0 {
		cwe = " (" + strings.Join(r.CWE, ", ") + ")"
	}
	t.line("%s %s %s%s", t.Severity(id.Severity(), label), r.Name, id, cwe)
}

// place is "model.pt → archive/data.pkl:offset 0x4a2c". A negative offset says there is none.
func place(path, artifact, source string, offset int64) string {
	parts := []string{path}
	for _, m := range members(artifact, source) {
		parts = append(parts, Escape(m))
	}
	at := ""
	if offset >= 0 {
		at = fmt.Sprintf(":offset %#x", offset)
	}
	return strings.Join(parts, " → ") + at
}

// scoreLine is "100 CRITICAL (pickle-os-system 100)".
func scoreLine(s modelscan.Score) string {
	line := fmt.Sprintf("%d %s", s.Total, s.Level)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s.Parts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, s.Parts[name]))
	}
	if len(parts) == 0 {
		return line
	}
	return line + " (" + strings.Join(parts, " + ") + ")"
}

// summary counts the verdicts where there are several, and ends with the one on the whole.
func (t textWriter) summary(run *Run, others int) {
	if len(run.Results) > 1 {
		t.line("\n%s", countLine(run))
		if others > 0 {
			t.line("no loader reads %d of the safe ones", others)
		}
	}
	if weak := weakness(run); weak != "" {
		t.line("%s", t.Severity(rule.High, "warning: "+weak))
	}
	t.line("%s", t.Bold("Verdict: "+verdictText(run)))
}

// countLine is "12 files: 1 unsafe, 2 incomplete, 9 safe".
func countLine(run *Run) string {
	counts := map[modelscan.Verdict]int{}
	for _, r := range run.Results {
		counts[r.Verdict()]++
	}
	var parts []string
	for _, v := range []modelscan.Verdict{modelscan.Unsafe, modelscan.Error, modelscan.Unknown, modelscan.Incomplete, modelscan.Review, modelscan.Safe} {
		if counts[v] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[v], v))
		}
	}
	noun := "files"
	if len(run.Results) == 1 {
		noun = "file"
	}
	return fmt.Sprintf("%d %s: %s", len(run.Results), noun, strings.Join(parts, ", "))
}

// weakness says what confined the scanners, where one read a file in less than the strict sandbox.
func weakness(run *Run) string {
	var everywhere []string // layers that were in force for all of these files
	found := false
	for _, r := range run.Results {
		if !slices.Contains([]string{"off", "process"}, r.Sandbox.Grade) {
			continue
		}
		if !found {
			everywhere = slices.Clone(r.Sandbox.Layers)
		}
		found = true
		everywhere = slices.DeleteFunc(everywhere, func(layer string) bool { return !slices.Contains(r.Sandbox.Layers, layer) })
	}
	switch {
	case !found:
		return ""
	case len(everywhere) == 0:
		return "scanned without a sandbox"
	}
	return "scanned without the strict sandbox; in force: " + Escape(strings.Join(everywhere, ", "))
}

func verdictText(run *Run) string {
	switch run.Verdict() {
	case modelscan.Unsafe:
		return "NOT SAFE to load."
	case modelscan.Error:
		return "ERROR: not everything could be scanned, so nothing is known to be safe."
	case modelscan.Incomplete:
		return "INCOMPLETE: a loader would read what was not examined, so it is not known to be safe."
	case modelscan.Review:
		return "REVIEW before loading."
	case modelscan.Safe:
		if !slices.ContainsFunc(run.Results, func(r Result) bool { return r.Report.Kind == modelscan.KindModel }) {
			return "no model among this: no loader reads these files."
		}
		if slices.ContainsFunc(run.Results, func(r Result) bool { return byRanges(r) != "" }) {
			return "safe to load as far as ranges show: nothing found in what was read; digests were not verified (--full does)."
		}
		return "safe to load: nothing found, and everything that a loader would interpret was read."
	}
	return "UNKNOWN: nothing was scanned."
}
