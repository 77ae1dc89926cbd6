package modeltest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/secure-torch/secure-torch/internal/repo"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Case runs one recipe file as a test: each of its model files is scanned, as if they all lay in one folder, and what is found must be what
// the section "want" says, line by line:
//
//	model.pt!archive/data.pkl@2: ST201 posix.system     a finding: path, offset, rule, subject
//	model.pt@0: ST901 gap                               something not examined
//	verdict: unsafe                                     after the lines of each file
//
// With update the section is rewritten instead.
func Case(t *testing.T, path string, assemble func(string) ([]byte, error), formats []*modelscan.Format, update bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	recipe, err := Parse(text, assemble)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, f := range recipe.Files {
		report := Scan(t, f, formats)
		repo.Beside(t.Context(), report, recipe.tree(f), modelscan.DefaultLimits())
		got.WriteString(Describe(report))
	}
	if update {
		if err := rewrite(path, text, got.String()); err != nil {
			t.Fatal(err)
		}
		return
	}
	if recipe.Want == "" {
		t.Error("the recipe has no section \"want\"")
	}
	if diff := cmp.Diff(recipe.Want, got.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// tree is a file with the recipe's other files beside it.
func (r *Recipe) tree(f File) *repo.Tree {
	t := &repo.Tree{Source: source(f)}
	for _, other := range r.Files {
		t.Names = append(t.Names, other.Name)
		if strings.HasSuffix(other.Name, ".py") {
			t.Modules = append(t.Modules, source(other))
		}
	}
	return t
}

func source(f File) modelscan.Source {
	return modelscan.Source{Name: f.Name, R: bytes.NewReader(f.Data), Size: int64(len(f.Data)), As: repo.Format(f.Name)}
}

// Cases runs every recipe under dir, at any depth, whose folder is named testdata.
func Cases(t *testing.T, dir string, assemble func(string) ([]byte, error), formats []*modelscan.Format, update bool) {
	t.Helper()
	paths, err := Recipes(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatalf("no recipe under %s", dir)
	}
	for _, path := range paths {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.ToSlash(name), ".txtar"), func(t *testing.T) { Case(t, path, assemble, formats, update) })
	}
}

// Recipes lists the recipe files under dir.
func Recipes(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".txtar" && strings.Contains("/"+filepath.ToSlash(path), "/testdata/") {
			paths = append(paths, path)
		}
		return err
	})
	sort.Strings(paths)
	return paths, err
}

// Seed gives a fuzz target every model file of the recipes under dir.
func Seed(f *testing.F, dir string, assemble func(string) ([]byte, error)) {
	f.Helper()
	paths, err := Recipes(dir)
	if err != nil || len(paths) == 0 {
		f.Fatalf("no recipe under %s: %v", dir, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		recipe, err := Parse(text, assemble)
		if err != nil {
			f.Fatalf("%s: %v", path, err)
		}
		for _, file := range recipe.Files {
			f.Add(file.Data)
		}
	}
}

// Scan reads a made file as `secure-torch scan` would.
func Scan(t testing.TB, f File, formats []*modelscan.Format) *modelscan.Report {
	return modelscan.Scan(t.Context(), source(f), formats, modelscan.DefaultLimits())
}

// Describe writes a report in the lines of a "want" section. Of several equal lines it keeps one.
func Describe(r *modelscan.Report) string {
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, fmt.Sprintf("%s@%d: %s %s", f.Path, f.Offset, f.Rule, f.Subject))
	}
	for _, g := range r.Gaps {
		lines = append(lines, fmt.Sprintf("%s@%d: %s gap", g.Path, g.Offset, g.Rule))
	}
	sort.Strings(lines)
	var b strings.Builder
	for i, l := range lines {
		if i == 0 || l != lines[i-1] {
			b.WriteString(printable(strings.TrimRight(l, " ")) + "\n")
		}
	}
	fmt.Fprintf(&b, "verdict: %s\n", r.Verdict())
	return b.String()
}

// printable escapes what does not belong into a text file.
func printable(s string) string {
	if q := fmt.Sprintf("%q", s); strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '\ufffd' || r == 0x7f }) {
		return q
	}
	return s
}

func rewrite(path string, text []byte, want string) error {
	a := txtar.Parse(text)
	kept := a.Files[:0]
	for _, f := range a.Files {
		if f.Name != "want" {
			kept = append(kept, f)
		}
	}
	a.Files = append(kept, txtar.File{Name: "want", Data: []byte(want)})
	return os.WriteFile(path, txtar.Format(a), 0o644)
}
