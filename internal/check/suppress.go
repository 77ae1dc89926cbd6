package check

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// Suppressed is a diagnostic that somebody asked not to show, and why.
type Suppressed struct {
	Diagnostic
	Reason string
}

// Split divides what is wrong into what is to be shown and what comments in the source suppress. What
// is wrong with those comments themselves is shown too. More is what the caller knows to be wrong besides.
func (c *Checked) Split(artifacts map[string]*engine.Artifact, trusted bool, more ...Diagnostic) (shown []Diagnostic, suppressed []Suppressed) {
	shown = []Diagnostic{}
	for _, d := range append(c.Diagnostics(artifacts), more...) {
		if ig, ok := c.ignored(d, trusted); ok {
			suppressed = append(suppressed, Suppressed{d, ig.Reason})
		} else {
			shown = append(shown, d)
		}
	}
	for _, ig := range c.ignores {
		used := slices.ContainsFunc(suppressed, func(s Suppressed) bool { return ig.covers(s.Diagnostic) })
		shown = append(shown, ig.wrong(used)...)
	}
	slices.SortStableFunc(shown, func(a, b Diagnostic) int { return a.Span.Start - b.Span.Start })
	return shown, suppressed
}

// wrong is what is wrong with an ignore comment.
func (ig Ignore) wrong(used bool) []Diagnostic {
	d := Diagnostic{Span: ig.RuleSpan}
	source := !slices.ContainsFunc(ig.Rules, func(r rule.ID) bool { return !strings.HasPrefix(string(r), "ST1") })
	switch {
	case ig.unknown:
		d.Rule, d.Message = rule.SuppressionWithoutReason, "there is no rule of that name"
	case ig.Reason == "":
		d.Rule, d.Message = rule.SuppressionWithoutReason, "the reason is missing behind the bracket"
	case !used && source:
		d.Rule, d.Message = rule.SuppressionUnused, "this suppresses nothing"
	default:
		return nil
	}
	d.Severity = d.Rule.Severity()
	return []Diagnostic{d}
}

// Silenced returns the entry of the config that asks not to report a diagnostic of the source at path. It
// may name the source or the model; in an untrusted folder none silences a finding in a model.
func Silenced(l *config.Loaded, d Diagnostic, path string) (config.Ignore, bool) {
	files, digest := []string{path}, ""
	if d.Artifact != nil {
		files, digest = append(files, d.Artifact.Path), d.Artifact.Digest
	}
	for _, f := range files {
		rel, err := relative(l.Dir, f)
		if err != nil {
			rel = f
		}
		if ig, ok := l.Match(d.Rule, filepath.ToSlash(rel), digest, l.Trusted); ok {
			return ig, true
		}
	}
	return config.Ignore{}, false
}

func relative(dir, path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.Rel(dir, abs)
}

// matches says whether a word names a rule: its id, a prefix of it, or its name.
func matches(word string, id rule.ID) bool {
	r, _ := rule.Get(id)
	return word != "" && (r.Name == word || strings.HasPrefix(word, "ST") && strings.HasPrefix(string(id), word))
}

// Selection chooses the rules to report, by ids, prefixes of ids, or names. The longest that matches decides;
// with nothing selected all are.
type Selection struct{ Select, Ignore []string }

// Has says whether a rule is selected.
func (s Selection) Has(id rule.ID) bool {
	longest := func(words []string) int {
		n := -1
		for _, w := range words {
			if w == "ALL" {
				n = max(n, 0)
			} else if matches(w, id) {
				n = max(n, len(w))
			}
		}
		return n
	}
	chosen, dropped := longest(s.Select), longest(s.Ignore)
	if len(s.Select) == 0 {
		return dropped < 0
	}
	return chosen > dropped
}

// Unknown is the first word that names no rule; empty when all do.
func (s Selection) Unknown() string {
	for _, w := range slices.Concat(s.Select, s.Ignore) {
		if w != "ALL" && !slices.ContainsFunc(rule.All(), func(r rule.Rule) bool { return matches(w, r.ID) }) {
			return w
		}
	}
	return ""
}
