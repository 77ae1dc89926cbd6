package hydra

import (
	"regexp"
	"strings"
	"testing"
)

// opening says what opens decides; it is too slow to ask of each of 100,000 members.
var opening = regexp.MustCompile(`^[ \t\n\f\r]*(%|---|#|-\s|\{|\[|!|&|["']?[\w][\w .\-/"']{0,200}\s*:(\s|$))`)

func FuzzOpens(f *testing.F) {
	for _, s := range []string{
		"", "a:", "a: 1", "a:1", "'a b': 2", `"`, `"a`, "''a: 1", "-", "- 1", "--", "---", "-1: 2", "# x", "%YAML", "{", "[", "!t", "&a", ":", " : 1", "a\n : 1", "a \t\f:\n",
		"\n\n key : value", "k\u00e9y: 1", "x" + strings.Repeat("y", 200) + ":", "x" + strings.Repeat("y", 201) + ":", "x" + strings.Repeat(" ", 300) + ": 1",
		"x" + strings.Repeat("y ", 100) + "  : 1", "x" + strings.Repeat("y ", 101) + ": 1", "hello", "a.b-c/d\"e': 1", ".a: 1", "a\x00: 1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := opens([]byte(strings.TrimLeft(s, space))), opening.MatchString(s); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	})
}
