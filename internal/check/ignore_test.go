package check

import (
	"bytes"
	"slices"
	"testing"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/rule"
)

func TestIgnored(t *testing.T) {
	for name, tc := range map[string]struct {
		src     string
		rule    rule.ID
		trusted bool
		want    string // the reason; "-": not ignored
	}{
		"none":                 {"CALL\n", "ST101", true, "-"},
		"this line":            {"CALL  # secure-torch: ignore[ST101] ours\n", "ST101", false, "ours"},
		"by name":              {"CALL  # secure-torch: ignore[torch-load-unguarded]\n", "ST101", false, ""},
		"several":              {"CALL  # secure-torch: ignore[ST110, ST101]\n", "ST101", false, ""},
		"another rule":         {"CALL  # secure-torch: ignore[ST110]\n", "ST101", false, "-"},
		"another line":         {"# secure-torch: ignore[ST101]\nCALL\n", "ST101", false, "-"},
		"the whole file":       {"# secure-torch: ignore-file[ST101] generated\n\nCALL\n", "ST101", false, "generated"},
		"after another":        {"CALL  # noqa # secure-torch: ignore[ST101]\n", "ST101", false, ""},
		"in a string":          {"CALL; x = '# secure-torch: ignore[ST101]'\n", "ST101", false, "-"},
		"in a long string":     {"\"\"\"\n# secure-torch: ignore-file[ST101]\n\"\"\"\nCALL\n", "ST101", false, "-"},
		"nothing in brackets":  {"CALL  # secure-torch: ignore[]\n", "ST101", false, "-"},
		"no brackets":          {"CALL  # secure-torch: ignore\n", "ST101", false, "-"},
		"a finding, untrusted": {"CALL  # secure-torch: ignore[ST201] trust me\n", "ST201", false, "-"},
		"a finding, trusted":   {"CALL  # secure-torch: ignore[ST201] a test file\n", "ST201", true, "a test file"},
		"CR LF":                {"x = 1\r\nCALL  # secure-torch: ignore[ST101] ours\r\n", "ST101", false, "ours"},
		"CR alone":             {"# secure-torch: ignore[ST101]\rCALL\r", "ST101", false, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			at := bytes.Index([]byte(tc.src), []byte("CALL"))
			c := &Checked{ignores: Ignores([]byte(tc.src))}
			ig, ok := c.ignored(Diagnostic{Rule: tc.rule, Span: analyzers.Span{Start: at, End: at + 4}}, tc.trusted)
			if got := ig.Reason; ok != (tc.want != "-") || ok && got != tc.want {
				t.Errorf("ignored %v for %q, want %q", ok, got, tc.want)
			}
		})
	}
}

func TestCommentFits(t *testing.T) {
	for src, want := range map[string]bool{
		"x = 1":                          true,
		"x = 1 + \\":                     false,
		"x = '''a":                       false,
		"x = '''a'''":                    true,
		"x = 'it is # no comment'":       true,
		"# it's a comment":               true,
		"x = \"\\\"\"":                   true,
		"x = f('a', \"b\")  # 'unclosed": true,
	} {
		if got := CommentFits([]byte(src+"\nmore'''"), len(src)); got != want {
			t.Errorf("%q: %v, want %v", src, got, want)
		}
	}
}

func FuzzComments(f *testing.F) {
	f.Add([]byte("x = '#' # a\n'''\n# b\n''' # c\r# secure-torch: ignore[ST101] d"))
	f.Add([]byte("'\\"))
	f.Fuzz(func(t *testing.T, src []byte) {
		spans := slices.Collect(Comments(src))
		for i, s := range spans {
			if s.Start >= s.End || s.End > len(src) || src[s.Start] != '#' || bytes.ContainsAny(src[s.Start:s.End], "\r\n") {
				t.Fatalf("comment %v in %q", s, src)
			}
			if i > 0 && spans[i-1].End >= s.Start {
				t.Fatalf("comments overlap: %v", spans)
			}
		}
		Ignores(src)
	})
}
