package onnx

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
	"github.com/secure-torch/secure-torch/modelscan/wire/wiretest"
)

// model wraps the fields of a graph.
func model(t testing.TB, graph string, rest ...string) []byte {
	return wiretest.Assemble(t, `1: 10 2: "test" 8: {1: "" 2: 17} 7: {`+graph+`}`+strings.Join(rest, " "))
}

func external(t testing.TB, key, value string) []byte {
	return model(t, `5: {1: 4 2: 1 8: "W" 14: 1 13: {1: "`+key+`" 2: "`+value+`"}}`)
}

func TestScan(t *testing.T) {
	plain := `1: {4: "MatMul" 1: "x" 1: "W" 2: "y"} 5: {1: 4 1: 4 2: 1 8: "W" 9: "0123"}`
	nested := `1: {4: "Evil" 7: "a.b"}`
	for range 5 {
		nested = `1: {4: "If" 5: {1: "then_branch" 6: {` + nested + `}}}`
	}
	deep := ""
	for range maxDepth {
		deep = `1: {5: {6: {` + deep + `}}}`
	}
	real, err := os.ReadFile("testdata/matmul.onnx")
	if err != nil {
		t.Fatal(err)
	}
	scantest.Check(t, []scantest.Case{
		{Name: "written by onnx 1.23", File: real},
		{Name: "standard operators", File: model(t, plain)},
		{Name: "graph first", File: wiretest.Assemble(t, `7: {`+plain+`} 8: {2: 17} 1: 8`)},
		{Name: "unknown fields first", File: wiretest.Assemble(t, `99: "x" 98: 7 1: 8 7: {`+plain+`} 8: {2: 17}`)},
		{Name: "machine learning domain", File: model(t, `1: {4: "Scaler" 7: "ai.onnx.ml"}`)},
		{Name: "traversal", File: external(t, "location", "../../../../etc/passwd"), Want: []string{"ST245 ../../../../etc/passwd"}},
		{Name: "traversal behind a folder", File: external(t, "location", "data/../../x"), Want: []string{"ST245 data/../../x"}},
		{Name: "traversal with backslashes", File: external(t, "location", `..\\x`), Want: []string{`ST245 ..\x`}},
		{Name: "absolute", File: external(t, "location", "/etc/passwd"), Want: []string{"ST245 /etc/passwd"}},
		{Name: "drive letter", File: external(t, "location", "C:/x"), Want: []string{"ST245 C:/x"}},
		{Name: "beside the model", File: external(t, "location", "weights/model..data")},
		{Name: "offset", File: external(t, "offset", "4096")},
		{Name: "prepacked by ONNX Runtime", File: external(t, "prepacked_0", "x|0|16|1")},
		{Name: "dunder key", File: external(t, "__class__", "x"), Want: []string{"ST249 __class__"}},
		{Name: "odd key", File: external(t, "info", "x"), Want: []string{"ST251 info"}},
		{Name: "in an attribute", File: model(t, `1: {4: "Constant" 5: {1: "value" 5: {2: 1 13: {1: "location" 2: "/x"}}}}`), Want: []string{"ST245 /x"}},
		{Name: "in a sparse initializer", File: model(t, `15: {1: {2: 1 13: {1: "location" 2: "/x"}}}`), Want: []string{"ST245 /x"}},
		{Name: "in training info", File: model(t, plain, `20: {2: {5: {2: 1 13: {1: "location" 2: "/x"}}}}`), Want: []string{"ST245 /x"}},
		{Name: "in a function", File: model(t, plain, `25: {1: "F" 10: "f" 7: {4: "Constant" 5: {5: {2: 1 13: {1: "location" 2: "/x"}}}}}`), Want: []string{"ST245 /x"}},
		{Name: "second graph field", File: model(t, plain, `7: {5: {2: 1 13: {1: "location" 2: "/x"}}}`), Want: []string{"ST245 /x"}},
		{Name: "last value counts", File: model(t, `5: {2: 1 13: {1: "location" 2: "ok" 2: "/x"}}`), Want: []string{"ST245 /x"}},
		{Name: "custom domain once", File: model(t, `1: {4: "A" 7: "com.x"} 1: {4: "B" 7: "com.x"}`), Want: []string{"ST246 com.x"}},
		{Name: "custom domain with its function", File: model(t, `1: {4: "A" 7: "com.x"}`, `25: {1: "A" 10: "com.x" 7: {4: "Add"}}`)},
		{Name: "not in the standard", File: model(t, `1: {4: "Evil"} 1: {4: "Evil"} 1: {4: "Evil" 7: "ai.onnx.ml"}`), Want: []string{"ST246 Evil", "ST246 ai.onnx.ml.Evil"}},
		{Name: "not in the standard, with its function", File: model(t, `1: {4: "Evil"}`, `25: {1: "Evil" 7: {4: "Add"}}`)},
		{Name: "standard, of another time or by its long name", File: model(t, `1: {4: "Scatter"} 1: {4: "GRUUnit"} 1: {4: "Conv" 7: "ai.onnx"} 1: {4: "Adam" 7: "ai.onnx.preview.training"}`)},
		{Name: "a runtime's own domain", File: model(t, `1: {4: "NextYear" 7: "com.microsoft"}`)},
		{Name: "nested graphs", File: model(t, nested), Want: []string{"ST246 a.b"}},
		{Name: "python operator", File: model(t, `1: {4: "PyOp" 7: "pyopmulti" 5: {1: "module" 4: "os"} 5: {1: "class_name" 4: "system"}}`), Want: []string{"ST247 PyOp"}},
		{Name: "compiled context", File: model(t, `1: {4: "EPContext" 7: "com.microsoft" 5: {1: "ep_cache_context" 4: "../ctx.bin"}}`), Want: []string{"ST245 ../ctx.bin"}},
		{Name: "tensor without a type", File: model(t, `5: {1: 1 8: "W" 9: "0123"}`), Want: []string{"ST901"}},
		{Name: "huge shape", File: model(t, `5: {2: 1 1: 4294967296 1: 4294967296 8: "W"}`), Want: []string{"ST248 W"}},
		{Name: "huge packed shape", File: model(t, `5: {2: 1 1: "\x80\x80\x80\x80\x10\x80\x80\x80\x80\x10" 8: "W"}`), Want: []string{"ST248 W"}},
		{Name: "empty huge shape", File: model(t, `5: {2: 1 1: 0 1: 4294967296 1: 4294967296 8: "W"}`)},
		{Name: "negative shape", File: model(t, `5: {2: 1 1: -1 8: "W"}`), Want: []string{"ST248 W"}},
		{Name: "metadata that is code", File: model(t, plain, `14: {1: "init" 2: "__import__('os').system('echo pwned')"}`), Want: []string{"ST250 init"}},
		{Name: "metadata that talks", File: model(t, plain, `14: {1: "names" 2: "{0: 'person', 1: 'eval'}"}`)},
		{Name: "a type that is no message", File: model(t, plain+` 11: {1: "x" 2: {1: {2: {1: "\x0c"}}}}`), Want: []string{"ST901"}},
		{Name: "an opset that is no message", File: model(t, plain, `8: "\x0c"`), Want: []string{"ST901"}},
		{Name: "a type of an attribute that is no message", File: model(t, `1: {4: "Optional" 5: {1: "type" 14: {4: {1: "\x0c"}}}}`), Want: []string{"ST901"}},
		{Name: "whole graph", File: model(t, plain+` 11: {1: "x"} 12: {1: "y"}`)},
		{Name: "a node reads what nothing gives", File: model(t, plain+` 11: {1: "p"} 12: {1: "y"}`), Want: []string{"ST901"}},
		{Name: "the graph gives what nothing gives", File: model(t, plain+` 11: {1: "x"} 12: {1: "q"}`), Want: []string{"ST901"}},
		{Name: "a branch reads what is around it", File: model(t, plain+` 1: {4: "If" 1: "x" 2: "z" 5: {1: "then_branch" 6: {1: {4: "Relu" 1: "y" 2: "b"} 12: {1: "b"}}}} 11: {1: "x"} 12: {1: "z"}`)},
		{Name: "cut short", File: real[:len(real)-30], Want: []string{"ST901"}},
		{Name: "cut between fields", File: real[:len(real)-20], Want: []string{"ST901"}},
		{Name: "graphs too deep", File: model(t, deep), Want: []string{"ST902"}},
	}, Format)
}

func TestOthersAreNotClaimed(t *testing.T) {
	for name, b := range map[string][]byte{
		"text":          []byte("hello, this is a text\n"),
		"empty":         {},
		"another proto": wiretest.Assemble(t, `1: 1 2: {1: "x"}`),
		"pickle":        []byte("\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00]\x94."),
	} {
		if r := scantest.Scan(t, "file", b, Format); r.Kind != modelscan.KindOther {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add(external(f, "location", "/x"))
	f.Add(model(f, `1: {4: "If" 5: {6: {1: {4: "A" 7: "b"}}}}`, `25: {1: "A" 10: "b"}`, `14: {1: "a" 2: "b"}`))
	scantest.Fuzz(f, Format)
}

// TestDocuments: a bill of materials in metadata_props, and what single values say.
func TestDocuments(t *testing.T) {
	b := model(t, `1: {4: "MatMul" 1: "x" 2: "y"}`, ` 14: {1: "sbom" 2: "{\"spdxVersion\":\"SPDX-2.3\"}"} 14: {1: "license" 2: "MIT"} 14: {1: "stride" 2: "32"}`)
	r := modelscan.Scan(t.Context(), modelscan.Source{Name: "m", R: bytes.NewReader(b), Size: int64(len(b))}, []*modelscan.Format{Format}, modelscan.DefaultLimits())
	want := []modelscan.Document{{Path: "m", Name: "sbom", Text: `{"spdxVersion":"SPDX-2.3"}`}, {Path: "m", Name: "license", Text: "MIT"}}
	if !slices.Equal(r.Documents, want) {
		t.Errorf("%+v", r)
	}
}
