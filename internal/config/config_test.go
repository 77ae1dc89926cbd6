package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/secure-torch/secure-torch/internal/rule"
)

func TestParse(t *testing.T) {
	text := `
fail_on = "medium"
sandbox = "auto"
offline = true
[[ignore]]
rule = "ST101"
path = "tests/**"
reason = "fixtures"
`
	want := &Config{FailOn: "medium", Sandbox: "auto", Offline: true, Ignore: []Ignore{{Rule: "ST101", Path: "tests/**", Reason: "fixtures"}}}
	got, err := Parse([]byte(text), Workspace)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	pyproject := "[project]\nname = 'x'\n[tool.other]\na = 1\n[tool.secure-torch]\nfail_on = 'low'\n[[tool.secure-torch.ignore]]\nrule = 'ST101'\nreason = 'x'\n"
	got, err = ParsePyproject([]byte(pyproject), Untrusted)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Config{FailOn: "low", Ignore: []Ignore{{Rule: "ST101", Reason: "x"}}}, got); diff != "" {
		t.Error(diff)
	}
	if got, err := ParsePyproject([]byte("[tool.black]\nline-length = 1\n"), User); got != nil || err != nil {
		t.Errorf("no table: %v, %v", got, err)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"fail-on = 'high'":                                   `line 1: unknown key "fail-on": did you mean "fail_on"?`,
		"\n\nsandbux = 'off'":                                `line 3: unknown key "sandbux": did you mean "sandbox"?`,
		"[[ignore]]\nrules = 'ST101'":                        `line 2: unknown key "ignore.rules": did you mean "rule"?`,
		"entirely_different_thing = 1":                       `known are fail_on, sandbox`,
		"[sinks]\n'my lib.f' = 'path'":                       `sinks: "my lib.f"`,
		"[sinks]\n'mylib.f' = ''":                            `its first parameter`,
		"fail_on = 3":                                        `line 1, column`,
		"fail_on = 'hihg'":                                   `fail_on = "hihg": one of info, low`,
		"sandbox = 'none'":                                   `one of strict, auto, off`,
		"sandbox = 'off'":                                    `may only tighten`,
		"trusted_folders = ['.']":                            `cannot vouch for itself`,
		"[[ignore]]\nrule = 'ST101'":                         `a reason is needed`,
		"[[ignore]]\nreason = 'x'":                           `would ignore everything`,
		"[[ignore]]\nreason = 'x'\nrule = 'pickle-os-sytem'": `did you mean "pickle-os-system"?`,
		"[[ignore]]\nreason = 'x'\ndigest = 'abc'":           `not sha256:`,
		"[[ignore]]\nreason = 'x'\npath = '[a'":              `syntax error in pattern`,
		"[[ignore]]\nreason = 'x'\npath = '**/**/**/**'":     `more than 3 times`,
		"a = [":                        `line 1`,
		strings.Repeat("#", maxSize+1): `larger than`,
	} {
		_, err := Parse([]byte(text), Untrusted)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func TestMatch(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	c := &Config{Ignore: []Ignore{
		{Rule: "ST101", Path: "tests/**/*.py", Reason: "a"},
		{Rule: "pickle-os-system", Digest: digest, Reason: "b"},
	}}
	for _, x := range []struct {
		id           rule.ID
		file, digest string
		trusted      bool
		want         string
	}{
		{"ST101", "tests/a.py", "", false, "a"},
		{"ST101", "tests/b/c/a.py", "", false, "a"},
		{"ST101", "src/tests/a.py", "", false, ""},
		{"ST102", "tests/a.py", "", false, ""},
		{"ST201", "m.pt", digest, true, "b"},
		{"ST201", "m.pt", digest, false, ""}, // findings in files, in an untrusted workspace
		{"ST201", "m.pt", "", true, ""},
	} {
		if got, _ := c.Match(x.id, x.file, x.digest, x.trusted); got.Reason != x.want {
			t.Errorf("%+v: %q", x, got.Reason)
		}
	}
}

func TestLoad(t *testing.T) {
	write := func(dir, name, text string) string {
		t.Helper()
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	root := t.TempDir()
	work := filepath.Join(root, "work")
	own := write(work, FileName, "fail_on = 'critical'\noffline = true\n")
	sub := filepath.Join(work, "a", "b")
	if err := os.MkdirAll(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	user := write(root, "user.toml", "fail_on = 'medium'\n")
	trusting := write(root, "trusting.toml", "fail_on = 'medium'\ntrusted_folders = ['"+work+"']\n")

	for name, x := range map[string]struct {
		user, explicit, failOn string
		trusted                bool
	}{
		"untrusted may not loosen":         {user, "", "medium", false},
		"untrusted against the default":    {"", "", "", false},
		"trusted by the user":              {trusting, "", "critical", true},
		"named on the command line":        {user, own, "critical", true},
		"the user's config does not exist": {filepath.Join(root, "none.toml"), own, "critical", true},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := load(x.user, sub, x.explicit, false)
			if err != nil {
				t.Fatal(err)
			}
			if l.FailOn != x.failOn || l.Trusted != x.trusted || !l.Offline || l.Dir != work {
				t.Errorf("fail_on %q, trusted %v, offline %v, dir %q", l.FailOn, l.Trusted, l.Offline, l.Dir)
			}
		})
	}
	if _, err := load("", sub, filepath.Join(root, "missing.toml"), false); err == nil {
		t.Error("a missing file named explicitly is no error")
	}
	if err := os.MkdirAll(filepath.Join(sub, FileName), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := load("", sub, "", false); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder as config: %v", err)
	}
}

func TestSchemaIsCurrent(t *testing.T) {
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/schema/config.json")
	if err != nil || string(got) != string(want) {
		t.Errorf("docs/schema/config.json is stale: run go generate (%v)", err)
	}
}

// Functions of a folder's own count where the folder is trusted, and only there.
func TestSinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte("[sinks]\n'mylib.load_checkpoint' = 'path'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for trusted, want := range map[bool]map[string]string{true: {"mylib.load_checkpoint": "path"}, false: nil} {
		l, err := load("", dir, "", trusted)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, l.Sinks); diff != "" {
			t.Errorf("trusted %v: %s", trusted, diff)
		}
	}
}
