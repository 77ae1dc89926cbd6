package rds

import (
	"bytes"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

// The hostile cases are recipes in testdata.
func TestScan(t *testing.T) {
	model := scantest.Read(t, "lm.rda")
	scantest.Check(t, []scantest.Case{
		{Name: "data frame by R 4.2", File: scantest.Read(t, "df.rds")},
		{Name: "compiled function", File: scantest.Read(t, "bytefun.rds")},
		{Name: "calls, formula, bytes", File: scantest.Read(t, "misc.rds")},
		{Name: "compact sequence", File: scantest.Read(t, "altrep.rds")},
		{Name: "environment with an argument that was never used", File: scantest.Read(t, "promise.rds")},
		{Name: "linear model by save", File: model},
		{Name: "the same, which would start a process when it is updated", File: bytes.Replace(model, []byte("\x00\x00\x00\x02lm"), []byte("\x00\x00\x00\x06system"), 1), Want: []string{`ST282 system(formula = ~(y, x), data = data.frame(x = :(1, 4), y = c(1, 3, 2, 5)))`}},
		{Name: "cut", File: model[:len(model)-30], Want: []string{"ST901"}},
		{Name: "cut in its header", File: model[:20], Want: []string{"ST901"}},
		{Name: "ASCII", File: []byte("A\n3\n262658\n197888\n5\nUTF-8\n13\n1\n1\n"), Want: []string{"ST903"}},
		{Name: "an unknown type", File: []byte("X\n\x00\x00\x00\x02\x00\x04\x02\x02\x00\x02\x03\x00\x00\x00\x00\x63"), Want: []string{"ST901"}},
	}, Formats()...)
	if r := scantest.Scan(t, "table.csv", []byte("A\n2\n3\n"), Formats()...); r.Kind != modelscan.KindOther {
		t.Errorf("a table: %+v", r)
	}
}

func FuzzScan(f *testing.F) {
	for _, name := range []string{"df.rds", "bytefun.rds", "misc.rds", "lm.rda"} {
		f.Add(scantest.Read(f, name))
	}
	scantest.Fuzz(f, Formats()...)
}
