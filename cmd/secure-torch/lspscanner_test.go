package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// Where there is no strict sandbox, an editor that asked for none in particular gets what there is and one
// notice; one that asked for strict gets no scan.
func TestEditorDegradesWithOneNotice(t *testing.T) {
	model := filepath.Join(t.TempDir(), "evil.pkl")
	if err := os.WriteFile(model, []byte("cposix\nsystem\n(S'echo pwned'\ntR."), 0o600); err != nil {
		t.Fatal(err)
	}
	unavailable := &sandbox.UnavailableError{Mode: sandbox.Strict, Missing: map[string]string{sandbox.LayerSeccomp: "a test"}}
	for word, want := range map[string]struct {
		verdict modelscan.Verdict
		notices int
	}{
		"":       {modelscan.Unsafe, 1},
		"auto":   {modelscan.Unsafe, 0},
		"strict": {modelscan.Error, 0},
	} {
		m, err := newModelScanner(scannerOptions{sandbox: word}, func(o engine.Options) (*engine.Engine, error) {
			if o.Mode == sandbox.Strict {
				return nil, unavailable
			}
			o.Exe = program(t)
			return engine.New(o)
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if a := m.ScanTarget(t.Context(), artifact.Target{Path: model}); a.Verdict() != want.verdict {
				t.Errorf("%q: %v, want %v (%s)", word, a.Verdict(), want.verdict, a.Report.Failure)
			}
		}
		m.Close()
		if len(m.notices) != want.notices {
			t.Errorf("%q: %d notices, want %d", word, len(m.notices), want.notices)
		}
		if want.notices > 0 {
			if text := <-m.notices; !strings.Contains(text, "seccomp: a test") {
				t.Errorf("%q: %s", word, text)
			}
		}
	}
	if _, err := newModelScanner(scannerOptions{sandbox: "sloppy"}, engine.New); err == nil || errors.Is(err, unavailable) {
		t.Errorf("sloppy: %v", err)
	}
}
