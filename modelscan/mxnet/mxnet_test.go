package mxnet

import (
	"bytes"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

// The hostile cases are recipes in testdata.
func TestScan(t *testing.T) {
	params, symbol := scantest.Read(t, "tiny.params"), scantest.Read(t, "tiny-symbol.json")
	scantest.Check(t, []scantest.Case{
		{Name: "arrays by MXNet 1.9.1", File: params},
		{Name: "sparse arrays", File: scantest.Read(t, "sparse.params")},
		{Name: "NumPy's arrays, one of them a number", File: scantest.Read(t, "numpy.params")},
		{Name: "graph", File: symbol},
		{Name: "arrays cut", File: params[:100], Want: []string{"ST901"}},
		{Name: "names cut", File: params[:len(params)-3], Want: []string{"ST901"}},
		{Name: "graph cut", File: symbol[:len(symbol)/2], Want: []string{"ST901"}},
		{Name: "node outside", File: bytes.Replace(symbol, []byte(`"heads": [[`), []byte(`"heads": [[9`), 1), Want: []string{"ST284 nodes"}},
	}, Params, Symbol)
	for _, s := range []string{`{"nodes":[],"heads":[]}`, `{"nodes":[{"op":"x"}]}`, `{"nodes":"heads"}`} {
		if r := scantest.Scan(t, "x.json", []byte(s), Params, Symbol); r.Kind != modelscan.KindOther {
			t.Errorf("%q: %+v", s, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, name := range []string{"tiny.params", "sparse.params", "tiny-symbol.json"} {
		f.Add(scantest.Read(f, name))
	}
	scantest.Fuzz(f, Params, Symbol)
}
