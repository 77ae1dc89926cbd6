package lsp

import (
	"bytes"
	"slices"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
)

// ignoreEdit adds an ignore comment for a diagnostic, on its line or for the whole file. It is refused
// where a comment would not be one, and where none is heeded.
func ignoreEdit(d *document, diag check.Diagnostic, n int) (analyzers.Edit, bool) {
	if diag.Rule == "" || !check.Ignorable(diag.Rule, d.trusted()) {
		return analyzers.Edit{}, false
	}
	insert := func(at int, text string) (analyzers.Edit, bool) {
		return analyzers.Edit{Span: analyzers.Span{Start: at, End: at}, New: text}, true
	}
	if n == fixIgnoreFile {
		return insert(fileCommentAt(d.text), "# secure-torch: ignore-file["+string(diag.Rule)+"]"+newline(d.text))
	}
	m := d.mapper()
	begin, end := m.line(int(m.position(diag.Span.Start).Line))
	for _, ig := range check.Ignores(d.text) {
		switch {
		case ig.File || ig.RuleSpan.Start < begin || ig.RuleSpan.End > end:
		case slices.Contains(ig.Rules, diag.Rule):
			return analyzers.Edit{}, false // there already, and of no use
		default:
			return insert(ig.RuleSpan.End, ", "+string(diag.Rule))
		}
	}
	if !check.CommentFits(d.text, end) {
		return analyzers.Edit{}, false
	}
	return insert(end, "  # secure-torch: ignore["+string(diag.Rule)+"]")
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
