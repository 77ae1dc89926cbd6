package coreml

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
	"github.com/secure-torch/secure-torch/modelscan/wire/wiretest"
)

func model(t testing.TB, kind string) []byte {
	return wiretest.Assemble(t, `1: 4 2: {1: {1: "x"} 100: {1: "test"}} `+kind)
}

func TestModel(t *testing.T) {
	real, err := os.ReadFile("testdata/program.mlmodel")
	if err != nil {
		t.Fatal(err)
	}
	custom := `500: {1: {1: "c" 500: {10: "MyLayer"}}}`
	scantest.Check(t, []scantest.Case{
		{Name: "written by coremltools 9", File: real},
		{Name: "layers", File: model(t, `500: {1: {1: "relu" 130: {5: ""}}}`)},
		{Name: "custom layer", File: model(t, custom), Want: []string{"ST267 MyLayer"}},
		{Name: "custom layer of a classifier", File: model(t, `403: {1: {500: {10: "MyLayer"}}}`), Want: []string{"ST267 MyLayer"}},
		{Name: "custom layer in a branch", File: model(t, `500: {1: {605: {2: {1: {500: {10: "MyLayer"}}}}}}`), Want: []string{"ST267 MyLayer"}},
		{Name: "custom layer in a loop", File: model(t, `500: {1: {615: {4: {1: {500: {10: "MyLayer"}}}}}}`), Want: []string{"ST267 MyLayer"}},
		{Name: "custom layer in a pipeline", File: model(t, `202: {1: {1: 4 2: {} `+custom+`}}`), Want: []string{"ST267 MyLayer"}},
		{Name: "custom layer in a pipeline classifier", File: model(t, `200: {1: {1: {1: 4 2: {} `+custom+`}}}`), Want: []string{"ST267 MyLayer"}},
		{Name: "custom model", File: model(t, `555: {10: "MyModel"}`), Want: []string{"ST267 MyModel"}},
		{Name: "linked model", File: model(t, `556: {1: {1: {1: "../../x.mlmodelc"}}}`), Want: []string{"ST268 ../../x.mlmodelc"}},
		{Name: "weights of a program", File: model(t, `502: {1: 1 2: {1: "main" 2: {3: {1: "CoreML6" 2: {3: {1: "const" 5: {1: "val" 2: {5: {1: "@model_path/../../x"}}}}}}}}}`), Want: []string{"ST268 ../../x"}},
		{Name: "weights in place", File: model(t, `502: {1: 1 2: {1: "main" 2: {3: {1: "CoreML6" 2: {3: {1: "const" 5: {1: "val" 2: {5: {1: "@model_path/weights/weight.bin"}}}}}}}}}`)},
		{Name: "code in metadata", File: wiretest.Assemble(t, `1: 4 2: {100: {100: {1: "init" 2: "__import__('os').system('id')"}}} 500: {}`), Want: []string{"ST250 init"}},
	}, Format)
}

func TestManifest(t *testing.T) {
	scantest.Check(t, []scantest.Case{
		{Name: "in place", File: []byte(`{"fileFormatVersion": "1.0.0", "itemInfoEntries": {"A": {"author": "com.apple.CoreML", "path": "com.apple.CoreML/model.mlmodel"}}, "rootModelIdentifier": "A"}`)},
		{Name: "traversal", File: []byte(`{"itemInfoEntries": {"A": {"path": "../../etc/passwd"}}}`), Want: []string{"ST268 ../../etc/passwd"}},
		{Name: "absolute", File: []byte(`{"itemInfoEntries": {"A": {"path": "ok", "path": "/etc/passwd"}}}`), Want: []string{"ST268 /etc/passwd"}},
	}, Manifest)
}

func TestWeights(t *testing.T) {
	good := append([]byte{1, 0, 0, 0, 2}, make([]byte, 59)...)
	for _, v := range []uint64{blobSentinel | 1<<32, 64, 128} {
		good = binary.LittleEndian.AppendUint64(good, v)
	}
	good = append(good, make([]byte, 40+64)...)
	changed := func(at int, b byte) []byte { c := bytes.Clone(good); c[at] = b; return c }
	scantest.Check(t, []scantest.Case{
		{Name: "one blob", File: good},
		{Name: "more blobs than there are", File: changed(0, 2), Want: []string{"ST901"}},
		{Name: "data behind the end", File: changed(81, 9), Want: []string{"ST901"}},
		{Name: "size over the end", File: changed(78, 1), Want: []string{"ST901"}},
	}, Weights)
}

func TestOthersAreNotClaimed(t *testing.T) {
	for name, b := range map[string][]byte{
		"onnx": wiretest.Assemble(t, `1: 10 2: "test" 7: {1: {4: "Add"}}`), "text": []byte("\x08\x04 hello"), "json": []byte(`{"itemInfoEntries": 1}`),
	} {
		if r := scantest.Scan(t, "x", b, Format, Manifest); r.Kind != modelscan.KindOther {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add(model(f, `500: {1: {605: {2: {1: {500: {10: "MyLayer"}}}}}}`))
	f.Add(model(f, `202: {1: {1: 4 2: {} 555: {10: "x"}}}`))
	f.Add([]byte(`{"itemInfoEntries": {"A": {"path": "/x"}}}`))
	f.Add([]byte("\x01\x00\x00\x00\x02" + strings.Repeat("\x00", 59) + "\xef\xbe\xad\xde" + strings.Repeat("\x00", 60)))
	scantest.Fuzz(f, Format, Manifest, Weights)
}
