package rds

import (
	"bytes"
	"os"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

func read(t testing.TB, name string) []byte {
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The hostile cases are recipes in testdata.
func TestScan(t *testing.T) {
	model := read(t, "lm.rda")
	scantest.Check(t, []scantest.Case{
		{Name: "data frame by R 4.2", File: read(t, "df.rds")},
		{Name: "compiled function", File: read(t, "bytefun.rds")},
		{Name: "calls, formula, bytes", File: read(t, "misc.rds")},
		{Name: "compact sequence", File: read(t, "altrep.rds")},
		{Name: "environment with an argument that was never used", File: read(t, "promise.rds")},
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
		f.Add(read(f, name))
	}
	scantest.Fuzz(f, Formats()...)
}
