package archtest

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan/formats"
)

// TestFormatsAreDocumented: docs/formats.md names every format.
func TestFormatsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range formats.All() {
		if !strings.Contains(string(text), "`"+f.Name+"`") {
			t.Errorf("docs/formats.md lacks `%s`", f.Name)
		}
	}
}

// TestWalkthroughs: CONTRIBUTING.md names files that are there.
func TestWalkthroughs(t *testing.T) {
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	paths := regexp.MustCompile("`((?:analyzers|docs|editors|internal|modelscan)/[\\w./-]+|[A-Z]+\\.md)`").FindAllStringSubmatch(string(text), -1)
	if len(paths) < 10 {
		t.Errorf("only %d files are named", len(paths))
	}
	for _, p := range paths {
		if strings.Contains(p[1], "NAME") || strings.Contains(p[1], "NN") {
			continue // what the reader adds
		}
		if _, err := os.Stat("../../" + p[1]); err != nil {
			t.Errorf("CONTRIBUTING.md: %v", err)
		}
	}
}

// TestScores: a rule's score lies in the band of its severity.
func TestScores(t *testing.T) {
	bands := map[rule.Severity][2]int{rule.Info: {0, 0}, rule.Low: {1, 15}, rule.Medium: {16, 35}, rule.High: {36, 65}, rule.Critical: {66, 100}}
	for _, r := range rule.All() {
		if band := bands[r.Severity]; r.Score < band[0] || r.Score > band[1] {
			t.Errorf("%s is %s and scores %d, which is outside %v", r.ID, r.Severity, r.Score, band)
		}
	}
}

// TestRulePages: every rule's page has the same sections, in the same order.
func TestRulePages(t *testing.T) {
	sections := []string{"## What it finds\n", "## Why it matters\n", "## Example\n", "## Use instead\n", "## References\n"}
	for _, r := range rule.All() {
		rest := r.Body()
		for _, s := range sections {
			_, after, ok := strings.Cut(rest, s)
			if !ok {
				t.Errorf("%s: no section %q where it belongs", r.ID, strings.TrimSpace(s))
				break
			}
			rest = after
		}
	}
}
