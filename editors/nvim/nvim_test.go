// Package nvim holds the Neovim plugin; its Go code is the test that runs the main job through a real
// Neovim, a real checkpoint made by torch, and the real server.
package nvim

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The test's tools. Absent ones fail the test when CI or REQUIRE_EDITORS is set, else it is skipped.
//
//	NVIM          the editor; default: nvim in PATH
//	TORCH_PYTHON  a Python that has torch; default: /usr/bin/python3 (Debian's python3-torch)
func tool(t *testing.T, env, name string, probe ...string) string {
	t.Helper()
	if set := os.Getenv(env); set != "" {
		name = set
	}
	if out, err := exec.Command(name, probe...).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" || os.Getenv("REQUIRE_EDITORS") == "1" {
			t.Fatalf("%s (%s) is needed: %v\n%s", name, env, err, out)
		}
		t.Skipf("%s (%s) is not here: %v", name, env, err)
	}
	return name
}

const limit = 2 * time.Minute

// run runs a program in dir and returns its output. It fails the test when the program fails.
func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	out, err := try(t, dir, env, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, args, err, out)
	}
	return out
}

func try(t *testing.T, dir string, env []string, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.WaitDelay = limit
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	stop := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	err := cmd.Run()
	return out.String(), err
}

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
func edit(t *testing.T, nvim, binary, file, code, action string) session {
	t.Helper()
	plugin, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(file)
	result := filepath.Join(t.TempDir(), "result.json")
	home := t.TempDir()
	out, runErr := try(t, dir, []string{
		"ST_PLUGIN=" + plugin, "ST_BINARY=" + binary, "ST_FILE=" + file, "ST_RESULT=" + result,
		"ST_CODE=" + code, "ST_ACTION=" + action,
		"HOME=" + home, "XDG_STATE_HOME=" + home, "XDG_CACHE_HOME=" + home, "XDG_DATA_HOME=" + home,
	}, nvim, "--headless", "-u", "NONE", "-i", "NONE", "-n", "-S", filepath.Join(plugin, "testdata", "session.lua"))
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

// The main job: the line that loads a hostile checkpoint gets an error that names the call with member
// and offset, and the quick fix turns it into st.load. Nothing is executed on the way.
func TestMainJob(t *testing.T) {
	nvim := tool(t, "NVIM", "nvim", "--version")
	python := tool(t, "TORCH_PYTHON", "/usr/bin/python3", "-c", "import torch")
	binary := build(t)
	dir := t.TempDir()
	canary := filepath.Join(dir, "canary")
	run(t, dir, nil, python, "-c", checkpoints, canary)
	file := filepath.Join(dir, "app.py")
	if err := os.WriteFile(file, []byte(app("evil.pt")), 0o600); err != nil {
		t.Fatal(err)
	}

	s := edit(t, nvim, binary, file, "ST201", "st.load")

	call := strings.Index(s.Line, "torch.load")
	if s.First.Lnum != 2 || s.First.Col != call || s.First.Severity != 1 {
		t.Errorf("the error stands at %+v, the call at line 2, byte %d", s.First, call)
	}
	for _, part := range []string{"posix.system", "touch " + canary, "data.pkl", "offset 0x"} {
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
	if _, err := os.Stat(canary); err == nil {
		t.Fatal("the payload was executed")
	}
}
