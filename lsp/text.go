package lsp

import (
	"fmt"
	"strings"
	"unicode"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// rulePage is where a rule is explained to people.
func rulePage(id rule.ID) uri.URI {
	return uri.URI("https://github.com/secure-torch/secure-torch/blob/main/internal/rule/catalog/" + string(id) + ".md")
}

// visible makes a text that an attacker may have written fit to be shown. Newlines stay.
func visible(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = report.Escape(lines[i])
	}
	return strings.Join(lines, "\n")
}

// code makes a Markdown code span of a text that an attacker may have written.
func code(s string) string {
	s = strings.ReplaceAll(visible(s), "\n", `\n`)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence + " " + s + " " + fence
}

// plain makes Markdown text of a text that an attacker may have written: nothing in it is markup.
func plain(s string) string {
	var b strings.Builder
	for _, r := range strings.ReplaceAll(visible(s), "\n", " ") {
		if r < 0x80 && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// toAny encodes a value of ours for a field that the client only carries.
func toAny(v any) protocol.LSPAny {
	body, err := protocol.Marshal(v)
	if err != nil {
		panic(err) // only own plain structs come here
	}
	return body
}

// size writes a number of bytes for people.
func size(n int64) string {
	const unit = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, i := float64(n)/1024, 0
	for f >= 1024 && i < len(unit)-1 {
		f, i = f/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", f, unit[i])
}
