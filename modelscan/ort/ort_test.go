package ort

import (
	"bytes"
	"os"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

func real(t testing.TB) []byte {
	b, err := os.ReadFile("testdata/tiny.ort")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The hostile cases are recipes in testdata.
func TestScan(t *testing.T) {
	scantest.Check(t, []scantest.Case{
		{Name: "written by ONNX Runtime 1.32", File: real(t)},
		{Name: "another operator", File: bytes.ReplaceAll(real(t), []byte("Relu"), []byte("PyOp")), Want: []string{"ST247 PyOp"}},
		{Name: "cut", File: real(t)[:len(real(t))/2], Want: []string{"ST901"}},
		{Name: "root past the end", File: append([]byte{0, 0, 0, 0x40}, "ORTM"...), Want: []string{"ST901"}},
	}, Format)
}

func FuzzScan(f *testing.F) {
	f.Add(real(f))
	scantest.Fuzz(f, Format)
}
