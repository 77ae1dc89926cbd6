package tflite

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

// written by the flatbuffers and tflite packages: a built-in and a custom operator, a tensor of [3, 4].
func real(t testing.TB) []byte {
	b, err := os.ReadFile("testdata/tiny.tflite")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const provided = "TFLite_Detection_PostProcess"

// renamed is the file with another, shorter custom operator.
func renamed(t testing.TB, op string) []byte {
	length := func(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }
	padded := append([]byte(op), make([]byte, len(provided)-len(op))...)
	return bytes.Replace(real(t), append(length(len(provided)), provided...), append(length(len(op)), padded...), 1)
}

// shaped is the file with another shape of its tensor.
func shaped(t testing.TB, a, b uint32) []byte {
	shape := func(a, b uint32) []byte {
		return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, 2), a), b)
	}
	return bytes.Replace(real(t), shape(3, 4), shape(a, b), 1)
}

// changed is the file with another byte at off.
func changed(t testing.TB, off int, b byte) []byte {
	file := real(t)
	file[off] = b
	return file
}

func TestScan(t *testing.T) {
	scantest.Check(t, []scantest.Case{
		{Name: "written by the flatbuffers package", File: real(t)},
		{Name: "TensorFlow operator", File: renamed(t, "FlexErf")},
		{Name: "TensorFlow operator that reads", File: renamed(t, "FlexReadFile"), Want: []string{"ST262 FlexReadFile"}},
		{Name: "custom operator", File: renamed(t, "MyOp"), Want: []string{"ST265 MyOp"}},
		{Name: "huge shape", File: shaped(t, 1<<30, 1<<30), Want: []string{"ST266 t"}},
		{Name: "dynamic shape", File: shaped(t, 1<<32-1, 4)},
		{Name: "vector past the end", File: shaped(t, 3, 4)[:len(real(t))-30], Want: []string{"ST901"}},
		{Name: "root past the end", File: append(binary.LittleEndian.AppendUint32(nil, 1<<31), "TFL3"...), Want: []string{"ST901"}},
		{Name: "another version", File: changed(t, 0x2c, 4), Want: []string{"ST901"}},
		{Name: "text without its end", File: changed(t, 0x38, 'x'), Want: []string{"ST901"}},
		{Name: "reference that is not aligned", File: changed(t, 0x1c, 0x15), Want: []string{"ST901"}},
		{Name: "field list of three bytes", File: changed(t, 0x0a, 3), Want: []string{"ST901"}},
		{Name: "buffer that is not there", File: changed(t, 0xb8, 9), Want: []string{"ST901"}},
	}, Format)
}

func FuzzScan(f *testing.F) {
	f.Add(real(f))
	f.Add(renamed(f, "FlexReadFile"))
	scantest.Fuzz(f, Format)
}
