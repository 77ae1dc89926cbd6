package lsp

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/config"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// A secure-torch.toml that is open is no Python: it is told what is wrong with it, and what may stand in it.

// isConfigFile reports whether the document is a config of ours.
func (d *document) isConfigFile() bool {
	return d.path != "" && filepath.Base(d.path) == config.FileName
}

// configChecked is what is known of a config's text.
type configChecked struct{ problem *config.Problem }

func checkConfig(d *document) Checked {
	origin := config.Untrusted
	if d.trusted() {
		origin = config.Workspace
	}
	return configChecked{config.Check(d.text, origin)}
}

func (configChecked) Calls() []check.Call { return nil }

// Split has no rule to name: a config that cannot be read is nobody's finding.
func (c configChecked) Split(map[string]*engine.Artifact, bool, ...check.Diagnostic) ([]check.Diagnostic, []check.Suppressed) {
	if c.problem == nil {
		return nil, nil
	}
	return []check.Diagnostic{{
		Severity: rule.High, Span: analyzers.Span{Start: c.problem.Start, End: c.problem.End}, Message: c.problem.Message,
	}}, nil
}

var (
	tableHead  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^[ \t]*\[\[?[ \t]*([\w-]+)[^\n]*$`) })
	keyBegun   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[ \t]*[\w-]*$`) })
	valueBegun = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[ \t]*([\w-]+)[ \t]*=[ \t]*(["']?)[\w-]*$`) })
)

// completeConfig offers the keys of the table that at lies in, or the values of the key on its line.
func completeConfig(text []byte, begin, at int) []protocol.CompletionItem {
	table := ""
	if heads := tableHead().FindAllSubmatch(text[:begin], -1); len(heads) > 0 {
		table = string(heads[len(heads)-1][1])
	}
	line := text[begin:at]
	items := []protocol.CompletionItem{}
	if keyBegun().Match(line) {
		for _, k := range config.Keys(table) {
			items = append(items, protocol.CompletionItem{
				Label: k.Name, Kind: protocol.CompletionItemKindProperty, Documentation: markdown(plain(k.Doc)),
			})
		}
		return items
	}
	set := valueBegun().FindSubmatch(line)
	keys := config.Keys(table)
	if set == nil {
		return items
	}
	i := slices.IndexFunc(keys, func(k config.Key) bool { return k.Name == string(set[1]) })
	if i < 0 {
		return items
	}
	for _, v := range keys[i].Values {
		text := v
		if v != "true" && v != "false" && len(set[2]) == 0 {
			text = `"` + v + `"`
		}
		items = append(items, protocol.CompletionItem{
			Label: v, Kind: protocol.CompletionItemKindValue, InsertText: protocol.NewOptional(text), Detail: protocol.NewOptional(aboutValue(v)),
		})
	}
	return items
}

// aboutValue is a rule's title, where the value is one.
func aboutValue(v string) string {
	if r, ok := rule.Get(rule.ID(v)); ok && strings.HasPrefix(v, "ST") {
		return r.Title
	}
	return ""
}
