package ci

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
)

// An unsafe model, which nothing here runs, and a source that would load it.
const (
	evil   = "cposix\nsystem\n(S'echo pwned'\ntR."
	source = "import torch\n\nmodel = torch.load(\"evil.pt\")\n"
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func program(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secure-torch")
	if out, err := exec.Command("go", "build", "-o", file, "../cmd/secure-torch").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// What action.yml runs: the exit code, the outputs, a SARIF log, and inputs that no shell reads.
func TestGitHubAction(t *testing.T) {
	script, err := filepath.Abs("github-action.sh")
	if err != nil {
		t.Fatal(err)
	}
	bin := program(t)
	for name, c := range map[string]struct {
		env  []string
		code int
		want string
	}{
		"check":    {[]string{"VERB=check", "PATHS=."}, 1, "::error file=app.py,line=3,col=9,endLine=3,endColumn=19,title=secure-torch ST201::would call"},
		"scan":     {[]string{"VERB=scan", "PATHS=evil.pt"}, 1, "ST201"},
		"never":    {[]string{"VERB=check", "PATHS=app.py", "FAIL_ON=never"}, 0, "ST201"},
		"verb":     {[]string{"VERB=convert", "PATHS=."}, 2, "not convert"},
		"no shell": {[]string{"VERB=scan", "PATHS=$(touch pwned)\n`touch pwned`"}, 2, "no such file"},
		"no way":   {[]string{"VERB=scan", "PATHS=.", "PROGRAM=", "VERSION="}, 2, "give the release"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, map[string]string{"app.py": source, "evil.pt": evil})
			cmd := exec.Command("bash", script)
			cmd.Dir = dir
			cmd.Env = append(append(os.Environ(), "GITHUB_OUTPUT="+filepath.Join(dir, "out"), "RUNNER_TEMP="+dir, "SARIF=log.sarif", "FAIL_ON=high", "ARGS=", "PROGRAM="+bin, "XDG_CACHE_HOME="+t.TempDir()), c.env...)
			out, _ := cmd.CombinedOutput() // what it exits with is looked at
			if got := cmd.ProcessState.ExitCode(); got != c.code || !strings.Contains(string(out), c.want) {
				t.Errorf("exit %d, want %d and %q:\n%s", got, c.code, c.want, out)
			}
			if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
				t.Error("an input was run")
			}
			if name == "check" {
				outputs(t, dir)
			}
		})
	}
}

func outputs(t *testing.T, dir string) {
	t.Helper()
	said, err := os.ReadFile(filepath.Join(dir, "out"))
	if want := "sarif=log.sarif\nexit-code=1\n"; err != nil || string(said) != want {
		t.Errorf("outputs %q, %v", said, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "log.sarif"))
	if err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Results []struct{ RuleID string }
		}
	}
	if err := json.Unmarshal(text, &log); err != nil || log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) == 0 {
		t.Errorf("%v: %s", err, text)
	}
}

// The hooks by the real pre-commit: it clones this repository as it is, builds it, and refuses a commit. PRE_COMMIT says
// where that program is; `make test-ci` installs it.
func TestPreCommit(t *testing.T) {
	preCommit := os.Getenv("PRE_COMMIT")
	if preCommit == "" {
		t.Skip("PRE_COMMIT is not set: `make test-ci` runs this")
	}
	hooks, dir, home := t.TempDir(), t.TempDir(), t.TempDir()
	command(t, "..", "sh", "-c", "git ls-files -z --cached --others --exclude-standard | tar --null -T - -c --ignore-failed-read | tar -x -C "+hooks)
	rev := commit(t, hooks)
	write(t, dir, map[string]string{
		"app.py": source, "evil.pt": evil, "fine.py": "print(1)\n",
		".pre-commit-config.yaml": "repos:\n- repo: " + hooks + "\n  rev: " + rev + "\n  hooks:\n  - id: secure-torch-check\n  - id: secure-torch-scan\n",
	})
	commit(t, dir)
	for _, c := range []struct {
		hook, file, want string
		code             int
	}{
		{"secure-torch-check", "app.py", "would call posix.system('echo pwned') on load", 1},
		{"secure-torch-check", "fine.py", "Passed", 0},
		{"secure-torch-scan", "evil.pt", "would call posix.system('echo pwned') on load", 1},
		{"secure-torch-scan", "app.py", "no files to check", 0},
	} {
		cmd := exec.Command(preCommit, "run", c.hook, "--verbose", "--color=never", "--files", c.file)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PRE_COMMIT_HOME="+home)
		out, _ := cmd.CombinedOutput() // what it exits with is looked at
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.want) {
			t.Errorf("%s %s: exit %d, want %d and %q:\n%s", c.hook, c.file, code, c.code, c.want, out)
		}
	}
}

// TestHookReadsEveryModel: the scanning hook is given whatever the program takes for a model by its name.
func TestHookReadsEveryModel(t *testing.T) {
	text, err := os.ReadFile("../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, scan, _ := strings.Cut(string(text), "id: secure-torch-scan")
	_, pattern, found := strings.Cut(scan, "files: ")
	pattern, _, _ = strings.Cut(pattern, "\n")
	files, err := regexp.Compile(pattern)
	if !found || err != nil {
		t.Fatalf("%q: %v", pattern, err)
	}
	for _, ending := range modelscan.ModelExtensions() {
		if name := "models/m." + ending; !files.MatchString(name) || !files.MatchString(strings.ToUpper(name)) || files.MatchString(name+".txt") {
			t.Errorf("%s is not told apart", name)
		}
	}
}

// commit makes a folder a repository, and returns its commit.
func commit(t *testing.T, dir string) string {
	t.Helper()
	git := func(args ...string) string {
		return command(t, dir, "git", append([]string{"-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "init.defaultBranch=main"}, args...)...)
	}
	git("init", "-q")
	git("add", ".")
	git("commit", "-qm", "all")
	return strings.TrimSpace(git("rev-parse", "HEAD"))
}

func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, args, err, out)
	}
	return string(out)
}
