package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// CheckText writes diagnostics for people: one line each that editors and terminals can jump to, and
// the source line under it.
func CheckText(w io.Writer, run *CheckRun, colors Palette) error {
	t := textWriter{bufio.NewWriter(w), colors}
	counts := map[rule.Severity]int{}
	calls := 0
	for _, f := range run.Files {
		calls += len(f.Calls)
		for _, d := range f.Diagnostics {
			counts[d.Severity]++
			t.diagnostic(f, d)
		}
	}
	for _, g := range run.Gaps {
		t.line("%s %s\n  %s\n", t.Severity(rule.Medium, "? INCOMPLETE"), Escape(filepath.ToSlash(g.Path)), Escape(g.Reason))
	}
	t.line("%s", t.Bold(checkSummary(run, calls, counts)))
	return t.w.Flush()
}

func (t textWriter) diagnostic(f CheckedFile, d check.Diagnostic) {
	line, col := f.Lines.At(d.Span.Start)
	endLine, endCol := f.Lines.At(d.Span.End)
	r, _ := rule.Get(d.Rule)
	path := Escape(filepath.ToSlash(f.Path))
	if cell := f.Lines.Cell(d.Span.Start); cell > 0 {
		path += fmt.Sprintf(":cell %d", cell)
	}
	t.line("%s:%d:%d: %s %s", t.Bold(path), line, col,
		t.Severity(d.Severity, strings.ToUpper(d.Severity.String())+" "+string(d.Rule)), t.Dim(r.Name))
	t.line("  %s", Escape(d.Message))
	text := f.Lines.Text(d.Span.Start)
	if len(text) > 200 || d.Severity == rule.Info {
		return
	}
	if endLine != line {
		endCol = len([]rune(text)) + 1
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string([]rune(text)[:min(col-1, len([]rune(text)))]))
	t.line("    %s", Escape(strings.ReplaceAll(text, "\t", "    ")))
	t.line("    %s%s", strings.ReplaceAll(pad, "\t", "    "), t.Severity(d.Severity, strings.Repeat("^", max(endCol-col, 1))))
	for _, fix := range d.Fixes[:min(len(d.Fixes), 2)] {
		kind := "unsafe fix"
		if fix.Safe {
			kind = "fix"
		}
		t.line("    %s %s", t.Dim(kind+":"), Escape(fix.Title))
	}
}

func checkSummary(run *CheckRun, calls int, counts map[rule.Severity]int) string {
	s := fmt.Sprintf("%s, %s, %s scanned: ", Count(len(run.Files), "file", "files"), Count(calls, "load call", "load calls"), Count(len(run.Results), "model", "models"))
	if len(counts)+len(run.Gaps) == 0 {
		return s + "nothing to report."
	}
	var parts []string
	for _, severity := range slices.Backward(slices.Sorted(maps.Keys(counts))) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[severity], severity))
	}
	if n := len(run.Gaps); n > 0 {
		parts = append(parts, fmt.Sprintf("%d not read", n))
	}
	return s + strings.Join(parts, ", ") + "."
}

// Count is a number of things, "1 file" or "2 files": its last two arguments are one of them and several.
func Count(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}
