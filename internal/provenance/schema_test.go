package provenance_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/provenance"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

type schema struct {
	Ref        string             `json:"$ref"`
	Required   []string           `json:"required"`
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
	Defs       map[string]*schema `json:"$defs"`
}

// TestInputSchema: docs/schema/policy-input.json names every field that a policy is given, and the fields that it says
// are always there are.
func TestInputSchema(t *testing.T) {
	text, err := os.ReadFile("../../docs/schema/policy-input.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	now, index := time.Now(), int64(1)
	profile := evidence.AIProfile{
		Name: "n", TrainingDatasets: []evidence.Dataset{{Name: "d", License: "l", URL: "u", PersonalData: "no"}}, Licenses: []string{"l"},
		KnownVulnerabilities: []evidence.Vulnerability{{ID: "i", Description: "d", State: "s", Severity: "h"}},
	}
	for _, a := range []*engine.Artifact{
		{Report: &modelscan.Report{}},
		{
			Report:    &modelscan.Report{Formats: []string{"f"}, Findings: []modelscan.Finding{{Rule: rule.Unsigned}}, Gaps: []modelscan.Gap{{Rule: rule.ReadError}}},
			Signature: &evidence.Signature{State: evidence.Valid, Signer: "s", SignedAt: &now, LogIndex: &index, Ignored: []string{"x"}},
			SBOM:      &evidence.SBOM{State: evidence.Valid, Present: true, Embedded: true, Format: "f", Document: "d", Profile: profile},
		},
	} {
		doc, err := provenance.Input(a, provenance.SourceOf("/m"), "production")
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(doc, &value); err != nil {
			t.Fatal(err)
		}
		s.check(t, "input", value, s.Defs)
	}
}

func (s *schema) check(t *testing.T, at string, value any, defs map[string]*schema) {
	t.Helper()
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		s = defs[name]
	}
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			if s.Items != nil {
				s.Items.check(t, at+"[]", item, defs)
			}
		}
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				t.Errorf("%s has no %s", at, name)
			}
		}
		for name, inner := range v {
			switch p, ok := s.Properties[name]; {
			case ok:
				p.check(t, at+"."+name, inner, defs)
			case s.Properties != nil:
				t.Errorf("%s.%s is not in the schema", at, name)
			}
		}
	}
}
