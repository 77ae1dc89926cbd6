package editors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Characters outside of ASCII before the call show whether columns are counted right.
const (
	source = "import torch\n\nname = \"\U0001F680é\"; model = torch.load(\"evil.pt\")\n"
	plain  = "import torch\n\nname = \"x\"; model = torch.load(\"evil.pt\")\n"
)

// An unsafe model, which nothing here runs.
const evil = "cposix\nsystem\n(S'echo pwned'\ntR."

// session is a folder with a source and a model, the program in a folder of its own, and a user's home.
type session struct{ dir, bin, file, home string }

func begin(t *testing.T, program, source string) session {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("REQUIRE_ALL_EDITORS") == "1" {
			t.Fatal(err)
		}
		t.Skip("not here: `make test-editors` installs it: ", err)
	}
	s := session{dir: t.TempDir(), bin: t.TempDir(), home: t.TempDir()}
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
	cmd.Env = append(os.Environ(), "ST_SETTINGS="+abs, "ST_BIN="+s.bin, "ST_FILE="+s.file, "ST_RESULT="+filepath.Join(s.bin, "result"),
		"PATH="+s.bin+":"+os.Getenv("PATH"), "HOME="+s.home, "XDG_CONFIG_HOME="+s.home, "TERM=xterm")
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

// lsp-mode 8 counts columns in characters, so that an emoji before the call would move what it underlines.
func TestLspMode(t *testing.T) {
	s := begin(t, "emacs", plain)
	if _, err := os.Stat("/usr/share/doc/elpa-lsp-mode"); err != nil {
		if os.Getenv("REQUIRE_ALL_EDITORS") == "1" {
			t.Fatal(err)
		}
		t.Skip("not here: `make test-editors` installs it: ", err)
	}
	script, err := filepath.Abs("emacs/testdata/session-lsp-mode.el")
	if err != nil {
		t.Fatal(err)
	}
	if out := s.run(t, "emacs", nil, "emacs", "-q", "--batch", "-l", script); !strings.Contains(out, "all good") {
		t.Errorf("%s", out)
	}
	s.saved(t)
}

// Settings of editors that no test starts are at least well-formed, and start the server.
func TestSettings(t *testing.T) {
	for _, file := range []string{"kate/lspclient.json", "sublime/LanguageServers.sublime-settings", "jetbrains/template.json", "vim/coc-settings.json", "helix/languages.toml", "jupyterlab/jupyter_server_config.py", "kakoune/kak-lsp.kak", "vim/vim-lsp.vim", "emacs/secure-torch.el", "emacs/secure-torch-lsp-mode.el"} {
		text, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			t.Fatal(err)
		}
		var settings map[string]any
		switch filepath.Ext(file) {
		case ".json", ".sublime-settings":
			err = json.Unmarshal(text, &settings)
		case ".toml":
			err = toml.Unmarshal(text, &settings)
		case ".py":
			err = exec.Command("/usr/bin/python3", "-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", file).Run()
		case ".kak":
			if strings.Count(string(text), "{") != strings.Count(string(text), "}") {
				err = errors.New("a block is not closed")
			}
		case ".vim", ".el":
			err = parsed(t, file)
		}
		if err != nil || !bytes.Contains(text, []byte("secure-torch")) || !regexp.MustCompile(`"lsp"|'lsp'|secure-torch lsp`).Match(text) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// The parts of Zed's extension name the same server. That it compiles is for `make test-zed`.
func TestZed(t *testing.T) {
	var manifest struct {
		ID, Version     string
		LanguageServers map[string]struct{ Languages []string } `toml:"language_servers"`
	}
	var crate struct{ Package struct{ Version string } }
	var settings struct {
		Languages map[string]struct {
			LanguageServers []string `json:"language_servers"`
		}
	}
	for file, read := range map[string]func([]byte) error{
		"extension.toml": func(b []byte) error { return toml.Unmarshal(b, &manifest) },
		"Cargo.toml":     func(b []byte) error { return toml.Unmarshal(b, &crate) },
		"settings.json":  func(b []byte) error { return json.Unmarshal(b, &settings) },
	} {
		text, err := os.ReadFile(filepath.Join("zed", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := read(text); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if manifest.Version != crate.Package.Version || manifest.Version == "" {
		t.Errorf("versions %q and %q", manifest.Version, crate.Package.Version)
	}
	if got := manifest.LanguageServers[manifest.ID].Languages; len(got) != 1 || got[0] != "Python" {
		t.Errorf("server %q is for %q", manifest.ID, got)
	}
	if got := settings.Languages["Python"].LanguageServers; len(got) != 2 || got[0] != manifest.ID {
		t.Errorf("the settings name %q", got)
	}
}

// parsed has an editor read the file: Neovim runs what is for Vim, which only registers, and Emacs reads expressions.
func parsed(t *testing.T, file string) error {
	t.Helper()
	args := []string{"nvim", "--headless", "-u", "NONE", "-i", "NONE", "-c", "try | source " + file + " | catch | cquit | endtry", "-c", "qall!"}
	if strings.HasSuffix(file, ".el") {
		args = []string{"emacs", "-Q", "--batch", "--eval", `(with-temp-buffer (insert-file-contents "` + file + `") (emacs-lisp-mode) (check-parens))`}
	}
	if _, err := exec.LookPath(args[0]); err != nil {
		t.Log("not parsed: ", err)
		return nil
	}
	return exec.CommandContext(t.Context(), args[0], args[1:]...).Run()
}

// Helix, out of another Debian: `make test-editors` unpacks it.
func TestHelix(t *testing.T) {
	run, err := filepath.Abs("../.cache/editors/hx-trixie/run")
	if err != nil {
		t.Fatal(err)
	}
	s := begin(t, run, source)
	settings, err := os.ReadFile("helix/languages.toml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(s.home, "helix"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"languages.toml": string(settings), "config.toml": "[editor.inline-diagnostics]\ncursor-line = \"hint\"\n"} {
		if err := os.WriteFile(filepath.Join(s.home, "helix", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := s.run(t, "helix", []step{{"posix", "]d a"}, {"st.load", "\r"}, {"secure_torch", ":wq\r"}}, run, "hx", "app.py:3")
	if t.Failed() {
		t.Logf("%q", out)
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
