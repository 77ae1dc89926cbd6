package main

import (
	"fmt"
	"slices"

	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/internal/workspace"
)

// checkFilter decides which diagnostics are reported.
type checkFilter struct {
	selection check.Selection
	perFile   []perFile
	settings  *config.Loaded
	known     report.CheckBaseline
}

type perFile struct {
	pattern   string
	selection check.Selection
}

// filter reads the flags that choose among diagnostics.
func (f checkFlags) filter(settings *config.Loaded) (*checkFilter, error) {
	out := &checkFilter{selection: check.Selection{Select: f.selected, Ignore: f.ignored}, settings: settings}
	for _, entry := range f.perFile {
		pattern, word, err := splitPerFile(entry)
		if err != nil {
			return nil, err
		}
		if err := workspace.ValidPattern(pattern); err != nil {
			return nil, withHint(fmt.Errorf("--per-file-ignores %q: %w", entry, err), "write the pattern as in a .gitignore file")
		}
		out.perFile = append(out.perFile, perFile{pattern, check.Selection{Ignore: []string{word}}})
	}
	for _, s := range append([]check.Selection{out.selection}, selections(out.perFile)...) {
		if word := s.Unknown(); word != "" {
			return nil, withHint(fmt.Errorf("there is no rule %q", word), "see `secure-torch rules`")
		}
	}
	if f.baseline == "" {
		return out, nil
	}
	text, err := workspace.Read(f.baseline)
	if err == nil {
		out.known, err = report.ReadCheckBaseline(text)
	}
	if err != nil {
		return nil, withHint(fmt.Errorf("--baseline %s: %w", f.baseline, err), "it takes what `secure-torch check --format json -o baseline.json` wrote")
	}
	return out, nil
}

func selections(in []perFile) []check.Selection {
	var out []check.Selection
	for _, p := range in {
		out = append(out, p.selection)
	}
	return out
}

// apply leaves in the result what is selected, and makes the run that is reported.
func (f *checkFilter) apply(result *check.Result) *report.CheckRun {
	run := &report.CheckRun{Version: buildVersion()}
	known := report.CheckBaseline{}
	for k, n := range f.known {
		known[k] = n
	}
	for i := range result.Files {
		file := &result.Files[i]
		file.Diagnostics = slices.DeleteFunc(file.Diagnostics, func(d check.Diagnostic) bool { return !f.wants(file.Path, d) })
		out := report.CheckedFile{Path: file.Path, Lines: file.Lines(), Calls: file.Calls(), Diagnostics: file.Diagnostics, Suppressed: file.Suppressed}
		out.Suppress(func(d check.Diagnostic) (string, bool) {
			if print := report.CheckFingerprint(out, d); known[print] > 0 {
				known[print]--
				return "in the baseline", true
			}
			ig, ok := check.Silenced(f.settings, d, file.Path)
			return ig.Reason, ok
		})
		file.Diagnostics = out.Diagnostics
		run.Files = append(run.Files, out)
	}
	for _, a := range result.Artifacts {
		run.Results = append(run.Results, report.Result{Artifact: a})
	}
	for _, p := range result.Problems {
		run.Gaps = append(run.Gaps, report.SourceGap{Path: p.Path, Reason: p.Err.Error()})
	}
	return run
}

func (f *checkFilter) wants(path string, d check.Diagnostic) bool {
	if !f.selection.Has(d.Rule) {
		return false
	}
	for _, p := range f.perFile {
		if !p.selection.Has(d.Rule) && workspace.Matches(p.pattern, path) {
			return false
		}
	}
	return true
}
