// Package rule is the rule catalogue: one Markdown page per rule, and nothing about a rule anywhere else.
//
// A page in catalog/ has front matter (id, name, title, severity, cwe, cve, score, since) and the
// sections "What it finds", "Why it matters", "Example", "Use instead" and "References". The Go
// constants and the front matter in ids_gen.go, `secure-torch explain`, the SARIF rules and the documentation
// are all generated or read from it. A process that scans a file reads no page.
package rule

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:generate go run ./gen

//go:embed catalog/*.md
var pages embed.FS

// ID names a rule, "ST201". The zero ID names none.
type ID string

// Severity of a rule's findings. The zero value is invalid, so that a rule without one is noticed.
type Severity uint8

// Severities, least first.
const (
	Info Severity = iota + 1
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"invalid", "info", "low", "medium", "high", "critical"}

func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return severityNames[0]
}

// MarshalText writes the lower-case name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the lower-case name; any other text is an error.
func (s *Severity) UnmarshalText(text []byte) error {
	for i, name := range severityNames[1:] {
		if name == string(text) {
			*s = Severity(i + 1)
			return nil
		}
	}
	return fmt.Errorf("rule: unknown severity %q", text)
}

// Rule is the constant part of a finding: what is true of every instance.
type Rule struct {
	ID       ID       `yaml:"id"`
	Name     string   `yaml:"name"`  // kebab-case, stable
	Title    string   `yaml:"title"` // one line, no full stop
	Severity Severity `yaml:"severity"`
	CWE      []string `yaml:"cwe"`
	CVE      []string `yaml:"cve"`
	Score    int      `yaml:"score"` // its part of the threat score, 0 to 100
	Since    string   `yaml:"since"`
}

// Body is the rule's page without its front matter.
func (r Rule) Body() string {
	text, err := pages.ReadFile("catalog/" + string(r.ID) + ".md")
	if err != nil {
		return "" // no rule of the catalogue
	}
	_, body, _ := strings.Cut(string(text), "\n---\n")
	return strings.TrimSpace(body) + "\n"
}

// Get returns the rule with the given id, and whether there is one.
func Get(id ID) (Rule, bool) {
	i, ok := slices.BinarySearchFunc(catalogue[:], id, func(r Rule, id ID) int { return strings.Compare(string(r.ID), string(id)) })
	if !ok {
		return Rule{}, false
	}
	return catalogue[i], true
}

// Severity of the rule; Critical for an id that is not in the catalogue, so that a mistake is loud.
func (id ID) Severity() Severity {
	if r, ok := Get(id); ok {
		return r.Severity
	}
	return Critical
}

// All returns every rule, ordered by id.
func All() []Rule { return slices.Clone(catalogue[:]) }
