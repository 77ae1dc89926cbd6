package publisher

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Publisher is somebody who signed a model, as the signature names him.
type Publisher struct {
	Signer, Issuer       string // of a Sigstore identity
	Repository, Workflow string // of a CI job; may be empty
}

// ErrForm says that a policy is written in a form that is not edited here.
var ErrForm = errors.New("its form is not understood: add the rule by hand")

// The YAML of a rule that Add writes.
type (
	newRule struct {
		Name  string           `yaml:"name"`
		Match []string         `yaml:"match,flow"`
		Mode  string           `yaml:"mode"`
		AnyOf []map[string]any `yaml:"anyOf"`
	}
	newPolicy struct {
		Rules []newRule `yaml:"rules"`
	}
)

// Add writes a rule in front of the others of a policy, by which models that match are wanted signed by who, and by
// nobody else. What stands in the policy already stays as it is, comments too; no text is a policy without rules.
func Add(text []byte, match string, who Publisher, read func(string) ([]byte, error)) ([]byte, error) {
	if err := checkGlob(match); err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		text = fmt.Appendf(nil, "version: %d\n", Version)
	}
	before, err := Parse(text, read)
	if err != nil {
		return nil, err // nothing is written into what cannot be read
	}
	body, err := yaml.Marshal(newPolicy{[]newRule{{"trusted in the editor: " + match, []string{match}, string(evidence.Require), []map[string]any{who.entry()}}}})
	if err != nil {
		return nil, fmt.Errorf("trust policy: %w", err)
	}
	out, err := insertRule(text, body)
	if err != nil {
		return nil, err
	}
	after, err := Parse(out, read)
	if err != nil || len(after.Rules) != len(before.Rules)+1 || !slices.Equal(after.Rules[0].Match, []string{match}) {
		return nil, fmt.Errorf("trust policy: %w", ErrForm)
	}
	return out, nil
}

// entry names the publisher: a workflow whatever was built by it, anybody else by his identity.
func (p Publisher) entry() map[string]any {
	repo, ok := strings.CutPrefix(p.Repository, "https://github.com/")
	_, rest, found := strings.Cut(p.Signer, "/.github/workflows/")
	workflow, _, _ := strings.Cut(rest, "@")
	if p.Issuer == githubIssuer && ok && found && workflow != "" && strings.HasPrefix(p.Signer, p.Repository+"/") {
		return map[string]any{"github": map[string]string{"repository": repo, "workflow": workflow}}
	}
	return map[string]any{"identity": p.Signer, "issuer": p.Issuer}
}

// insertRule puts the first item of body's list in front of the items of text's.
func insertRule(text, body []byte) ([]byte, error) {
	begun := regexp.MustCompile(`(?m)^rules:[ \t]*(#[^\n]*)?\n`)
	at := begun.FindIndex(text)
	if at == nil {
		if bytes.Contains(text, []byte("\nrules:")) {
			return nil, fmt.Errorf("trust policy: %w", ErrForm)
		}
		if !bytes.HasSuffix(text, []byte("\n")) {
			text = append(slices.Clone(text), '\n')
		}
		return slices.Concat(text, body), nil
	}
	_, item, _ := bytes.Cut(body, []byte("\n")) // behind its own "rules:"
	item = reindent(item, indentOf(text[at[1]:]))
	return slices.Concat(text[:at[1]], item, text[at[1]:]), nil
}

// indentOf is how far the first item of a list is indented.
func indentOf(rest []byte) string {
	for line := range strings.SplitSeq(string(rest), "\n") {
		if item := strings.TrimLeft(line, " "); strings.HasPrefix(item, "-") {
			return line[:len(line)-len(item)]
		} else if item != "" && !strings.HasPrefix(item, "#") {
			break
		}
	}
	return ""
}

// reindent gives lines another indentation than that of the first.
func reindent(item []byte, indent string) []byte {
	lines := strings.Split(strings.TrimRight(string(item), "\n"), "\n")
	own := lines[0][:len(lines[0])-len(strings.TrimLeft(lines[0], " "))]
	for i := range lines {
		lines[i] = indent + strings.TrimPrefix(lines[i], own)
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}
