package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// advisory is one known vulnerability, with what answers for it here.
type advisory struct {
	rules []rule.Rule
	cases []recipe
}

// recipe is a test case that names an advisory in its heading.
type recipe struct{ path, about string }

var advisoryID = regexp.MustCompile(`CVE-\d{4}-\d{4,}|GHSA(-[0-9a-z]{4}){3}`)

// cvePage lists the advisories that a rule or a recipe names. Recipes are read below root.
func cvePage(root fs.FS) ([]byte, error) {
	known := map[string]*advisory{}
	of := func(id string) *advisory {
		if known[id] == nil {
			known[id] = &advisory{}
		}
		return known[id]
	}
	for _, r := range rule.All() {
		for _, id := range r.CVE {
			of(id).rules = append(of(id).rules, r)
		}
	}
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "build") {
			return fs.SkipDir
		}
		if path.Ext(p) != ".txtar" || !strings.Contains(p, "testdata/") {
			return nil
		}
		text, err := fs.ReadFile(root, p)
		if err != nil {
			return err
		}
		heading, _, _ := strings.Cut("\n"+string(text), "\n-- ")
		ids := advisoryID.FindAllString(heading, -1)
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			of(id).cases = append(of(id).cases, recipe{p, firstSentence(heading)})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return cveTable(known), nil
}

// firstSentence of a recipe's heading, on one line and fit for a table.
func firstSentence(heading string) string {
	text := strings.Join(strings.Fields(heading), " ")
	if i := strings.Index(text, ". "); i >= 0 {
		text = text[:i+1]
	}
	return strings.ReplaceAll(text, "|", `\|`)
}

func cveTable(known map[string]*advisory) []byte {
	var b bytes.Buffer
	tested := 0
	for _, a := range known {
		if len(a.cases) > 0 {
			tested++
		}
	}
	b.WriteString(notice + "# Known vulnerabilities\n\n")
	fmt.Fprintf(&b, "%d advisories are named by a rule or a test case; %d of them have a case that is run with every change: a recipe\nfrom which a model file is made in memory, and what must be found in it.\n\n", len(known), tested)
	b.WriteString("| advisory | rules | cases |\n|---|---|---|\n")
	for _, id := range slices.Sorted(maps.Keys(known)) {
		a := known[id]
		var rules, cases []string
		for _, r := range a.rules {
			rules = append(rules, fmt.Sprintf("[%s](rules/%s.md) %s", r.ID, r.ID, r.Name))
		}
		for _, c := range a.cases {
			cases = append(cases, fmt.Sprintf("[%s](../%s): %s", strings.TrimSuffix(path.Base(c.path), ".txtar"), c.path, c.about))
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", id, strings.Join(rules, "<br>"), strings.Join(cases, "<br>"))
	}
	return b.Bytes()
}

func writeCVE(file, root string) error {
	page, err := cvePage(os.DirFS(root))
	if err != nil {
		return err
	}
	return os.WriteFile(file, page, 0o644)
}
