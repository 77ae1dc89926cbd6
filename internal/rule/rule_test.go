package rule

import (
	"slices"
	"strings"
	"testing"
)

// TestCatalogue: the table has every page, in order, and nothing else; `make generate` writes it.
func TestCatalogue(t *testing.T) {
	files, err := pages.ReadDir("catalog")
	if err != nil {
		t.Fatal(err)
	}
	var want []ID
	for _, f := range files {
		want = append(want, ID(strings.TrimSuffix(f.Name(), ".md")))
	}
	var got []ID
	for _, r := range All() {
		got = append(got, r.ID)
		if page, ok := Get(r.ID); !ok || page.Name != r.Name || !strings.HasPrefix(r.Body(), "## What it finds\n") || strings.Contains(r.Body(), "\nseverity:") {
			t.Errorf("%s: %v, %.40q", r.ID, ok, r.Body())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the table has %v, the pages are %v", got, want)
	}
	for _, none := range []ID{"", "ST", "ST000", "ST201x", "ST999"} {
		if _, ok := Get(none); ok || none.Severity() != Critical || (Rule{ID: none}).Body() != "" {
			t.Errorf("%q is a rule", none)
		}
	}
}
