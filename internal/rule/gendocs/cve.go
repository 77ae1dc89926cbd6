package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
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
type recipe struct {
	path, about string
	benign      bool // the harmless counterpart of a case
}

// An advisory of a project on GitHub may be named by the project and the first part of its identifier.
var (
	advisoryID = regexp.MustCompile(`CVE-\d{4}-\d{4,}|(\w+ advisory )?GHSA(-[0-9a-z]{4}){1,3}`)
	wantedRule = regexp.MustCompile(`(?m)^[^\n]*: (ST\d{3})\b`)
)

// advisories are those that a rule or a recipe names, by identifier. Recipes are read below root. A recipe's
// rules are those of the findings that it wants.
func advisories(root fs.FS) (map[string]*advisory, error) {
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
			of(strings.Replace(id, " advisory ", " ", 1)).add(recipe{p, firstSentence(heading), strings.Contains(heading, "counterpart of")}, string(text))
		}
		return nil
	})
	return known, err
}

// add notes a case, and the rules that its text says it breaks.
func (a *advisory) add(c recipe, text string) {
	a.cases = append(a.cases, c)
	_, want, _ := strings.Cut(text, "\n-- want --\n")
	if c.benign {
		return
	}
	for _, m := range wantedRule.FindAllStringSubmatch(want, -1) {
		if r, ok := rule.Get(rule.ID(m[1])); ok && !slices.ContainsFunc(a.rules, func(have rule.Rule) bool { return have.ID == r.ID }) {
			a.rules = append(a.rules, r)
		}
	}
	slices.SortFunc(a.rules, func(x, y rule.Rule) int { return strings.Compare(string(x.ID), string(y.ID)) })
}

// ofRule are the identifiers of the advisories for which a rule answers, in order.
func ofRule(known map[string]*advisory, id rule.ID) []string {
	var ids []string
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if slices.ContainsFunc(known[name].rules, func(r rule.Rule) bool { return r.ID == id }) {
			ids = append(ids, name)
		}
	}
	return ids
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
	fmt.Fprintf(&b, "%d advisories are named by a rule or a test case; %d of them have a case that is run with every change: a recipe\nfrom which a model file is made in memory, and what must be found in it. An advisory of fickling or picklescan is named by the first part of its identifier.\n\n", len(known), tested)
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
