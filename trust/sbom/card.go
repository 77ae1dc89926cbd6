package sbom

import (
	"bytes"
	"errors"
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// maxFront bounds a model card's front matter: YAML with aliases may be far larger than it looks.
const maxFront = 256 << 10

// readCard reads the YAML between the first two lines of "---" in a README.md, as model hubs define it.
func readCard(text []byte) (*evidence.SBOM, error) {
	rest, ok := bytes.CutPrefix(bytes.ReplaceAll(text[:min(len(text), maxFront)], []byte("\r\n"), []byte("\n")), []byte("---\n"))
	front, _, closed := bytes.Cut(rest, []byte("\n---"))
	if !ok || !closed {
		return nil, errors.New("no front matter")
	}
	var card struct {
		License     texts  `yaml:"license"`
		LicenseName string `yaml:"license_name"`
		BaseModel   texts  `yaml:"base_model"`
		Datasets    texts  `yaml:"datasets"`
		Tags        texts  `yaml:"tags"`
		Task        string `yaml:"pipeline_tag"`
		Library     string `yaml:"library_name"`
		ModelName   string `yaml:"model_name"`
	}
	if err := yaml.Unmarshal(front, &card); err != nil {
		return nil, fmt.Errorf("front matter: %w", err)
	}
	p := evidence.AIProfile{Name: card.ModelName, Task: card.Task, ModelType: card.Library, BaseModels: card.BaseModel}
	for _, l := range card.License {
		if l == "other" && card.LicenseName != "" {
			l = card.LicenseName
		}
		p.Licenses = add(p.Licenses, l)
	}
	for _, d := range card.Datasets {
		p.TrainingDatasets = append(p.TrainingDatasets, evidence.Dataset{Name: d})
	}
	return &evidence.SBOM{Format: "model-card", Profile: p}, nil
}

// texts is a text or a list of them; cards write either.
type texts []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (t *texts) UnmarshalYAML(n *yaml.Node) error {
	var one string
	if n.Decode(&one) == nil {
		*t = nil
		if one != "" {
			*t = texts{one}
		}
		return nil
	}
	var many []any
	if err := n.Decode(&many); err != nil {
		return err
	}
	for _, item := range many {
		if text, ok := item.(string); ok {
			*t = append(*t, text)
		}
	}
	return nil
}
