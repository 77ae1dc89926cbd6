package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/modelscan"
)

// loadBaseline reads the report that --baseline names; nil without one.
func loadBaseline(file string) (report.Baseline, error) {
	if file == "" {
		return nil, nil
	}
	const hint = "--baseline takes what `secure-torch scan --format json -o baseline.json` wrote"
	f, err := os.Open(file)
	if err != nil {
		return nil, withHint(err, hint)
	}
	defer f.Close()
	known, err := report.ReadBaseline(f)
	if err != nil {
		return nil, withHint(fmt.Errorf("%s: %w", file, err), hint)
	}
	return known, nil
}

// suppress takes out of a result what the baseline knows and what the config ignores. An entry of an
// untrusted config that would hide a finding in a file does not hold, and the coverage says so.
func suppress(r *report.Result, settings *config.Loaded, known report.Baseline) {
	file := relativeTo(settings.Dir, r.Path)
	refused := 0
	r.Suppress(func(f modelscan.Finding) (string, bool) {
		if known[report.Fingerprint(r.Path, f)] {
			return "in the baseline", true
		}
		if ig, ok := settings.Match(f.Rule, file, r.Digest, settings.Trusted); ok {
			return ig.Reason, true
		}
		if _, ok := settings.Match(f.Rule, file, r.Digest, true); ok {
			refused++
		}
		return "", false
	})
	if refused > 0 {
		r.Note(fmt.Sprintf("%d findings stay although %s ignores them: its folder is not trusted. Name it with --config, or list the folder in trusted_folders of your own config", refused, settings.File))
	}
}

// relativeTo is the slash-separated path of a file as seen from dir; the path itself where it lies elsewhere.
func relativeTo(dir, path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	rel, err := filepath.Rel(dir, abs)
	if err != nil {
		return filepath.ToSlash(path)
	}
	return filepath.ToSlash(rel)
}
