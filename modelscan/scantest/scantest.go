// Package scantest runs formats over bytes in memory, for the tests of the formats.
package scantest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Read returns a file of the package's testdata.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Scan reads b as a file of the given name with the given formats.
func Scan(t testing.TB, name string, b []byte, formats ...*modelscan.Format) *modelscan.Report {
	t.Helper()
	return modelscan.Scan(t.Context(), modelscan.Source{Name: name, R: bytes.NewReader(b), Size: int64(len(b))}, formats, modelscan.DefaultLimits())
}

// Case is a file and what should be said of it.
type Case struct {
	Name string
	File []byte
	Want []string // "ST245 ../x" for findings, "ST901" for gaps, in order; none means the verdict is safe
}

// Check runs every case.
func Check(t *testing.T, cases []Case, formats ...*modelscan.Format) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			r := Scan(t, "model.bin", c.File, formats...)
			var got []string
			for _, f := range r.Findings {
				got = append(got, string(f.Rule)+" "+f.Subject)
			}
			for _, g := range r.Gaps {
				got = append(got, string(g.Rule))
			}
			if fmt.Sprint(got) != fmt.Sprint(c.Want) {
				t.Errorf("got  %q\nwant %q\n%+v %+v", got, c.Want, r.Findings, r.Gaps)
			}
			if len(c.Want) == 0 && (r.Verdict() != modelscan.Safe || r.Kind != modelscan.KindModel) {
				t.Errorf("verdict %v of a %s", r.Verdict(), r.Kind)
			}
		})
	}
}

// Fuzz gives every input to the formats: whatever it is, the scan must end without an internal error.
func Fuzz(f *testing.F, formats ...*modelscan.Format) {
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, g := range Scan(t, "model.bin", b, formats...).Gaps {
			if g.Rule == "ST909" {
				t.Fatal(g.Reason)
			}
		}
	})
}
