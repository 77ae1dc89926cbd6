// Package rule is the rule catalogue: one Markdown page per rule, and nothing about a rule anywhere else.
//
// A page in catalog/ has front matter (id, name, title, severity, cwe, cve, score, since) and the
// sections "What it finds", "Why it matters", "Example", "Use instead" and "References". The Go
// constants in ids_gen.go, `secure-torch explain`, the SARIF rules and the documentation are all
// generated or read from it.
package rule

import (
	"embed"
	"fmt"
	"sort"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
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
	Body     string   `yaml:"-"` // the page without its front matter
}

// Parse reads one page. It refuses unknown front-matter keys and missing fields.
func Parse(page []byte) (Rule, error) {
	front, body, ok := strings.Cut(strings.TrimPrefix(string(page), "---\n"), "\n---\n")
	if !ok {
		return Rule{}, fmt.Errorf("rule: page has no front matter")
	}
	var r Rule
	dec := yaml.NewDecoder(strings.NewReader(front))
	dec.KnownFields(true)
	if err := dec.Decode(&r); err != nil {
		return Rule{}, fmt.Errorf("rule: front matter: %w", err)
	}
	if r.ID == "" || r.Name == "" || r.Title == "" || r.Severity == 0 || r.Since == "" {
		return Rule{}, fmt.Errorf("rule: %s: id, name, title, severity and since are all needed", r.ID)
	}
	r.Body = strings.TrimSpace(body) + "\n"
	return r, nil
}

var load = sync.OnceValue(func() map[ID]Rule {
	entries, err := pages.ReadDir("catalog")
	if err != nil {
		panic(err) // embedded: cannot happen in a binary that was built
	}
	all := make(map[ID]Rule, len(entries))
	for _, e := range entries {
		text, err := pages.ReadFile("catalog/" + e.Name())
		if err != nil {
			panic(err)
		}
		r, err := Parse(text)
		if err != nil {
			panic(fmt.Sprintf("%s: %v", e.Name(), err))
		}
		all[r.ID] = r
	}
	return all
})

// Get returns the rule with the given id, and whether there is one.
func Get(id ID) (Rule, bool) {
	r, ok := load()[id]
	return r, ok
}

// Severity of the rule; Critical for an id that is not in the catalogue, so that a mistake is loud.
func (id ID) Severity() Severity {
	if r, ok := Get(id); ok {
		return r.Severity
	}
	return Critical
}

// All returns every rule, ordered by id.
func All() []Rule {
	all := make([]Rule, 0, len(load()))
	for _, r := range load() {
		all = append(all, r)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	return all
}
