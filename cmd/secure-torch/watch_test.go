package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// program is this test binary under the name by which it is the program (see testscript.Main).
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "secure-torch")
	if err := os.Link(self, path); err != nil {
		text, err := os.ReadFile(self)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

type watchLine struct {
	Artifacts []struct{ Path, Verdict string }
	Gone      []string
}

// A watched folder: what is there, a hostile file that comes, and its end, each reported once it is so.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("good.pkl", "(dp0\n.")
	asked := filepath.Base(dir) // paths are told as they were asked for, in later reports too
	cmd := exec.Command(program(t), "watch", asked, "--format", "json", "--sandbox", "auto")
	cmd.Dir, cmd.Stderr = filepath.Dir(dir), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	next := func() watchLine {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("no line: %v", lines.Err())
		}
		var l watchLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatalf("%v in %s", err, lines.Bytes())
		}
		return l
	}
	if l := next(); len(l.Artifacts) != 1 || l.Artifacts[0].Verdict != "safe" {
		t.Errorf("at the begin: %+v", l)
	}
	write("evil.pkl", "cposix\nsystem\n(S'echo pwned'\ntR.")
	if l := next(); len(l.Artifacts) != 1 || l.Artifacts[0].Path != filepath.Join(asked, "evil.pkl") || l.Artifacts[0].Verdict != "unsafe" {
		t.Errorf("a hostile file came: %+v", l)
	}
	write("good.pkl", "cposix\nsystem\n(S'echo pwned'\ntR.")
	if l := next(); len(l.Artifacts) != 1 || l.Artifacts[0].Verdict != "unsafe" {
		t.Errorf("a good file changed: %+v", l)
	}
	write("hubconf.py", "import net\n")
	if l := next(); len(l.Artifacts) != 1 {
		t.Errorf("a hubconf.py came: %+v", l)
	}
	write("net.py", "import os\nos.system('echo pwned')\n")
	verdicts := map[string]string{}
	for _, a := range next().Artifacts {
		verdicts[filepath.Base(a.Path)] = a.Verdict
	}
	if v := verdicts["hubconf.py"]; v == "" || v == "safe" {
		t.Errorf("what hubconf.py imports came: %v", verdicts)
	}
	if err := os.Remove(filepath.Join(dir, "evil.pkl")); err != nil {
		t.Fatal(err)
	}
	if l := next(); len(l.Gone) != 1 || filepath.Base(l.Gone[0]) != "evil.pkl" {
		t.Errorf("it went: %+v", l)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the code says how
	if code := cmd.ProcessState.ExitCode(); code != exitFindings {
		t.Errorf("exit code %d, want %d", code, exitFindings)
	}
}
