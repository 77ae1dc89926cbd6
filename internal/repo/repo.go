// Package repo judges the files around a model's weights: configurations, tokenizers, indices, chat
// templates, model cards, requirements and Python. Loaders find these by name, so that here, and only
// here, a name decides how bytes are read.
package repo

import (
	"path"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Format returns the format in which loaders and readers of model repositories read a file of the
// given base name, nil for names that mean nothing to them. It is meant for modelscan.Source.As.
func Format(name string) *modelscan.Format {
	name = strings.ToLower(path.Base(name))
	for _, k := range kinds {
		if k.wants(name) {
			return k.format
		}
	}
	return nil
}

// kind ties names to a format.
type kind struct {
	wants  func(name string) bool
	format *modelscan.Format
}

// kinds in the order in which they are asked.
var kinds = []kind{
	{isIndex, index},
	{named("modules.json"), modules},
	{named("model_index.json"), pipeline},
	{func(n string) bool {
		return strings.HasSuffix(n, "config.json") || n == "chat_template.json" || n == "generation_config.json"
	}, config},
	{func(n string) bool { return strings.HasSuffix(n, ".jinja") || strings.HasSuffix(n, ".jinja2") }, template},
	{func(n string) bool { return strings.HasPrefix(n, "requirements") && strings.HasSuffix(n, ".txt") }, requirements},
	{func(n string) bool { return strings.HasSuffix(n, ".md") || strings.HasSuffix(n, ".markdown") }, card},
	{func(n string) bool { return strings.HasSuffix(n, ".py") }, python},
}

// isIndex: "model.safetensors.index.json", and diffusers' variants "….index.fp16.json".
func isIndex(n string) bool {
	stem, ok := strings.CutSuffix(n, ".json")
	return ok && (strings.HasSuffix(stem, ".index") || strings.Contains(stem, ".index."))
}

func named(name string) func(string) bool { return func(n string) bool { return n == name } }

// report adds a finding to a pass.
func report(p *modelscan.Pass, f modelscan.Finding) {
	f.Path = p.Name
	p.Emit.Finding(f)
}
