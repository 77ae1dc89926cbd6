package modelscan

import (
	"context"
	"strings"
	"testing"
)

// describer is a format that says of itself what it is told to.
func describer(facts ...Fact) *Format {
	return &Format{
		Name: "d", Sniff: func(Probe) Confidence { return Yes },
		Scan: func(_ context.Context, p *Pass) error {
			for _, f := range facts {
				f.Kind = MetadataFact
				p.Emit.Fact(f)
			}
			return nil
		},
	}
}

// TestDocuments: what describes a model is kept, whatever facts are asked for; nothing else is, and not without bounds.
func TestDocuments(t *testing.T) {
	const bill = `{"bomFormat":"CycloneDX"}`
	for _, c := range []struct {
		name  string
		facts []Fact
		want  []Document
	}{
		{"a bill", []Fact{{Name: "sbom", Value: bill}, {Name: "other", Value: " " + bill}}, []Document{{Name: "sbom", Text: bill}, {Name: "other", Text: " " + bill}}},
		{"values", []Fact{{Name: "general.license", Value: "mit"}, {Name: "modelspec.title", Value: "t"}, {Name: "License", Value: "x"}}, []Document{{Name: "general.license", Text: "mit"}, {Name: "modelspec.title", Text: "t"}, {Name: "License", Text: "x"}}},
		{"anything", []Fact{{Name: "format", Value: "pt"}, {Name: "x", Value: `{"a":1}`}, {Name: "y", Value: `bomFormat`}}, nil},
		{"too large", []Fact{{Name: "sbom", Value: bill + strings.Repeat(" ", MaxDocument)}}, nil},
		{"not text", []Fact{{Name: "sbom", Value: bill + "\xff"}}, []Document{{Name: "sbom", Text: bill + "\ufffd"}}},
	} {
		r := Scan(t.Context(), Source{R: strings.NewReader("x"), Size: 1}, []*Format{describer(c.facts...)}, DefaultLimits())
		if len(r.Documents) != len(c.want) {
			t.Errorf("%s: %+v", c.name, r.Documents)
			continue
		}
		for i, d := range r.Documents {
			if d != c.want[i] {
				t.Errorf("%s: %+v", c.name, d)
			}
		}
		if noted := len(r.Coverage.Notes) > 0; noted != (c.name == "too large") {
			t.Errorf("%s: %v", c.name, r.Coverage.Notes)
		}
	}
	many := make([]Fact, 1000)
	for i := range many {
		many[i] = Fact{Name: "general.name", Value: strings.Repeat("x", 10_000)}
	}
	r := Scan(t.Context(), Source{R: strings.NewReader("x"), Size: 1}, []*Format{describer(many...)}, DefaultLimits())
	if len(r.Documents) != maxDocuments || len(r.Documents[0].Text) > maxDescription+10 {
		t.Errorf("%d documents of %d bytes", len(r.Documents), len(r.Documents[0].Text))
	}
}
