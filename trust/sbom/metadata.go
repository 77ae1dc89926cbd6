package sbom

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// MetadataFormat is what a profile made of single values of a model file is called.
const MetadataFormat = "metadata"

// metadataNames say where the values of a model file's metadata go: GGUF's general.* (gguf.md of ggml, "General
// metadata"), the Stability model metadata standard's modelspec.*, and the plain names that exporters write.
var metadataNames = map[string]func(*evidence.AIProfile, string){
	"general.name":           func(p *evidence.AIProfile, v string) { p.Name = v },
	"general.version":        func(p *evidence.AIProfile, v string) { p.Version = v },
	"general.author":         func(p *evidence.AIProfile, v string) { p.Supplier = cmp.Or(p.Supplier, v) },
	"general.organization":   func(p *evidence.AIProfile, v string) { p.Supplier = v },
	"general.architecture":   func(p *evidence.AIProfile, v string) { p.Architecture = v },
	"general.license":        func(p *evidence.AIProfile, v string) { p.Licenses = add(p.Licenses, v) },
	"general.description":    func(p *evidence.AIProfile, v string) { p.TrainingInformation = v },
	"general.url":            func(p *evidence.AIProfile, v string) { p.ModelCard = cmp.Or(p.ModelCard, v) },
	"general.repo_url":       func(p *evidence.AIProfile, v string) { p.ModelCard = cmp.Or(p.ModelCard, v) },
	"modelspec.title":        func(p *evidence.AIProfile, v string) { p.Name = v },
	"modelspec.author":       func(p *evidence.AIProfile, v string) { p.Supplier = v },
	"modelspec.architecture": func(p *evidence.AIProfile, v string) { p.Architecture = v },
	"modelspec.license":      func(p *evidence.AIProfile, v string) { p.Licenses = add(p.Licenses, v) },
	"modelspec.merged_from":  func(p *evidence.AIProfile, v string) { p.BaseModels = add(p.BaseModels, v) },
	"license":                func(p *evidence.AIProfile, v string) { p.Licenses = add(p.Licenses, v) },
	"licence":                func(p *evidence.AIProfile, v string) { p.Licenses = add(p.Licenses, v) },
	"author":                 func(p *evidence.AIProfile, v string) { p.Supplier = v },
	"model_name":             func(p *evidence.AIProfile, v string) { p.Name = v },
	"model_version":          func(p *evidence.AIProfile, v string) { p.Version = v },
	"task":                   func(p *evidence.AIProfile, v string) { p.Task = v },
	"pipeline_tag":           func(p *evidence.AIProfile, v string) { p.Task = v },
	"library_name":           func(p *evidence.AIProfile, v string) { p.ModelType = v },
	"base_model":             func(p *evidence.AIProfile, v string) { p.BaseModels = add(p.BaseModels, v) },
	"dataset":                dataset,
	"datasets":               dataset,
}

func dataset(p *evidence.AIProfile, v string) {
	p.TrainingDatasets = append(p.TrainingDatasets, evidence.Dataset{Name: v})
}

// readMetadata makes a profile of a file's own metadata. Where a name stands twice the last one counts, as in its loader.
func readMetadata(values []evidence.Value) *evidence.SBOM {
	var p evidence.AIProfile
	for _, v := range values {
		if set := metadataNames[strings.ToLower(v.Name)]; set != nil && v.Text != "" {
			set(&p, v.Text)
			continue
		}
		if n, part, ok := numbered(v.Name, "general.base_model."); ok && (part == "repo_url" || part == "name" && !hasBase(values, n)) {
			p.BaseModels = add(p.BaseModels, v.Text)
		}
	}
	p.TrainingDatasets = append(p.TrainingDatasets, datasets(values)...)
	return &evidence.SBOM{Format: MetadataFormat, Profile: p}
}

// datasets are those that GGUF numbers, in order.
func datasets(values []evidence.Value) []evidence.Dataset {
	sets := map[int]*evidence.Dataset{}
	for _, v := range values {
		n, part, ok := numbered(v.Name, "general.dataset.")
		if !ok {
			continue
		}
		if sets[n] == nil {
			sets[n] = &evidence.Dataset{}
		}
		switch part {
		case "name":
			sets[n].Name = v.Text
		case "repo_url", "url":
			sets[n].URL = cmp.Or(sets[n].URL, v.Text)
		}
	}
	var out []evidence.Dataset
	for _, n := range slices.Sorted(maps.Keys(sets)) {
		if d := sets[n]; d.Name != "" || d.URL != "" {
			d.Name = cmp.Or(d.Name, d.URL)
			out = append(out, *d)
		}
	}
	return out
}

// numbered takes "general.dataset.3.name" apart.
func numbered(name, prefix string) (n int, part string, ok bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, "", false
	}
	if _, err := fmt.Sscanf(rest, "%d.%s", &n, &part); err != nil {
		return 0, "", false
	}
	return n, part, n >= 0
}

// hasBase tells whether the base model of that number has a URL, which says more than its name.
func hasBase(values []evidence.Value, n int) bool {
	return slices.ContainsFunc(values, func(v evidence.Value) bool {
		return v.Name == fmt.Sprintf("general.base_model.%d.repo_url", n) && v.Text != ""
	})
}
