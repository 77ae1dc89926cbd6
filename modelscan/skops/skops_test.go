package skops

import (
	"bytes"
	"os"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

func object(inner string) []byte {
	return []byte(`{"__class__": "Pipeline", "__module__": "sklearn.pipeline", "__loader__": "ObjectNode", "content": {"__class__": "dict", "__module__": "builtins",
		"__loader__": "DictNode", "content": {"a": ` + inner + `}}, "protocol": 2, "_skops_version": "0.13"}`)
}

func TestScan(t *testing.T) {
	real, err := os.ReadFile("testdata/pipeline.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	call := func(arg string) string {
		return `{"__class__": "methodcaller", "__module__": "operator", "__loader__": "OperatorFuncNode", "attrs": {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode",
			"content": [{"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": "\"` + arg + `\"", "is_json": true}]}}`
	}
	scantest.Check(t, []scantest.Case{
		{Name: "written by skops", File: real},
		{Name: "standard types", File: object(`{"__class__": "LinearRegression", "__module__": "sklearn.linear_model._base", "__loader__": "ObjectNode"}`)},
		{Name: "numpy function", File: object(`{"__class__": "log1p", "__module__": "numpy", "__loader__": "FunctionNode"}`)},
		{Name: "process", File: object(`{"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}`), Want: []string{"ST260 os.system"}},
		{Name: "process, as skops 0.10 writes it", File: object(`{"__class__": "function", "__module__": "builtins", "__loader__": "FunctionNode", "content": {"module_path": "os", "function": "system"}}`), Want: []string{"ST260 os.system"}},
		{Name: "type from the standard library", File: object(`{"__class__": "Popen", "__module__": "subprocess", "__loader__": "TypeNode"}`), Want: []string{"ST260 subprocess.Popen"}},
		{Name: "another operator module", File: object(`{"__class__": "eval", "__module__": "builtins", "__loader__": "OperatorFuncNode"}`), Want: []string{"ST260 builtins.eval"}},
		{Name: "method caller of system", File: object(call("system")), Want: []string{"ST260 operator.methodcaller"}},
		{Name: "method caller", File: object(call("strip")), Want: []string{"ST261 operator.methodcaller"}},
		{Name: "private method", File: object(`{"__class__": "method", "__module__": "sklearn.base", "__loader__": "MethodNode", "content": {"func": "__reduce__", "obj": {}}}`), Want: []string{"ST260 __reduce__"}},
		{Name: "unknown class", File: object(`{"__class__": "Mine", "__module__": "my.module", "__loader__": "ObjectNode"}`), Want: []string{"ST261 my.module.Mine"}},
	}, Format)
}

func TestOtherJSONIsNotClaimed(t *testing.T) {
	for _, s := range []string{`{"a": {"__loader__": 1}}`, `"__loader__"`, `{"__loader__"`} {
		if r := scantest.Scan(t, "x.json", []byte(s), Format); r.Kind != modelscan.KindOther {
			t.Errorf("%s: %+v", s, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add(object(`{"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": {"module_path": "os", "function": "system"}}`))
	f.Add(bytes.Repeat([]byte(`{"__loader__":`), 10))
	scantest.Fuzz(f, Format)
}
