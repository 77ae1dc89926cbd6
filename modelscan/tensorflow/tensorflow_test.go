package tensorflow

import (
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
	"github.com/secure-torch/secure-torch/modelscan/wire/wiretest"
)

func node(op string) string { return `1: {1: "n" 2: "` + op + `" 3: "in"}` }

// saved wraps a graph's fields as a SavedModel.
func saved(t testing.TB, graph, rest string) []byte {
	return wiretest.Assemble(t, `1: 1 2: {1: {4: "serve" 5: "2.15.0"} 2: {`+graph+`} `+rest+`}`)
}

func TestScan(t *testing.T) {
	ordinary := node("Placeholder") + node("MatMul") + node("SaveV2") + node("RestoreV2") + node("MergeV2Checkpoints") + node("ShardedFilename") + node("InitializeTableFromTextFileV2") +
		`2: {1: {1: {1: "f"} 3: {1: "c" 2: "StatefulPartitionedCall"}}} 4: {1: 1395}`
	layer := func(json string) string { return `7: {1: {4: {1: "_tf_keras_layer" 3: "` + json + `"}}}` }
	scantest.Check(t, []scantest.Case{
		{Name: "SavedModel", File: saved(t, ordinary, `6: {2: "vocab.txt"}`)},
		{Name: "GraphDef", File: wiretest.Assemble(t, ordinary)},
		{Name: "MetaGraphDef", File: wiretest.Assemble(t, `1: {4: "train"} 2: {`+ordinary+`}`)},
		{Name: "unknown field first", File: wiretest.Assemble(t, `99: "x" `+ordinary)},
		{Name: "write in a SavedModel", File: saved(t, ordinary+node("WriteFile"), ""), Want: []string{"ST262 WriteFile"}},
		{Name: "read in a GraphDef", File: wiretest.Assemble(t, ordinary+node("ReadFile")), Want: []string{"ST262 ReadFile"}},
		{Name: "list in a MetaGraphDef", File: wiretest.Assemble(t, `1: {4: "train"} 2: {`+node("MatchingFiles")+`}`), Want: []string{"ST262 MatchingFiles"}},
		{Name: "write in a function", File: saved(t, node("NoOp")+`2: {1: {1: {1: "f"} 3: {1: "w" 2: "WriteFile"}}}`, ""), Want: []string{"ST262 WriteFile"}},
		{Name: "write in a second meta graph", File: append(saved(t, ordinary, ""), wiretest.Assemble(t, `2: {2: {`+node("WriteFile")+`}}`)...), Want: []string{"ST262 WriteFile"}},
		{Name: "print to a file", File: saved(t, `1: {1: "p" 2: "PrintV2" 5: {1: "output_stream" 2: {2: "file:///tmp/x"}}}`, ""), Want: []string{"ST262 PrintV2"}},
		{Name: "print to stderr", File: saved(t, `1: {1: "p" 2: "PrintV2" 5: {1: "output_stream" 2: {2: "stderr"}}}`, "")},
		{Name: "asset outside", File: saved(t, ordinary, `6: {2: "../../x"}`), Want: []string{"ST262 ../../x"}},
		{Name: "python", File: saved(t, node("PyFunc"), ""), Want: []string{"ST263 PyFunc"}},
		{Name: "input pipeline", File: saved(t, node("TFRecordReaderV2"), ""), Want: []string{"ST264 TFRecordReaderV2"}},
		{Name: "custom Keras class", File: saved(t, ordinary, layer(`{\"class_name\": \"Mine\", \"config\": {}}`))},
		{Name: "Keras lambda", File: saved(t, ordinary, layer(`{\"class_name\": \"Lambda\", \"config\": {\"function\": [\"4wAA\", null, null]}}`)), Want: []string{"ST255 Lambda"}},
		{Name: "Keras lambda in keras_metadata.pb", File: wiretest.Assemble(t, `1: {2: 1 3: "root" 4: "_tf_keras_layer" 5: "{\"class_name\": \"Lambda\", \"config\": {\"function\": [\"4wAA\", null, null]}}"}`), Want: []string{"ST255 Lambda"}},
	}, Format)
}

func TestOthersAreNotClaimed(t *testing.T) {
	for name, b := range map[string][]byte{
		"onnx": wiretest.Assemble(t, `1: 10 2: "test" 7: {1: {4: "Add"}}`), "text": []byte("\n\x05hello"), "two strings": wiretest.Assemble(t, `1: "a" 2: "b"`), "empty": nil,
	} {
		if r := scantest.Scan(t, "x", b, Format); r.Kind != modelscan.KindOther {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add(saved(f, node("WriteFile")+`2: {1: {1: {1: "f"} 3: {1: "w" 2: "PrintV2" 5: {1: "output_stream" 2: {2: "file:x"}}}}}`, `6: {2: "../x"} 7: {1: {4: {3: "{}"}}}`))
	f.Add(wiretest.Assemble(f, `1: {2: 1 4: "_tf_keras_layer" 5: "{\"class_name\": \"Lambda\"}"}`))
	f.Add([]byte("node { op: 'Read' \"F\\151le\" # x\n attr < key: \"a\" > } metadata: '{}' filename: '../x'"))
	scantest.Fuzz(f, Format, Text)
}
