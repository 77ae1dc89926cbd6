// Package schemas validates the program's outputs against their schemas. It lives with the tools
// because the validator and the SARIF schema do.
package schemas

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// program builds the program.
func program(t *testing.T, dir string) string {
	t.Helper()
	binary := filepath.Join(dir, "secure-torch")
	if out, err := exec.Command("go", "build", "-C", "../..", "-o", binary, "./cmd/secure-torch").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// output builds the program and scans one file of every kind of verdict.
func output(t *testing.T, format string) []byte {
	t.Helper()
	dir := t.TempDir()
	binary := program(t, dir)
	files := map[string]string{
		"good.pkl":      "\x80\x02}.",
		"evil.pkl":      "\x80\x02cposix\nsystem\nX\x05\x00\x00\x00echo \x85R.",
		"e\xff\u202e.p": "\x80\x02cposix\nsystem\nX\x02\x00\x00\x00\"\n\x85R.",
		"empty.pt":      "",
		"notes.txt":     "hello\n",
		"known.pkl":     "\x80\x02cposix\nsystem\nX\x05\x00\x00\x00known\x85R.",
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	baseline := scan(t, dir, binary, "--format", "json", "known.pkl")
	if err := os.WriteFile(filepath.Join(dir, "baseline.json"), baseline, 0o644); err != nil {
		t.Fatal(err)
	}
	return scan(t, dir, binary, "--format", format, "--baseline", "baseline.json", "--digest",
		"good.pkl", "evil.pkl", "e\xff\u202e.p", "empty.pt", "notes.txt", "known.pkl", "missing.pt")
}

func scan(t *testing.T, dir, binary string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"scan"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	return out
}

// compiler knows the schemas that others refer to.
func compiler(t *testing.T, schema any) *jsonschema.Compiler {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for name, s := range map[string]any{"schema.json": schema, "scan.json": read(t, "../../docs/schema/scan.json")} {
		if err := c.AddResource(name, s); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func validate(t *testing.T, schema any, document []byte) {
	t.Helper()
	c := compiler(t, schema)
	compiled, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(value); err != nil {
		t.Errorf("%v", err)
	}
}

func read(t *testing.T, file string) any {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// sarifSchema is OASIS's schema of SARIF 2.1.0, which gosec's module brings along.
func sarifSchema(t *testing.T) any {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", "github.com/securego/gosec/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil || module.Dir == "" {
		t.Fatalf("%v: %s", err, out)
	}
	return read(t, filepath.Join(module.Dir, "report/sarif/testdata/sarif-schema-2.1.0.json"))
}

// TestCheck: what check prints of sources and notebooks, of all that can be said of a call, is what its
// schemas say.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	binary := program(t, dir)
	for name, data := range map[string]string{
		"evil.pkl": "\x80\x02cposix\nsystem\nX\x05\x00\x00\x00echo \x85R.",
		"app.py": "import torch, pickle, os\nfrom transformers import AutoModel\nfrom huggingface_hub import hf_hub_download\n" +
			"torch.load('evil.pkl')\ntorch.load(os.environ.get('P', 'evil.pkl'))  # secure-torch: ignore[ST101] ours\n" +
			"AutoModel.from_pretrained('org/m', revision='main', trust_remote_code=True)\nhf_hub_download('org/m', 'a.bin')\n" +
			"torch.hub.load_state_dict_from_url('http://example.com/a.pt')\ndef f(d):\n    return pickle.load(open(d + '/model.pkl', 'rb'))\n",
		"two.py":       "import torch\nprint 'x'\ntorch.load(name())\n",
		"book.ipynb":   `{"cells":[{"cell_type":"code","source":["import torch\n","torch.load('evil.pkl')"]}]}`,
		"broken.ipynb": "{",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	check := func(format string) []byte {
		cmd := exec.Command(binary, "check", "--format", format, "app.py", "two.py", "book.ipynb", "broken.ipynb", "missing.py")
		cmd.Dir = dir
		out, err := cmd.Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
			t.Fatalf("%v\n%s", err, out)
		}
		return out
	}
	schema := read(t, "../../docs/schema/check.json")
	out := check("json")
	for _, want := range []string{`"cell": 1`, `"kind": "glob"`, `"kind": "url"`, `"revision": "main"`, `"artifacts"`, `"related"`, `"suppressed"`, `"sure": "default"`, `"fixes"`, `"gaps": [
    {`} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("the case shows no %s", want)
		}
	}
	validate(t, schema, out)
	complete(t, []any{schema, read(t, "../../docs/schema/scan.json")}, out)
	out = check("sarif")
	for _, want := range []string{`"suppressions"`, `"relatedLocations"`, `"fixes"`, `"startColumn"`} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("the SARIF shows no %s", want)
		}
	}
	validate(t, sarifSchema(t), out)
}

// TestSARIF: the output is SARIF 2.1.0.
func TestSARIF(t *testing.T) {
	schema := sarifSchema(t)
	out := output(t, "sarif")
	for _, want := range []string{`"suppressions"`, `"byteOffset"`, `"executionSuccessful": false`} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("the case shows no %s", want)
		}
	}
	validate(t, schema, out)
}

// TestJSON: the output is what docs/schema/scan.json says, and has no field that it lacks.
func TestJSON(t *testing.T) {
	out := output(t, "json")
	schema := read(t, "../../docs/schema/scan.json")
	validate(t, schema, out)
	complete(t, schema, out)
}

// complete checks that the schema knows every field of a document.
func complete(t *testing.T, schema any, document []byte) {
	t.Helper()
	known := map[string]bool{}
	properties(schema, known)
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		t.Fatal(err)
	}
	for key := range keys(value, map[string]bool{}) {
		if !known[key] {
			t.Errorf("the schema does not know %q", key)
		}
	}
}

// TestSandboxReports: what doctor and sandbox exec print is what their schemas say, good and bad.
func TestSandboxReports(t *testing.T) {
	binary := program(t, t.TempDir())
	for schema, commands := range map[string][][]string{
		"doctor.json": {{"doctor", "--json"}, {"doctor", "--json", "--sandbox=off"}, {"doctor", "--json", "--sandbox=wasm"}},
		"program.json": {
			{"sandbox", "exec", "--json", "--", "python3", "-c", "pass"},
			{"sandbox", "exec", "--json", "--", "python3", "-c", "import os; os.fork()"},
			{"sandbox", "exec", "--json", "--", "no-such-python", "-c", "pass"},
		},
	} {
		read := read(t, filepath.Join("../../docs/schema", schema))
		for _, args := range commands {
			out, err := exec.Command(binary, args...).Output()
			if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
				t.Fatal(err)
			}
			t.Log(args)
			validate(t, read, out)
			complete(t, read, out)
		}
	}
}

// TestInspect: what inspect prints, of a file with every kind of fact and of one that is not there, with and without a
// listing and what lies beside it, is what its schemas say.
func TestInspect(t *testing.T) {
	dir := t.TempDir()
	exe := program(t, dir)
	for name, data := range map[string]string{
		"evil.pkl":         "\x80\x02cposix\nsystem\nX\x07\x00\x00\x00echo \xe2\x80\xae\x85R.",
		"good.safetensors": safetensors(`{"__metadata__":{"license":"mit","a":"b"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"s":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}`, 12),
		"bad.safetensors":  "no such thing",
		"licence.gguf": "GGUF\x03\x00\x00\x00" + strings.Repeat("\x00", 8) + "\x01\x00\x00\x00\x00\x00\x00\x00" +
			"\x0f\x00\x00\x00\x00\x00\x00\x00general.license\x08\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00mit",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	schemas := []any{read(t, "../../docs/schema/inspect.json"), read(t, "../../docs/schema/scan.json")}
	var all []byte
	for _, args := range [][]string{
		{"evil.pkl"}, {"evil.pkl", "--disassemble"}, {"evil.pkl", "--decompile", "--provenance"}, {"good.safetensors", "--provenance"},
		{"bad.safetensors"}, {"licence.gguf"}, {"missing.pt"},
	} {
		cmd := exec.Command(exe, append([]string{"inspect", "--format", "json"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if exit, exited := errors.AsType[*exec.ExitError](err); err != nil && (!exited || exit.ExitCode() != 2) {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		t.Log(args)
		validate(t, schemas[0], out)
		complete(t, schemas, out)
		all = append(all, out...)
	}
	for _, want := range []string{`"kind": "tensor"`, `"kind": "metadata"`, `"kind": "licence"`, `"kind": "global"`, `"kind": "source"`, `"listing"`, `"shape"`, `"state": "none"`, `"failure"`} {
		if !bytes.Contains(all, []byte(want)) {
			t.Errorf("the case shows no %s", want)
		}
	}
}

// safetensors is a file with this header and so many bytes of data.
func safetensors(header string, data int) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + strings.Repeat("\x00", data)
}

// properties gathers the names of all properties that a schema declares.
func properties(schema any, into map[string]bool) {
	switch s := schema.(type) {
	case map[string]any:
		if p, ok := s["properties"].(map[string]any); ok {
			for name := range p {
				into[name] = true
			}
		}
		for _, v := range s {
			properties(v, into)
		}
	case []any:
		for _, v := range s {
			properties(v, into)
		}
	}
}

// keys gathers the keys of a document, without those of score_parts.
func keys(value any, into map[string]bool) map[string]bool {
	switch v := value.(type) {
	case map[string]any:
		for k, inner := range v {
			into[k] = true
			if k != "score_parts" {
				keys(inner, into)
			}
		}
	case []any:
		for _, inner := range v {
			keys(inner, into)
		}
	}
	return into
}

// TestSchemasAreSchemas: what docs/schema publishes can be compiled.
func TestSchemasAreSchemas(t *testing.T) {
	files, err := filepath.Glob("../../docs/schema/*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		if _, err := compiler(t, read(t, file)).Compile("schema.json"); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
