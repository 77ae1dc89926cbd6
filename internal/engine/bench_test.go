package engine_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/modelscan"
)

// BenchmarkFolder scans 1,000 small pickles through the confined pool, the engine's start included.
func BenchmarkFolder(b *testing.B) {
	dir := b.TempDir()
	for i := range 1000 {
		write(b, filepath.Join(dir, fmt.Sprintf("m%04d.pkl", i)), "\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s.")
	}
	for b.Loop() {
		e, err := engine.New(engine.Options{})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		e.ScanAll(b.Context(), []string{dir}, func(a *engine.Artifact) {
			if a.Verdict() == modelscan.Safe {
				n++
			}
		})
		e.Close()
		b.ReportMetric(float64(n), "safe")
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/file")
}
