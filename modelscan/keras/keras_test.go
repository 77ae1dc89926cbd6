package keras

import (
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

// sequential wraps layers as Keras 3 does.
func sequential(layers string) []byte {
	return []byte(`{"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [` + layers + `]}, "registered_name": null}`)
}

func legacy(layers string) []byte {
	return []byte(`{"class_name": "Sequential", "config": {"name": "s", "layers": [` + layers + `]}, "keras_version": "2.4.0", "backend": "tensorflow"}`)
}

func function(module, name string) string {
	return `{"module": "` + module + `", "class_name": "function", "config": "` + name + `", "registered_name": "` + name + `"}`
}

func lookup(path string) string {
	return `{"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "` + path + `"}, "registered_name": null}`
}

const dense = `{"module": "keras.layers", "class_name": "Dense", "config": {"units": 4, "activation": "relu", "kernel_initializer":
	{"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": null}, "registered_name": null}, "scale": NaN}, "registered_name": null}`

func TestScan(t *testing.T) {
	scantest.Check(t, []scantest.Case{
		{Name: "standard layers", File: sequential(dense)},
		{Name: "standard layers of Keras 2", File: legacy(`{"class_name": "Dense", "config": {"kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": null}}}}, {"class_name": "LSTM", "config": {}}`)},
		{Name: "function of Keras", File: sequential(`{"module": "keras.layers", "class_name": "Activation", "config": {"activation": ` + function("builtins", "relu") + `}}`)},
		{Name: "function of keras.ops", File: sequential(function("keras.ops", "concatenate"))},
		{Name: "vocabulary in the file", File: sequential(`{"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": ["a", "b"]}}`)},
		{Name: "lambda", File: sequential(`{"module": "keras.layers", "class_name": "Lambda", "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wAA"}}}}`), Want: []string{"ST255 Lambda"}},
		{Name: "lambda outside a layer", File: sequential(`{"module": "keras.layers", "class_name": "Dense", "config": {"units": {"class_name": "__lambda__", "config": {"code": "4wAA"}}}}`), Want: []string{"ST255 Lambda"}},
		{Name: "lambda of Keras 2", File: legacy(`{"class_name": "Lambda", "config": {"name": "l", "function": ["4wAA", null, null], "function_type": "lambda", "module": "__main__"}}`), Want: []string{"ST255 Lambda"}},
		{Name: "lambda in the output shape", File: legacy(`{"class_name": "Lambda", "config": {"function": "f", "function_type": "function", "output_shape": ["4wAA"], "output_shape_type": "lambda"}}`), Want: []string{"ST255 Lambda"}},
		{Name: "first of duplicate keys", File: sequential(`{"class_name": "__lambda__", "class_name": "Dense", "config": {}}`), Want: []string{"ST255 Lambda"}},
		{Name: "named function of Keras 2", File: legacy(`{"class_name": "Lambda", "config": {"function": "f", "function_type": "function", "module": "__main__"}}`), Want: []string{"ST257 f"}},
		{Name: "process", File: sequential(function("os", "system")), Want: []string{"ST256 os.system"}},
		{Name: "class from the standard library", File: sequential(`{"module": "subprocess", "class_name": "Popen", "config": {"args": "x"}}`), Want: []string{"ST256 subprocess.Popen"}},
		{Name: "python builtin", File: sequential(function("builtins", "eval")), Want: []string{"ST256 builtins.eval"}},
		{Name: "get_file", File: sequential(`{"module": "keras.layers", "class_name": "Lambda", "config": {"function": ` + function("keras.utils", "get_file") + `}}`), Want: []string{"ST256 keras.utils.get_file"}},
		{Name: "get_file under its own name", File: sequential(function("keras.src.utils.file_utils", "get_file")), Want: []string{"ST256 keras.src.utils.file_utils.get_file"}},
		{Name: "switching safe mode off", File: sequential(function("keras.config", "enable_unsafe_deserialization")), Want: []string{"ST256 keras.config.enable_unsafe_deserialization"}},
		{Name: "loading another model", File: sequential(function("keras.models", "load_model")), Want: []string{"ST256 keras.models.load_model"}},
		{Name: "torch module", File: sequential(`{"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {"module": "x"}}`), Want: []string{"ST256 keras.layers.TorchModuleWrapper"}},
		{Name: "torch module without a module name", File: legacy(`{"class_name": "TorchModuleWrapper", "config": {}}`), Want: []string{"ST256 keras.layers.TorchModuleWrapper"}},
		{Name: "operation in a functional model", File: legacy(`{"class_name": "Relu", "config": {}, "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": {"shape": [null, 4]}}]}]}`)},
		{Name: "absolute vocabulary", File: sequential(lookup("/etc/passwd")), Want: []string{"ST258 /etc/passwd"}},
		{Name: "remote vocabulary", File: sequential(lookup("https://example.com/v")), Want: []string{"ST258 https://example.com/v"}},
		{Name: "cut short", File: sequential(dense)[:100], Want: []string{"ST901"}},
		{Name: "cut short, of Keras 2", File: legacy(dense)[:60], Want: []string{"ST901"}},
		{Name: "custom layer", File: sequential(`{"module": "my_pkg.layers", "class_name": "MyLayer", "config": {}, "registered_name": "my_pkg>MyLayer"}`), Want: []string{"ST257 my_pkg.layers.MyLayer"}},
		{Name: "custom layer of Keras 2", File: legacy(`{"class_name": "MyLayer", "config": {}}`), Want: []string{"ST257 MyLayer"}},
	}, Format)
}

func TestOtherJSONIsNotClaimed(t *testing.T) {
	for _, s := range []string{`{"a": "class_name"}`, `{"class_name": 1}`, `{"x": {"class_name": "Dense", "config": {}}}`, `["class_name"]`, `{"class_name"`} {
		if r := scantest.Scan(t, "x.json", []byte(s), Format); r.Kind != modelscan.KindOther || len(r.Findings) > 0 {
			t.Errorf("%s: %+v", s, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add(sequential(dense + "," + function("os", "system") + "," + lookup("/x")))
	f.Add(legacy(`{"class_name": "Lambda", "config": {"function": ["4wAA", null, null], "function_type": "lambda"}}`))
	scantest.Fuzz(f, Format)
}
