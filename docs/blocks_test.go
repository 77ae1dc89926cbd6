package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A block is a fenced block of a page. Behind its language, where no site shows it, may stand "file NAME" (it is written
// there before what follows on the page is run), "not run: REASON", or "numbers vary" (of a console).
type block struct {
	page    string // slash-separated, from the repository
	line    int
	heading string // the last one above it
	lang    string
	file    string
	notRun  string
	vary    bool
	text    string
}

// pages of the repository, in an order that does not change.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/adr/*.md", "docs/editors/*.md", "docs/rules/*.md", "editors/*/README.md", "lsp/README.md", "python/README.md"} {
		found, err := filepath.Glob("../" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			all = append(all, filepath.ToSlash(strings.TrimPrefix(p, "../")))
		}
	}
	if len(all) < 100 || !slices.Contains(all, "README.md") {
		t.Fatalf("only %d pages", len(all))
	}
	return all
}

func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var fence = regexp.MustCompile("^(`{3,}|:{3,})(.*)$")

// blocks of a page. What is wrong with the way they are written is an error of the test.
func blocks(t *testing.T, page, text string) []block {
	t.Helper()
	var all []block
	var open *block
	var ticks string
	heading, before := "", ""
	for i, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case open != nil && m != nil && m[1] == ticks && m[2] == "":
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		case m != nil:
			ticks = m[1]
			open = &block{page: page, line: i + 1, heading: heading}
			info(t, open, strings.TrimSpace(m[2]))
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		case strings.HasPrefix(line, "    ") && before == "":
			t.Errorf("%s:%d: indented code has no language: fence it", page, i+1)
		}
		before = line
		if strings.HasPrefix(line, "    ") {
			before = "" // the next line belongs to it
		}
	}
	if open != nil {
		t.Errorf("%s:%d: a fence that nothing ends", page, open.line)
	}
	return all
}

// info reads what stands behind a fence.
func info(t *testing.T, b *block, text string) {
	t.Helper()
	lang, rest, _ := strings.Cut(text, " ")
	b.lang = lang
	if strings.HasPrefix(lang, "{") {
		return // a directive of Sphinx, which warns of what is wrong with it
	}
	var ok bool
	switch {
	case lang == "":
		t.Errorf("%s:%d: a block without a language: `text` is for what is no code", b.page, b.line)
	case rest == "":
	case rest == "numbers vary":
		b.vary = true
	default:
		if b.file, ok = strings.CutPrefix(rest, "file "); ok {
			return
		}
		if b.notRun, ok = strings.CutPrefix(rest, "not run: "); !ok || b.notRun == "" {
			t.Errorf("%s:%d: unknown words behind a language: %q", b.page, b.line, rest)
		}
	}
}

// commands of a block of shell: lines put together, without comments.
func commands(text string) []string {
	var all []string
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, " # ")
		line, _, _ = strings.Cut(line, "  #")
		line = strings.Join(strings.Fields(line), " ")
		if line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

// A step of a console: a command, and what it says.
type step struct{ command, says string }

func steps(text string) []step {
	var all []step
	for line := range strings.Lines(text) {
		if c, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, step{command: strings.TrimSpace(c)})
		} else if len(all) > 0 {
			all[len(all)-1].says += line
		}
	}
	return all
}

// number in a text that is quoted as a pattern.
var number = regexp.MustCompile(`[0-9]+(\\\.[0-9]+)?`)

// saying is what an output has to match: "…" stands for anything; numbers, where they vary, for any numbers.
func saying(text string, vary bool) *regexp.Regexp {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		if strings.TrimSpace(line) == "…" {
			lines = append(lines, `(?s:.*?)`)
			continue
		}
		line = strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*")
		if vary {
			line = number.ReplaceAllLiteralString(line, `[0-9]+(\.[0-9]+)?`)
		}
		lines = append(lines, line+` *\n`)
	}
	return regexp.MustCompile(`\A` + strings.Join(lines, "") + `\s*\z`)
}

// The tests' own test: what they would let through.
func TestBlocks(t *testing.T) {
	got := blocks(t, "x.md", "# A\n```sh\na \\\n  b  # why\n# c\nd\n```\n## B\n```console numbers vary\n$ e\nf 12\n…\n$ g\n```\n```yaml file a/b.yml\nx: 1\n```\n")
	if len(got) != 3 || got[0].heading != "A" || got[1].heading != "B" || !got[1].vary || got[2].file != "a/b.yml" || got[2].text != "x: 1\n" {
		t.Fatalf("%+v", got)
	}
	if c := commands(got[0].text); !slices.Equal(c, []string{"a b", "d"}) {
		t.Errorf("%q", c)
	}
	if s := steps(got[1].text); !slices.Equal(s, []step{{"e", "f 12\n…\n"}, {"g", ""}}) {
		t.Errorf("%q", s)
	}
	for _, c := range []struct {
		says, out string
		vary      bool
		want      bool
	}{
		{"f 12\n…\n", "f 12\nand more\n", false, true},
		{"f 12\n", "f 12\nand more\n", false, false},
		{"f 12\n", "f 7\n", false, false},
		{"f 12\n", "f 7\n", true, true},
		{"f 8.1ms\n", "f 68ms\n", true, true},
		{"f 8.1ms\n", "f fast\n", true, false},
		{"a … c\n", "a b c\n", false, true},
		{"…\nend\n", "a\nb\nend\n", false, true},
	} {
		if got := saying(c.says, c.vary).MatchString(c.out); got != c.want {
			t.Errorf("%q against %q: %v", c.says, c.out, got)
		}
	}
}
