//go:build linux

package sandbox

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestAsNobody runs the probes and the load again as a user without any rights, when this one has some.
func TestAsNobody(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become nobody")
	}
	dir, err := os.MkdirTemp("", "nobody") // t.TempDir lies in a folder that others can't enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe := filepath.Join(dir, "sandbox.test")
	if err := copyFile(exe); err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/probes.golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{os.Chmod(dir, 0o777), os.Mkdir(filepath.Join(dir, "testdata"), 0o755), os.WriteFile(filepath.Join(dir, "testdata", "probes.golden"), golden, 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	const tests = "TestProbes$|TestConfinement|TestEveryThread|TestSecrets|TestRunAnswers|TestUnderLoad"
	cmd := exec.CommandContext(t.Context(), exe, "-test.run", tests, "-test.v")
	cmd.Dir = dir
	cmd.Env = []string{"TMPDIR=" + dir, "HOME=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "--- PASS: "); n < 6 {
		t.Errorf("%d tests passed, want 6:\n%s", n, out)
	}
}

// TestWithoutProc: where there is no procfs no mode has a worker, and the error says what is needed.
func TestWithoutProc(t *testing.T) {
	if os.Getenv("SECURE_TORCH_TEST_WITHOUT_PROC") != "" {
		for _, mode := range []Mode{Strict, Auto, Process, Off} {
			if w, err := Start(t.Context(), Spec{Mode: mode}); !errors.Is(err, ErrNoProc) {
				t.Errorf("%s: %v, %v", mode, w, err)
			}
		}
		return
	}
	const hide = "mount -t tmpfs none /proc"
	if err := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", hide).Run(); err != nil {
		t.Skipf("/proc can't be hidden here: %v", err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", hide+` && exec "$0" -test.run '^TestWithoutProc$' -test.v`, exe)
	cmd.Env = append(os.Environ(), "SECURE_TORCH_TEST_WITHOUT_PROC=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestWithoutProc") {
		t.Errorf("%v\n%s", err, out)
	}
}

// copyFile copies this executable to where nobody can run it.
func copyFile(to string) error {
	own, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer own.Close()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, own); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
