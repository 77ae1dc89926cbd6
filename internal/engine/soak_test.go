//go:build linux

package engine_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// soak asks for the long forms: `make soak`.
var soak = flag.Bool("soak", false, "run the long forms of the soak tests")

// TestSoakFiles scans thousands of files, sound, broken and hostile ones: no worker is killed by the
// filter, none dies, and every file gets a verdict.
func TestSoakFiles(t *testing.T) {
	n := 300
	if *soak {
		n = 10_000
	}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(3, 4))
	seeds := []string{
		"\x80\x02}q\x00.", "\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s.", "cposix\nsystem\n(S'echo pwned'\ntR.",
		"PK\x03\x04\x14\x00\x00\x00\x00\x00", "GGUF\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00",
		"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n", "\x40\x00\x00\x00\x00\x00\x00\x00{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
		"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "\x89HDF\r\n\x1a\n\x00\x00", "\x08\x07\x12\x04test:\x02", "BZh91AY&SY", "7z\xbc\xaf\x27\x1c\x00\x04", "{\"auto_map\": {}}", "",
	}
	for i := range n {
		b := []byte(seeds[i%len(seeds)])
		if i >= len(seeds) {
			for range random.IntN(4) { // bent here and there
				if len(b) > 0 {
					b[random.IntN(len(b))] = byte(random.Uint32())
				}
			}
			b = append(b, make([]byte, random.IntN(3000))...)
		}
		write(t, filepath.Join(dir, fmt.Sprintf("%02d", i%50), fmt.Sprintf("m%05d.pt", i)), string(b))
	}
	for _, procs := range []int{2, 1, 16} {
		began := time.Now()
		soakFiles(t, dir, n, procs)
		t.Logf("GOMAXPROCS=%d: %d files in %s", procs, n, time.Since(began).Round(time.Second))
		if !*soak {
			break
		}
	}
}

func soakFiles(t *testing.T, dir string, n, procs int) {
	t.Helper()
	e := newEngine(t, engine.Options{Procs: procs})
	visited := 0
	e.ScanAll(t.Context(), []string{dir}, func(a *engine.Artifact) {
		visited++
		for _, f := range a.Report.Findings {
			if f.Rule == rule.ForbiddenCall {
				t.Errorf("%s: %+v", a.Path, f)
			}
		}
		for _, g := range a.Report.Gaps {
			if g.Rule == rule.WorkerFailed || g.Rule == rule.InternalError {
				t.Errorf("%s: %+v", a.Path, g)
			}
		}
	})
	if visited != n {
		t.Errorf("%d of %d files visited", visited, n)
	}
}
