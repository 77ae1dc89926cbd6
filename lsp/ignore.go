package lsp

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// Comments by which people silence rules: `# secure-torch: ignore[ST101, ST110] why`, for a line, and
// ignore-file for a whole file.
var (
	ignoreComment = regexp.MustCompile(`#[ \t]*secure-torch:[ \t]*ignore(?:-file)?\[([^\]\n]*)\]`)
	ignoreBegun   = regexp.MustCompile(`#[ \t]*secure-torch:[ \t]*ignore(?:-file)?\[([^\]\n]*)$`)
	ignoreLine    = regexp.MustCompile(`#[ \t]*secure-torch:[ \t]*ignore\[([^\]\n]*)\]`)
	ruleID        = regexp.MustCompile(`ST\d+`)
)

// ignoreEdit adds an ignore comment for a diagnostic. It is refused where a comment would not be one:
// after a backslash, and on a line that a string goes on after.
func ignoreEdit(d *document, diag check.Diagnostic, n int) (analyzers.Edit, bool) {
	if n == fixIgnoreFile {
		at := fileCommentAt(d.text)
		return analyzers.Edit{Span: analyzers.Span{Start: at, End: at}, New: "# secure-torch: ignore-file[" + string(diag.Rule) + "]" + newline(d.text)}, true
	}
	m := d.mapper()
	begin, end := m.line(int(m.position(diag.Span.Start).Line))
	line := d.text[begin:end]
	if have := ignoreLine.FindSubmatchIndex(line); have != nil {
		if slices.Contains(ids(line[have[2]:have[3]]), diag.Rule) {
			return analyzers.Edit{}, false // there already, and of no use
		}
		at := begin + have[3]
		return analyzers.Edit{Span: analyzers.Span{Start: at, End: at}, New: ", " + string(diag.Rule)}, true
	}
	if !commentFits(d.text, end) {
		return analyzers.Edit{}, false
	}
	return analyzers.Edit{Span: analyzers.Span{Start: end, End: end}, New: "  # secure-torch: ignore[" + string(diag.Rule) + "]"}, true
}

func ids(list []byte) []rule.ID {
	var out []rule.ID
	for _, id := range ruleID.FindAll(list, -1) {
		out = append(out, rule.ID(id))
	}
	return out
}

// fileCommentAt is where a comment for the whole file goes: after a #! line and an encoding.
func fileCommentAt(text []byte) int {
	at := 0
	if bytes.HasPrefix(text, []byte("\xef\xbb\xbf")) {
		at = 3
	}
	for range 2 {
		line, _, more := bytes.Cut(text[at:], []byte("\n"))
		if !more || !bytes.HasPrefix(line, []byte("#!")) && !(bytes.HasPrefix(line, []byte("#")) && bytes.Contains(line, []byte("coding"))) {
			break
		}
		at += len(line) + 1
	}
	return at
}

// newline is the one that the text uses.
func newline(text []byte) string {
	if i := bytes.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// commentFits reports whether a comment can begin at the end of a line: the line is not continued by a
// backslash and no triple-quoted string is open there. It is a reading of Python's tokens alone.
func commentFits(text []byte, end int) bool {
	if end > 0 && text[end-1] == '\\' {
		return false
	}
	for i := 0; i < end; i++ {
		switch c := text[i]; c {
		case '#':
			if nl := bytes.IndexAny(text[i:end], "\r\n"); nl >= 0 {
				i += nl
			} else {
				return true
			}
		case '"', '\'':
			triple := []byte{c, c, c}
			if !bytes.HasPrefix(text[i:], triple) {
				i = closeString(text, i+1, []byte{c}) - 1
			} else if i = closeString(text, i+3, triple) - 1; i >= end {
				return false
			}
		}
	}
	return true
}

// closeString returns the offset after the end of a string that was opened before at. A string in single
// quotes ends with its line at the latest.
func closeString(text []byte, at int, quote []byte) int {
	for ; at < len(text); at++ {
		switch {
		case text[at] == '\\':
			at++
		case bytes.HasPrefix(text[at:], quote):
			return at + len(quote)
		case text[at] == '\n' && len(quote) == 1:
			return at
		}
	}
	return len(text)
}
