package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"gopkg.in/yaml.v3"
)

// An outcome is what is known of a command beforehand: another exit code than 0, or why it is not run here.
type outcome struct {
	exit   int
	notRun string
}

// outcomes by page and command. Every entry has to be of use. A page that runs nothing of itself says so behind the
// language of its block.
var outcomes = map[string]outcome{
	"README.md: secure-torch scan models/ --format sarif": {exit: 1}, // evil.pt is in there
	"README.md: make run": {notRun: "what `make test-docs` does first"},
	`CONTRIBUTING.md: go run -C tools ./scaffold rule ST193 example-load "load of an example"`: {notRun: "`make test-contributing` does"},
	"CONTRIBUTING.md: go run -C tools ./scaffold loader kerasLoaders example.load path":        {notRun: "`make test-contributing` does"},
	"CONTRIBUTING.md: go run -C tools ./scaffold format example EXMP":                          {notRun: "`make test-contributing` does"},
	"CONTRIBUTING.md: go run -C tools ./scaffold editor example settings.json":                 {notRun: "`make test-contributing` does"},
	"README.md: make test":                                                    {notRun: "runs this test"},
	"docs/getting-started.md: make build":                                     {notRun: "what `make test-docs` does first"},
	"docs/getting-started.md: pip install .":                                  {notRun: "what python/install.sh does for this test"},
	"docs/migration.md: pip install .":                                        {notRun: "what python/install.sh does for this test"},
	"docs/getting-started.md: secure-torch scan evil.pt":                      {exit: 1},
	"docs/getting-started.md: secure-torch check app.py":                      {exit: 1},
	"docs/sigstore.md: secure-torch trust update":                             {notRun: "asks Sigstore's repository on the network"},
	"docs/policies.md: secure-torch policy eval policies/ --input input.json": {exit: 1}, // signed by nobody
	"docs/policies.md: secure-torch scan models/ --policy policies/ --environment production --audit-log decisions.jsonl": {exit: 1},
}

func TestPages(t *testing.T) {
	w := newWorkshop(t)
	used := map[string]bool{}
	ran := 0
	for _, page := range pages(t) {
		found := blocks(t, page, read(t, page))
		if len(found) == 0 {
			continue
		}
		t.Run(page, func(t *testing.T) {
			r := &runner{used: used, make: func(t *testing.T) *project { return w.newProject(t, page) }}
			if strings.HasPrefix(page, "docs/rules/") {
				r.make = w.emptyProject
			}
			for _, b := range found {
				r.block(t, b)
			}
			ran += r.ran
		})
	}
	for key := range outcomes {
		if !used[key] {
			t.Errorf("no page has the command %q", key)
		}
	}
	t.Logf("%d commands and programs were run", ran)
}

// A runner runs the blocks of one page.
type runner struct {
	p    *project
	make func(*testing.T) *project
	used map[string]bool
	ran  int
}

// project is made when something is to be run.
func (r *runner) project(t *testing.T) *project {
	t.Helper()
	if r.p == nil {
		r.p = r.make(t)
	}
	return r.p
}

// block runs or checks one.
func (r *runner) block(t *testing.T, b block) {
	at := fmt.Sprintf("%s:%d", b.page, b.line)
	switch {
	case b.notRun != "" || strings.HasPrefix(b.lang, "{") || b.lang == "text":
		return
	case strings.HasPrefix(b.page, "docs/editors"):
		isSettings(t, at, b.text)
		return
	case strings.HasPrefix(b.page, "docs/rules/"):
		r.rulePage(t, at, b)
		return
	}
	if b.file != "" {
		r.project(t).write(t, b.file, b.text)
	}
	switch b.lang {
	case "sh":
		for _, c := range commands(b.text) {
			r.command(t, at, b.page, c)
		}
	case "console":
		r.console(t, at, b)
	case "python":
		r.python(t, at, b.text)
	case "diff":
		for _, program := range bothSides(b.text) {
			r.python(t, at, program)
		}
	case "groovy":
		r.groovy(t, at, b)
	case "lua":
		r.lua(t, at, b.text)
	case "yaml", "json", "toml":
		parses(t, at, b.lang, b.text)
		r.configures(t, at, b)
	case "rego":
		if b.file == "" {
			t.Errorf("%s: a policy that no command of the page reads: name its file", at)
		}
	default:
		t.Errorf("%s: nothing is known of the language %s", at, b.lang)
	}
}

func (r *runner) command(t *testing.T, at, page, command string) {
	t.Helper()
	want := outcomes[page+": "+command]
	r.used[page+": "+command] = true
	if want.notRun != "" {
		return
	}
	r.ran++
	code, out := r.project(t).sh(t, command)
	if code != want.exit {
		t.Errorf("%s: %s: exit %d, want %d:\n%s", at, command, code, want.exit, out)
	}
}

func (r *runner) console(t *testing.T, at string, b block) {
	t.Helper()
	all := steps(b.text)
	if len(all) == 0 {
		t.Errorf("%s: a console without a command", at)
	}
	for _, s := range all {
		r.ran++
		code, out := r.project(t).sh(t, s.command)
		if code > 1 && !strings.Contains(s.says, "ERROR") { // what can't be read ends with 2
			t.Errorf("%s: %s: exit %d", at, s.command, code)
		}
		if !saying(s.says, b.vary).MatchString(out) {
			t.Errorf("%s: %s says\n%swhere the page has\n%s", at, s.command, out, s.says)
		}
	}
}

// stopped runs a program, and ends with 42 where that raised an UnsafeModelError.
const stopped = `import sys
import secure_torch

try:
    exec(sys.argv[1], {"__name__": "__main__"})
except secure_torch.UnsafeModelError:
    sys.exit(42)
`

// python runs a program. One that loads evil.pt has to be stopped; by torch nothing evil is loaded here.
func (r *runner) python(t *testing.T, at, program string) {
	t.Helper()
	if strings.Contains(program, "evil") && strings.Contains(program, "torch.load(") {
		return
	}
	r.ran++
	if !strings.Contains(program, "import ") {
		t.Errorf("%s: a program that imports nothing", at)
	}
	p := r.project(t)
	code, out := p.exec(t, filepath.Join(p.python, "bin", "python"), "-c", stopped, program)
	switch {
	case strings.Contains(program, "evil"):
		if code != 42 {
			t.Errorf("%s: exit %d, want an UnsafeModelError:\n%s", at, code, out)
		}
	case code != 0:
		t.Errorf("%s: exit %d:\n%s", at, code, out)
	}
}

// bothSides of a diff: what was there before, and after.
func bothSides(text string) []string {
	var before, after strings.Builder
	for line := range strings.Lines(text) {
		switch line[0] {
		case '-':
			before.WriteString(line[1:])
		case '+':
			after.WriteString(line[1:])
		default:
			before.WriteString(line[1:])
			after.WriteString(line[1:])
		}
	}
	return []string{before.String(), after.String()}
}

var groovyShell = regexp.MustCompile(`sh '([^']*)'`)

// groovy runs what a pipeline gives the shell.
func (r *runner) groovy(t *testing.T, at string, b block) {
	t.Helper()
	all := groovyShell.FindAllStringSubmatch(b.text, -1)
	if len(all) == 0 || strings.Count(b.text, "{") != strings.Count(b.text, "}") {
		t.Errorf("%s: no shell in it, or braces that do not match", at)
	}
	for _, m := range all {
		r.command(t, at, b.page, m[1])
	}
}

// lua runs settings of Neovim in the Neovim of this system, with the plugin where they say it is.
func (r *runner) lua(t *testing.T, at, text string) {
	t.Helper()
	r.ran++
	p := r.project(t)
	p.write(t, "init.lua", text)
	plugin := filepath.Join(p.root, "editors", "nvim")
	if code, out := p.exec(t, "nvim", "--headless", "-u", "NONE", "-i", "NONE", "--cmd", "set rtp+="+plugin, "-c", "luafile init.lua", "-c", "qall!"); code != 0 || strings.Contains(out, "Error") {
		t.Errorf("%s: exit %d:\n%s", at, code, out)
	}
}

// configures has the program that a file is for read it, where no command of its page does.
func (r *runner) configures(t *testing.T, at string, b block) {
	t.Helper()
	p := r.project(t)
	var command []string
	switch filepath.Base(b.file) {
	case ".":
		t.Errorf("%s: %s that nothing reads: name its file", at, b.lang)
		return
	case "models.yml":
		command = []string{"go", "run", "-C", filepath.Join(p.root, "tools", "actionlint"), "github.com/rhysd/actionlint/cmd/actionlint", "-shellcheck=", filepath.Join(p.dir, b.file)}
	case ".pre-commit-config.yaml":
		command = []string{os.Getenv("PRE_COMMIT"), "validate-config", b.file}
	case ".gitlab-ci.yml":
		command = []string{"grep", "-q", "file: ci/gitlab.yml", b.file} // that file is run by `make test-ci`
	default:
		return
	}
	r.ran++
	if code, out := p.exec(t, command[0], command[1:]...); code != 0 {
		t.Errorf("%s: %s: exit %d:\n%s", at, command[0], code, out)
	}
}

func parses(t *testing.T, at, lang, text string) {
	t.Helper()
	var v any
	var err error
	switch lang {
	case "json":
		err = isJSON(text)
	case "yaml":
		err = yaml.Unmarshal([]byte(text), &v)
	case "toml":
		err = toml.Unmarshal([]byte(text), &v)
	}
	if err != nil {
		t.Errorf("%s: %v", at, err)
	}
}

// isSettings: an editor's page is generated from files that the editors' tests use (editors/gen), and so is every block of it.
func isSettings(t *testing.T, at, text string) {
	t.Helper()
	files, err := filepath.Glob("../editors/*/*")
	check(t, err)
	packaged, err := filepath.Glob("../editors/*/packaging/*")
	check(t, err)
	for _, file := range append(files, packaged...) {
		if data, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(data)) == strings.TrimSpace(text) {
			return
		}
	}
	t.Errorf("%s: no file in editors has this text", at)
}

// rulePage: what a rule is shown by is Python that `go test ./analyzers` runs (ST1xx), a file in which the rule has to be
// found (`file NAME`), or a console.
func (r *runner) rulePage(t *testing.T, at string, b block) {
	t.Helper()
	id := strings.TrimSuffix(filepath.Base(b.page), ".md")
	switch {
	case b.lang == "python" && strings.HasPrefix(id, "ST1"):
	case b.lang == "console":
		r.console(t, at, b)
	case b.file != "":
		r.ran++
		p := r.project(t)
		p.write(t, b.file, b.text)
		if _, out := p.exec(t, filepath.Join(p.bin, "secure-torch"), "scan", "--fail-on", "never", "."); !strings.Contains(out, id) {
			t.Errorf("%s: %s is not found in %s:\n%s", at, id, b.file, out)
		}
	default:
		t.Errorf("%s: %s without the file that it stands in", at, b.lang)
	}
}
