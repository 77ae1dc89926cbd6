package modelscan

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text returns s with every byte that is not part of valid UTF-8 written as \xNN: reports travel as
// JSON, which would lose such bytes.
func Text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[0])|0x100, 16)[1:])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}
