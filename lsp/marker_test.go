package lsp

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// Marker tests are Python files that say of each line what the server says of it:
//
//	torch.load("a.pt")  # @diag(ST101) @fix(weights_only => torch.load("a.pt", weights_only=True))
//
// @diag names a rule; a line has those diagnostics and no others (ST190, which only says why a file was
// not found, aside). @fix names a part of an action's title, and what the line is after it.
var (
	diagMarker = regexp.MustCompile(`@diag\((\w+)\)`)
)

func TestMarkers(t *testing.T) {
	files, err := filepath.Glob("testdata/marker/*.py")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	markers := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		markers += strings.Count(string(text), "@diag(") + strings.Count(string(text), "@fix(")
		t.Run(filepath.Base(file), func(t *testing.T) { marked(t, string(text)) })
	}
	if markers < 120 {
		t.Errorf("%d markers", markers)
	}
}

func marked(t *testing.T, text string) {
	e, sc, uriOf := real(t, map[string]string{"evil.pt": "x", "good.pt": "x", "sub/evil.pt": "x"})
	sc.set("evil.pt", evilCall)
	e.initialize(full("utf-16"))
	lines := strings.Split(text, "\n")
	var bare []string // what the server gets: the markers are not a part of it
	want := map[string]int{}
	for i, line := range lines {
		code, _, _ := strings.Cut(line, "# @")
		if before, _, ok := strings.Cut(code, "@diag"); ok {
			code = before
		}
		bare = append(bare, strings.TrimRight(code, " "))
		for _, m := range diagMarker.FindAllStringSubmatch(line, -1) {
			want[fmt.Sprintf("%d %s", i+1, m[1])] = 1
		}
	}
	a := uriOf("a.py")
	e.open(a, 1, strings.Join(bare, "\n"))
	// Models are scanned one by one: the first verdict is not yet the last.
	verdicts := strings.Count(text, "@diag(ST201)")
	e.latest(a, 1, func(all []shownDiag) bool { return countOf(all, "ST201") >= verdicts })
	got := map[string]int{}
	for _, d := range e.latest(a, 1, func([]shownDiag) bool { return true }) {
		for _, p := range []pos{d.Range.Start, d.Range.End} {
			if p.Line >= len(bare) || p.Character > len(utf16.Encode([]rune(bare[p.Line]))) {
				t.Errorf("a range outside of the document: %+v", d)
			}
		}
		if d.Code != "ST190" {
			got[fmt.Sprintf("%d %s", d.Range.Start.Line+1, d.Code)] = 1
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got[key] == 0 {
			t.Errorf("line %s: missing", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if want[key] == 0 {
			t.Errorf("line %s: unexpected", key)
		}
	}
	for i, line := range lines {
		fixesOf(t, e, a, bare, i, line)
	}
}

// fixesOf takes the actions that a line's @fix markers name.
func fixesOf(t *testing.T, e *editor, uri string, bare []string, i int, line string) {
	t.Helper()
	_, markers, _ := strings.Cut(line, "# @")
	for _, part := range strings.Split("@"+markers, " @fix(")[1:] {
		title, after, ok := strings.Cut(part, " => ")
		if !ok {
			t.Fatalf("line %d: %q", i+1, part)
		}
		after = strings.TrimSuffix(strings.TrimSpace(after), ")")
		var actions []action
		e.call("textDocument/codeAction", on(uri, rng{pos{i, 0}, pos{i, 200}}), &actions)
		fixed := utf16.Encode([]rune(bare[i]))
		edits := find(t, actions, title).Edit.DocumentChanges[0].Edits
		for _, x := range slices.Backward(edits) {
			if x.Range.Start.Line == i && x.Range.End.Line == i {
				rest := append(utf16.Encode([]rune(x.NewText)), fixed[x.Range.End.Character:]...)
				fixed = append(slices.Clone(fixed[:x.Range.Start.Character]), rest...)
			}
		}
		if got := string(utf16.Decode(fixed)); got != after {
			t.Errorf("line %d, %s: %q, want %q", i+1, title, got, after)
		}
	}
}
