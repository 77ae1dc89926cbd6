// Package codetext tells text that is code from text that talks. It serves metadata fields, which no
// loader executes: what it finds is a reason to look, not an accusation.
package codetext

import (
	"strings"

	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// calls are the beginnings of calls that run code, processes or other people's bytes.
var calls = pattern.Lazy(`__import__\s*\(|\bos\.(system|popen|exec[lv]\w*|spawn\w+)\s*\(|\bsubprocess\.\w+\s*\(|\b(eval|exec)\s*\(\s*(compile|base64|bytes|zlib|codecs|__import__|open|requests|urllib|')|` +
	`\b(pickle|marshal|cloudpickle|dill)\.loads\s*\(|\bbuiltins\.(eval|exec)\b|\bRuntime\.getRuntime\(\)\.exec|<script[\s>]`)

// shells are command lines that fetch and run.
var shells = pattern.Lazy(`\b(curl|wget)\b[^|\n]{1,400}\|\s*(ba|z)?sh\b|/dev/tcp/|\bpowershell(\.exe)?\s+-(e|enc|nop|w)|\bnc\s+-e\b|\bpython[23]?\s+-c\s+["']`)

// Find returns the part of s that is code, "" when there is none.
func Find(s string) string {
	if strings.ContainsAny(s, "(<") {
		if m := calls().FindStringIndex(s); m != nil {
			return excerpt(s, m[0])
		}
	}
	if m := shells().FindStringIndex(s); m != nil {
		return excerpt(s, m[0])
	}
	return ""
}

// excerpt shows what begins at off, one line of it.
func excerpt(s string, off int) string {
	const show = 60
	s, _, _ = strings.Cut(s[off:min(off+show, len(s))], "\n")
	return s
}
