// Package nvim holds the Neovim plugin; its Go code is the test that runs the main job through a real
// Neovim, a real checkpoint made by torch, and the real server.
package nvim

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkpoints makes evil.pt, which touches a file when it is loaded, and good.pt.
const checkpoints = `
import os, sys, torch
class Evil:
    def __reduce__(self):
        return os.system, ("touch " + sys.argv[1],)
torch.save({"weight": torch.ones(3), "extra": Evil()}, "evil.pt")
torch.manual_seed(7)
torch.save({"weight": torch.randn(4, 3), "bias": torch.arange(5), "half": torch.ones(2).half(), "step": 3}, "good.pt")
`

// app loads a model. Characters outside the BMP before the call show whether columns are counted right.
func app(model string) string {
	return "import torch\n\nname = \"\U0001F680\U0001F600\"; model = torch.load(\"" + model + "\")\n"
}

type session struct {
	Problem, Version, Line string
	Offered, Lines         []string
	First                  struct {
		Lnum, Col int
		EndCol    int `json:"end_col"`
		Severity  int
		Message   string
	}
}

// edit opens the file in Neovim, waits for a diagnostic with the code, takes the quick fix and saves.
func edit(t *testing.T, nvim editor, binary, file, code, action string, env ...string) session {
	t.Helper()
	result := filepath.Join(t.TempDir(), "result.json")
	env = append(env, "ST_BINARY="+binary, "ST_FILE="+file, "ST_RESULT="+result, "ST_CODE="+code, "ST_ACTION="+action)
	out, runErr := nvim.play(t, "session.lua", filepath.Dir(file), env...)
	text, err := os.ReadFile(result)
	if err != nil {
		t.Fatalf("nvim: %v\n%s", runErr, out)
	}
	var s session
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if runErr != nil || s.Problem != "" {
		t.Fatalf("nvim: %v\n%s\n%s", runErr, text, out)
	}
	t.Logf("Neovim %s offered %q", s.Version, s.Offered)
	return s
}

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "secure-torch")
	run(t, filepath.Join("..", ".."), nil, "go", "build", "-o", binary, "./cmd/secure-torch")
	return binary
}

// workshop is what the tests of the main job work with.
type workshop struct{ python, binary, dir, canary string }

func setUp(t *testing.T) workshop {
	t.Helper()
	w := workshop{
		python: tool(t, "TORCH_PYTHON", "/usr/bin/python3", "-c", "import torch"),
		binary: build(t), dir: t.TempDir(),
	}
	w.canary = filepath.Join(w.dir, "canary")
	run(t, w.dir, nil, w.python, "-c", checkpoints, w.canary)
	return w
}

func (w workshop) source(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(w.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// runner runs a file and says whether st.load refused something in it.
const runner = `
import runpy, sys, secure_torch
try:
    runpy.run_path(sys.argv[1])
except secure_torch.UnsafeModelError as refusal:
    sys.exit(f"UnsafeModelError: {refusal}")
`

// execute runs a Python file with the secure_torch package of this repository.
func (w workshop) execute(t *testing.T, file string) (string, error) {
	t.Helper()
	lib, err := filepath.Abs(filepath.Join("..", "..", "python"))
	if err != nil {
		t.Fatal(err)
	}
	return try(t, w.dir, []string{"PYTHONPATH=" + lib, "SECURE_TORCH_BINARY=" + w.binary, "PYTHONDONTWRITEBYTECODE=1"}, w.python, "-c", runner, file)
}

func (w workshop) untouched(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(w.canary); err == nil {
		t.Fatal("the payload was executed")
	}
}

func TestMainJob(t *testing.T) {
	neovims := editors(t)
	w := setUp(t)
	for _, nvim := range neovims {
		t.Run(nvim.name, func(t *testing.T) {
			t.Run("hostile checkpoint", func(t *testing.T) { hostile(t, w, nvim) })
			t.Run("benign checkpoint", func(t *testing.T) { benign(t, w, nvim) })
			if nvim.name == "nvim-forky" { // 0.11 and later: vim.lsp.enable alone, without setup()
				edit(t, nvim, w.binary, w.source(t, "enabled.py", app("evil.pt")), "ST201", "st.load", "ST_ENABLE=1")
			}
		})
	}
}

// The line that loads a hostile checkpoint gets an error that names the call with member
// and offset, the quick fix turns it into st.load, and running the file then raises. Nothing is executed
// on the way.
func hostile(t *testing.T, w workshop, nvim editor) {
	_ = os.Remove(w.canary) // of the run before
	file := w.source(t, "app.py", app("evil.pt"))

	s := edit(t, nvim, w.binary, file, "ST201", "st.load")

	call := strings.Index(s.Line, "torch.load")
	if s.First.Lnum != 2 || s.First.Col != call || s.First.Severity != 1 {
		t.Errorf("the error stands at %+v, the call at line 2, byte %d", s.First, call)
	}
	for _, part := range []string{"posix.system", "touch " + w.canary, "data.pkl", "offset 0x"} {
		if !strings.Contains(s.First.Message, part) {
			t.Errorf("the message does not say %q: %s", part, s.First.Message)
		}
	}
	saved, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"import secure_torch as st\n", "model = st.load(\"evil.pt\")"} {
		if !strings.Contains(string(saved), part) {
			t.Errorf("the saved file lacks %q:\n%s", part, saved)
		}
	}
	w.untouched(t)

	out, err := w.execute(t, file)
	if err == nil || !strings.Contains(out, "UnsafeModelError") || !strings.Contains(out, "posix.system") {
		t.Errorf("running the file: %v\n%s", err, out)
	}
	w.untouched(t)
	if out, err := w.execute(t, w.source(t, "before.py", app("evil.pt"))); err != nil {
		t.Fatalf("the original file: %v\n%s", err, out)
	}
	if _, err := os.Stat(w.canary); err != nil {
		t.Error("the payload would not have run anyway: this test proves nothing")
	}
}

// The same edit with a checkpoint that torch wrote and nobody meddled with loads tensors equal to torch's.
func benign(t *testing.T, w workshop, nvim editor) {
	file := w.source(t, "good.py", app("good.pt"))
	s := edit(t, nvim, w.binary, file, "ST101", "st.load")
	if s.First.Severity == 1 {
		t.Errorf("an error about a benign checkpoint: %s", s.First.Message)
	}
	saved, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	check := w.source(t, "check.py", string(saved)+`
import torch
want = torch.load("good.pt")
assert sorted(model) == sorted(want), (model, want)
for key, value in want.items():
    if torch.is_tensor(value):
        assert model[key].dtype == value.dtype and torch.equal(model[key], value), key
    else:
        assert model[key] == value, key
print("equal", len(want))
`)
	out, err := w.execute(t, check)
	if err != nil || !strings.Contains(out, "equal 4") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The plugin's own pieces, in Neovim.
func TestPlugin(t *testing.T) {
	for _, nvim := range editors(t) {
		t.Run(nvim.name, func(t *testing.T) {
			out, err := nvim.play(t, "plugin.lua", t.TempDir())
			if err != nil || !strings.Contains(out, "all good") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// The definition for lazy.nvim, as it uses one.
func TestLazy(t *testing.T) {
	for _, nvim := range editors(t) {
		t.Run(nvim.name, func(t *testing.T) {
			out, err := nvim.play(t, "lazy.lua", t.TempDir())
			if err != nil || !strings.Contains(out, "all good") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// :SecureTorch as a user types it.
func TestCommands(t *testing.T) {
	neovims := editors(t)
	w := setUp(t)
	models := filepath.Join(w.dir, "models")
	if err := os.Mkdir(models, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(w.dir, "evil.pt"), filepath.Join(models, "evil.pt")); err != nil {
		t.Fatal(err)
	}
	file := w.source(t, "app.py", app("models/evil.pt"))
	for _, nvim := range neovims {
		t.Run(nvim.name, func(t *testing.T) {
			out, err := nvim.play(t, "commands.lua", w.dir, "ST_BINARY="+w.binary, "ST_FILE="+file)
			if err != nil || !strings.Contains(out, "all good") {
				t.Errorf("%v\n%s", err, out)
			}
			w.untouched(t)
		})
	}
}
