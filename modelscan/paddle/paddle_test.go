package paddle

import (
	"bytes"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

// The hostile cases are recipes in testdata.
func TestScan(t *testing.T) {
	program, params := scantest.Read(t, "tiny.pdmodel"), scantest.Read(t, "tiny.pdiparams")
	scantest.Check(t, []scantest.Case{
		{Name: "program by PaddlePaddle 2.6.2", File: program},
		{Name: "parameters", File: params},
		{Name: "another operator", File: bytes.ReplaceAll(program, []byte("\x1a\x04feed"), []byte("\x1a\x04load")), Want: []string{"ST287 load"}},
		{Name: "program cut", File: program[:len(program)-100], Want: []string{"ST901"}},
		{Name: "parameters cut", File: params[:len(params)-2], Want: []string{"ST901"}},
		{Name: "bytes behind", File: append(bytes.Clone(params), "\x80\x02]."...), Want: []string{"ST901"}},
	}, Program, Params)
	for _, s := range []string{"\x0a\x02\x08\x00", "\x0a\x00", string(make([]byte, 100)), "\x0a\x06\x08\x00\x10\x00\x28\x00"} {
		if r := scantest.Scan(t, "x", []byte(s), Program, Params); r.Kind != modelscan.KindOther {
			t.Errorf("%q: %+v", s, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, name := range []string{"tiny.pdmodel", "tiny.pdiparams"} {
		f.Add(scantest.Read(f, name))
	}
	scantest.Fuzz(f, Program, Params)
}
