package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// clone is the repository as it lies here, as a repository of its own.
func clone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	in(t, "../..", "sh", "-c", "git ls-files -z --cached --others --exclude-standard | tar --null -T - -c --ignore-failed-read | tar -x -C "+dir)
	git := []string{"-c", "user.name=x", "-c", "user.email=x@localhost"}
	in(t, dir, "git", "init", "-q")
	in(t, dir, "git", "add", ".")
	in(t, dir, "git", append(git, "commit", "-qm", "all")...)
	return dir
}

func in(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := try(dir, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// try runs a command with -trimpath, so that what was built elsewhere of the same sources is not built again.
func try(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-trimpath")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// touched are the files that differ from the last commit.
func touched(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(in(t, dir, "git", "status", "--porcelain", "--untracked-files=all")) {
		all = append(all, strings.TrimSpace(line[3:]))
	}
	slices.Sort(all)
	return all
}

func scaffold(t *testing.T, dir string, args ...string) {
	t.Helper()
	if said, err := run(dir, args); err != nil || !strings.Contains(said, "Next:") {
		t.Fatalf("%s: %v\n%s", args, err, said)
	}
}

func wants(t *testing.T, dir string, files ...string) {
	t.Helper()
	slices.Sort(files)
	if got := touched(t, dir); !slices.Equal(got, files) {
		t.Errorf("touched %q, and CONTRIBUTING.md says %q", got, files)
	}
}

// TestFiles: what is touched is what CONTRIBUTING.md says, and a second time is refused.
func TestFiles(t *testing.T) {
	dir := clone(t)
	for _, c := range []struct{ args, files []string }{
		{[]string{"rule", "ST193", "example-load", "load of an example"}, []string{"internal/rule/catalog/ST193.md", "CHANGELOG.md"}},
		{[]string{"loader", "kerasLoaders", "example.load", "path"}, []string{"analyzers/testdata/loaders.md", "analyzers/frameworks.go", "CHANGELOG.md"}},
		{[]string{"format", "example", "EXMP"}, []string{"modelscan/example/example.go", "modelscan/example/example_test.go", "modelscan/example/fuzz_test.go", "modelscan/example/testdata/unread.txtar",
			"modelscan/formats/formats.go", "docs/formats.md", "CHANGELOG.md"}},
		{[]string{"editor", "example", "settings.json"}, []string{"editors/example/settings.json", "editors/gen/pages.go", "editors/others_test.go", "CHANGELOG.md"}},
	} {
		scaffold(t, dir, c.args...)
		wants(t, dir, c.files...)
		if _, err := run(dir, c.args); err == nil && c.args[0] != "loader" {
			t.Errorf("%s: a second time", c.args)
		}
		in(t, dir, "git", "checkout", "-q", ".")
		in(t, dir, "git", "clean", "-qfd")
	}
	for _, args := range [][]string{{}, {"verb"}, {"rule", "ST1"}, {"rule", "T1", "a-b", "c"}, {"rule", "ST193", "../x", "c"}, {"format", "../x", "A"}, {"format", "x", "A"}, {"format", "example", ""},
		{"loader", "noLoaders", "a.b", "c"}, {"loader", "kerasLoaders", "a.b\"", "c"}, {"editor", "a/b", "c.json"}, {"editor", "abc", "c.exe"}} {
		if said, err := run(dir, args); err == nil {
			t.Errorf("%q: %s", args, said)
		}
	}
	wants(t, dir)
}

// TestWalks follows CONTRIBUTING.md to its end: the case fails, what the page says is done, it passes.
func TestWalks(t *testing.T) {
	if os.Getenv("WALK") == "" {
		t.Skip("WALK is not set: `make test-contributing` runs this")
	}
	dir := clone(t)
	t.Run("rule and loader", func(t *testing.T) {
		scaffold(t, dir, "rule", "ST193", "example-load", "load of an example")
		in(t, filepath.Join(dir, "internal/rule"), "go", "generate", ".")
		fails(t, dir, "./analyzers", "Pages", "ST193")
		scaffold(t, dir, "loader", "kerasLoaders", "example.load", "path")
		change(t, dir, "analyzers/frameworks.go", "\t{Func: \"example.load\", Arg: Arg{0, []string{\"path\"}}, Judge: unpickles},",
			"\t{Func: \"example.load\", Arg: Arg{0, []string{\"path\"}}, Judge: func(*Call) Judgement { return Judgement{Rule: rule.ExampleLoad, Message: \"an example\"} }},")
		change(t, dir, "analyzers/testdata/loaders.md", "example.load(\"model.bin\")  # error: ST108", "example.load(\"model.bin\")  # error: ST193")
		in(t, dir, "go", "test", "./analyzers", "-run", "Pages")
		in(t, dir, "go", "test", "./internal/archtest", "-run", "Scores|RulePages")
	})
	t.Run("format", func(t *testing.T) {
		scaffold(t, dir, "format", "example", "EXMP")
		in(t, dir, "gofmt", "-w", "modelscan/formats")
		in(t, dir, "go", "test", "./modelscan/example", "./modelscan/formats", "./internal/archtest")
		in(t, dir, "go", "test", "./modelscan/example", "-run", "^$", "-fuzz", "FuzzScan", "-fuzztime", "20x")
		change(t, dir, "modelscan/example/example.go", "\tp.Emit.Gap(modelscan.Gap{Rule: rule.NotSupported, Path: p.Name, Reason: \"example files are recognised, and not read\"})\n",
			"\tif p.Size > 4 {\n\t\tp.Emit.Gap(modelscan.Gap{Rule: rule.NotSupported, Path: p.Name, Reason: \"more than an empty file\"})\n\t}\n")
		fails(t, dir, "./modelscan/formats", "Recipes", "ST903")
	})
	t.Run("editor", func(t *testing.T) {
		scaffold(t, dir, "editor", "example", "settings.json")
		in(t, dir, "go", "test", "./editors", "-run", "Settings")
		in(t, filepath.Join(dir, "editors"), "go", "run", "./gen", "../docs")
		if page, err := os.ReadFile(filepath.Join(dir, "docs/editors/example.md")); err != nil || !strings.Contains(string(page), "# example\n") {
			t.Errorf("no page: %v", err)
		}
	})
}

// fails: the tests fail, and say why.
func fails(t *testing.T, dir, pkg, tests, why string) {
	t.Helper()
	if out, err := try(dir, "go", "test", pkg, "-run", tests); err == nil || !strings.Contains(out, why) {
		t.Errorf("%s -run %s: %v, want a failure that names %s\n%s", pkg, tests, err, why, out)
	}
}

func change(t *testing.T, dir, name, from, to string) {
	t.Helper()
	file := filepath.Join(dir, name)
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), from) != 1 {
		t.Fatalf("%s: %v, %q is not there once", name, err, from)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), from, to, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}
