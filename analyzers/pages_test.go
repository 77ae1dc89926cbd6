package analyzers

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var expected = regexp.MustCompile(`# error: (ST\d+(?:, ST\d+)*)`)

// judge lists "line rule" of everything that is reported of a source alone.
func judge(src string, o Options) []string {
	var got []string
	line := func(at int) int { return 1 + strings.Count(src[:at], "\n") }
	linked := Link(Summarise([]byte(src), Native), o)
	for _, c := range linked.Calls {
		if c.Rule != "" {
			got = append(got, fmt.Sprintf("%d %s", line(c.FuncSpan.Start), c.Rule))
		}
	}
	for _, d := range linked.Diagnostics {
		got = append(got, fmt.Sprintf("%d %s", line(d.Span.Start), d.Rule))
	}
	slices.Sort(got)
	return got
}

// labels lists the same of a source's comments.
func labels(src string) []string {
	var want []string
	for i, line := range strings.Split(src, "\n") {
		if m := expected.FindStringSubmatch(line); m != nil {
			for _, id := range strings.Split(m[1], ", ") {
				want = append(want, fmt.Sprintf("%d %s", i+1, id))
			}
		}
	}
	slices.Sort(want)
	return want
}

// pythonBlocks are the fenced Python blocks of a Markdown page.
func pythonBlocks(page string) []string {
	var out []string
	for {
		_, rest, ok := strings.Cut(page, "```python\n")
		if !ok {
			return out
		}
		block, after, ok := strings.Cut(rest, "```")
		if !ok {
			return out
		}
		out, page = append(out, block), after
	}
}

// harmlessLines counts the lines with a call that are labelled by having no label.
func harmlessLines(src string) int {
	n := 0
	for _, line := range strings.Split(src, "\n") {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "(") && !strings.Contains(line, "# error:") && !strings.HasPrefix(line, "def ") && !strings.HasPrefix(line, "class ") {
			n++
		}
	}
	return n
}

// TestPages runs the examples of the rule pages and of testdata: a line with "# error: ST101" is
// reported under that rule and no other line is.
func TestPages(t *testing.T) {
	pages, err := filepath.Glob("../internal/rule/catalog/ST1*.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("testdata/*.md")
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for _, path := range append(pages, more...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		blocks := pythonBlocks(string(text))
		if len(blocks) == 0 {
			t.Errorf("%s: no example", path)
		}
		for i, src := range blocks {
			want := labels(src)
			cases += len(want) + harmlessLines(src)
			if strings.HasSuffix(path, "ST190.md") || strings.Contains(src, "secure-torch: ignore") {
				continue // what these show is not the linker's
			}
			if got := judge(src, Options{}); !slices.Equal(got, want) {
				t.Errorf("%s, block %d:\n got %v\nwant %v", path, i+1, got, want)
			}
		}
	}
	t.Logf("%d labelled cases", cases)
}
