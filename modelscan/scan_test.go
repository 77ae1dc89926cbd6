package modelscan_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// A format that panics is a gap, whether it claims the source or reads it, and the others still run.
func TestDefectIsGap(t *testing.T) {
	always := func(modelscan.Probe) modelscan.Confidence { return modelscan.Yes }
	nothing := func(context.Context, *modelscan.Pass) error { return nil }
	finds := &modelscan.Format{Name: "finds", Sniff: always, Scan: func(_ context.Context, p *modelscan.Pass) error {
		p.Emit.Finding(modelscan.Finding{Rule: rule.PickleCodeExecution, Path: p.Source.Name})
		return nil
	}}
	for name, broken := range map[string]*modelscan.Format{
		"sniff": {Name: "broken", Scan: nothing, Sniff: func(modelscan.Probe) modelscan.Confidence { panic("an index out of range") }},
		"scan":  {Name: "broken", Sniff: always, Scan: func(context.Context, *modelscan.Pass) error { panic("an index out of range") }},
	} {
		t.Run(name, func(t *testing.T) {
			src := modelscan.Source{Name: "m", R: bytes.NewReader([]byte("data")), Size: 4}
			r := modelscan.Scan(t.Context(), src, []*modelscan.Format{broken, finds}, modelscan.DefaultLimits())
			if len(r.Gaps) != 1 || r.Gaps[0].Rule != rule.InternalError {
				t.Errorf("gaps %+v, want one of rule %s", r.Gaps, rule.InternalError)
			}
			if len(r.Findings) != 1 {
				t.Errorf("findings %+v, want the one of the other format", r.Findings)
			}
		})
	}
}

// A compressed model whose first bytes are broken is in no format any more.
func TestBrokenPackedModelIsGap(t *testing.T) {
	for name, want := range map[string]modelscan.Verdict{"model.pkl.gz": modelscan.Incomplete, "model.joblib.XZ": modelscan.Incomplete, "log.gz": modelscan.Safe, "notes.txt.gz": modelscan.Safe, "model.pkl.txt": modelscan.Safe} {
		b := []byte("\x1e\x8b\x08 no format at all")
		r := modelscan.Scan(t.Context(), modelscan.Source{Name: name, R: bytes.NewReader(b), Size: int64(len(b))}, nil, modelscan.DefaultLimits())
		if got := r.Verdict(); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
