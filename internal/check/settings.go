package check

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Settings that only some classes read: those with a vocabulary or a template of their own, and those with weights.
var (
	ofVocabularies = []string{"tokenizer_config.json", "processor_config.json", "preprocessor_config.json", "video_preprocessor_config.json", "chat_template.json", "chat_template.jinja"}
	ofModels       = []string{"generation_config.json", "scheduler_config.json"}
	// whole are classes and functions that load both; a diffusers pipeline does, too.
	whole = []string{"", "pipeline", "SentenceTransformer", "CrossEncoder", "SparseEncoder", "LLM"}
)

// sets tells whether the call reads a configuration that lies in what a reference led to. It goes by what the source
// calls and where the file lies, not by what a worker says: that could hide it.
func (c *Call) sets(f *artifact.Resolution, t artifact.Target) bool {
	o := c.Options
	if t.Role != artifact.Settings || o == (ref.Options{}) || f.Root == "" {
		return false
	}
	base := filepath.Base(t.Path)
	all := slices.Contains(whole, o.Class) || o.Library == "diffusers" || strings.HasSuffix(o.Class, "Pipeline")
	switch {
	case all:
	case slices.Contains(ofVocabularies, base) && !ref.Weightless(o.Class), slices.Contains(ofModels, base) && ref.Weightless(o.Class) && !strings.HasSuffix(o.Class, "Scheduler"):
		return false
	}
	rel, err := filepath.Rel(f.Root, filepath.Dir(t.Path))
	if err != nil {
		return false
	}
	rel = filepath.ToSlash(rel)
	return rel == "." || rel == o.Subfolder || all && !strings.Contains(rel, "/")
}

// ofSettings reports what a configuration has done, and, as far as the call may trust the repository's code, what that
// does.
func (c *Call) ofSettings(a *engine.Artifact) []Diagnostic {
	report := a.Report
	if report == nil {
		return nil
	}
	seen := *report
	told := *a
	told.Report = &seen
	seen.Findings = slices.DeleteFunc(slices.Clone(report.Findings), func(f modelscan.Finding) bool {
		// that there is code says the call's own diagnostic
		return f.Rule == rule.RemoteCode && c.Options.RemoteCode != "maybe" || c.Options.RemoteCode == "" && slices.Contains(ofCode, f.Rule)
	})
	seen.Gaps = slices.DeleteFunc(slices.Clone(report.Gaps), func(g modelscan.Gap) bool {
		return c.Options.RemoteCode == "" && strings.Contains(g.Path, "!") // in a module that it names
	})
	out := c.ofArtifact(&told, artifact.Settings)
	for i := range out {
		out[i].Artifact = a
	}
	return out
}

// ofCode are rules about what runs only for a call that trusts the repository's code.
var ofCode = []rule.ID{rule.RemoteCode, rule.RemoteCodeElsewhere, rule.RemoteCodeMissing, rule.PythonImportEffect, rule.PythonMethodEffect}
