//go:build linux

package engine_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/formats"
)

// objects is a pickled list of n small dicts, with a string of its own in each.
func objects(n int) []byte {
	var b bytes.Buffer
	b.WriteString("\x80\x04](")
	for i := range n {
		text := fmt.Sprintf("object number %d %0200d", i, i)
		b.WriteString("}\x94(\x8c\x01aK\x01\x8c\x01bX")
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(text))))
		b.WriteString(text + "\x94u")
	}
	b.WriteString("e.")
	return b.Bytes()
}

// used is the CPU time of this process and of its children that have ended.
func used() time.Duration {
	var sum time.Duration
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if unix.Getrusage(who, &u) == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return sum
}

// BenchmarkConfinement compares what a scan costs in this process and in a confined worker, its start
// included: 10 files of 50 MB each, and 2,000 small ones. Compare cpu-ms: it is steadier than the time.
func BenchmarkConfinement(b *testing.B) {
	large, small := b.TempDir(), b.TempDir()
	content := string(objects(200_000))
	for i := range 10 { // the workers' start is to cost next to nothing
		write(b, filepath.Join(large, fmt.Sprintf("m%d.pkl", i)), content)
	}
	for i := range 2000 {
		write(b, filepath.Join(small, fmt.Sprintf("m%04d.pkl", i)), string(objects(3)))
	}
	for name, dir := range map[string]string{"large": large, "small": small} {
		for how, scan := range map[string]func(*testing.B, string) int{"here": scanHere, "confined": scanConfined} {
			b.Run(name+"/"+how, func(b *testing.B) {
				before, n := used(), 0
				for b.Loop() {
					n = scan(b, dir)
				}
				b.ReportMetric(float64((used()-before).Milliseconds())/float64(b.N), "cpu-ms/op")
				b.ReportMetric(float64(n), "safe")
			})
		}
	}
}

func scanConfined(b *testing.B, dir string) (safe int) {
	e, err := engine.New(engine.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	e.ScanAll(b.Context(), []string{dir}, func(a *engine.Artifact) {
		if a.Verdict() == modelscan.Safe {
			safe++
		}
	})
	return safe
}

func scanHere(b *testing.B, dir string) (safe int) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, entry := range entries {
		f, err := os.Open(filepath.Join(dir, entry.Name()))
		if err != nil {
			b.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			b.Fatal(err)
		}
		r := modelscan.Scan(b.Context(), modelscan.Source{Name: entry.Name(), R: f, Size: info.Size()}, formats.All(), modelscan.DefaultLimits())
		if r.Verdict() == modelscan.Safe {
			safe++
		}
		f.Close()
	}
	return safe
}
