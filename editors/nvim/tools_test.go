package nvim

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The test's tools. Absent ones fail the test when CI or REQUIRE_EDITORS is set, else it is skipped.
//
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

// limit of one program. It is generous: on a busy machine with empty caches a build takes minutes.
const limit = 10 * time.Minute

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
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// editor is a Neovim to test with.
type editor struct {
	name string
	cmd  []string
}

// editors are $NVIM, by default the nvim in PATH, and the newer ones that `make test-editors` unpacks, where they are.
func editors(t *testing.T) []editor {
	t.Helper()
	all := []editor{{"installed", []string{tool(t, "NVIM", "nvim", "--version")}}}
	newer, err := filepath.Glob(filepath.Join("..", "..", ".cache", "editors", "nvim-*", "run"))
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range newer {
		abs, err := filepath.Abs(run)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, editor{filepath.Base(filepath.Dir(abs)), []string{abs, "nvim"}})
	}
	return all
}

// play has Neovim run one of the scripts in testdata, in dir, with nobody's settings.
func (e editor) play(t *testing.T, script, dir string, env ...string) (string, error) {
	t.Helper()
	plugin, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	env = append(env, "ST_PLUGIN="+plugin, "HOME="+home, "XDG_STATE_HOME="+home, "XDG_CACHE_HOME="+home, "XDG_DATA_HOME="+home, "XDG_CONFIG_HOME="+home)
	args := append(e.cmd[1:len(e.cmd):len(e.cmd)], "--headless", "-u", "NONE", "-i", "NONE", "-n", "-S", filepath.Join(plugin, "testdata", script))
	return try(t, dir, env, e.cmd[0], args...)
}
