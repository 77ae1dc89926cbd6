package editors

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Characters outside of ASCII before the call show whether columns are counted right.
const (
	source = "import torch\n\nname = \"\U0001F680é\"; model = torch.load(\"evil.pt\")\n"
	plain  = "import torch\n\nname = \"x\"; model = torch.load(\"evil.pt\")\n"
)

// An unsafe model, which nothing here runs.
const evil = "cposix\nsystem\n(S'echo pwned'\ntR."

// session is a folder with a source and a model, and the program in a folder of its own.
type session struct{ dir, bin, file string }

func begin(t *testing.T, program, source string) session {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("REQUIRE_ALL_EDITORS") == "1" {
			t.Fatal(err)
		}
		t.Skip("not here: `make test-editors` installs it: ", err)
	}
	s := session{dir: t.TempDir(), bin: t.TempDir()}
	s.file = filepath.Join(s.dir, "app.py")
	if out, err := exec.Command("go", "build", "-o", filepath.Join(s.bin, "secure-torch"), "../cmd/secure-torch").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, text := range map[string]string{"app.py": source, "evil.pt": evil} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// step is a key that a user presses when he sees something.
type step struct{ see, press string }

// run runs an editor, in a terminal where there are steps, and returns what it printed.
func (s session) run(t *testing.T, settings string, steps []step, name string, args ...string) string {
	t.Helper()
	abs, err := filepath.Abs(settings)
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) > 0 { // script, of util-linux, makes a terminal
		args = []string{"-qefc", "stty rows 40 columns 120; exec " + strings.Join(append([]string{name}, args...), " "), "/dev/null"}
		name = "script"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.WaitDelay = s.dir, time.Second
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "ST_SETTINGS="+abs, "ST_BIN="+s.bin, "ST_FILE="+s.file, "ST_RESULT="+filepath.Join(s.bin, "result"),
		"PATH="+s.bin+":"+os.Getenv("PATH"), "HOME="+home, "XDG_CONFIG_HOME="+home, "TERM=xterm")
	keys, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	screen := &typist{keys: keys, steps: steps}
	cmd.Stdout, cmd.Stderr = screen, screen
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if len(screen.steps) > 0 {
		t.Errorf("never seen: %q", screen.steps[0].see)
	}
	return screen.all.String()
}

// typist presses keys when it sees what they are for.
type typist struct {
	keys  io.Writer
	steps []step
	all   bytes.Buffer
	from  int // what was seen before is old
}

func (p *typist) Write(b []byte) (int, error) {
	p.all.Write(b)
	for len(p.steps) > 0 {
		i := bytes.Index(p.all.Bytes()[p.from:], []byte(p.steps[0].see))
		if i < 0 {
			break
		}
		p.from += i + len(p.steps[0].see)
		if _, err := io.WriteString(p.keys, p.steps[0].press); err != nil {
			return 0, err
		}
		p.steps = p.steps[1:]
	}
	return len(b), nil
}

// saved is what the editor wrote after the quick fix.
func (s session) saved(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(s.file)
	if want := "; model = st.load(\"evil.pt\")\n"; err != nil || !strings.Contains(string(text), want) || !strings.Contains(string(text), "import secure_torch as st\n") {
		t.Errorf("%v, saved %q", err, text)
	}
}

func TestEmacs(t *testing.T) {
	s := begin(t, "emacs", source)
	script, err := filepath.Abs("emacs/testdata/session.el")
	if err != nil {
		t.Fatal(err)
	}
	if out := s.run(t, "emacs", nil, "emacs", "-q", "--batch", "-l", script); !strings.Contains(out, "all good") {
		t.Errorf("%s", out)
	}
	s.saved(t)
}

// ALE 3.3 takes the protocol's columns for bytes, so that it underlines a wrong place after letters outside of ASCII,
// whichever server speaks.
func TestVim(t *testing.T) {
	s := begin(t, "vim.nox", plain)
	script, err := filepath.Abs("vim/testdata/session.vim")
	if err != nil {
		t.Fatal(err)
	}
	out := s.run(t, "vim", []step{{"Type number and <Enter>", "1\r"}}, "vim.nox", "-n", "-u", script, "app.py")
	if result, err := os.ReadFile(filepath.Join(s.bin, "result")); err != nil || !strings.HasPrefix(string(result), "all good") {
		t.Errorf("%v: %s\n%q", err, result, out)
	}
	s.saved(t)
}
