package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes a name from a model file fit to be shown: invalid bytes become \xNN, control,
// bidirectional and invisible characters \uNNNN. Whoever writes a file chooses its names, and could
// else recolour a terminal, hide a line or make one name look like another.
func Escape(name string) string {
	if isPlain(name) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		switch {
		case r == utf8.RuneError && size <= 1:
			fmt.Fprintf(&b, `\x%02x`, name[i])
		case !hidden(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	return b.String()
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// hidden characters show nothing, or change how others are shown: controls (Cc), formats (Cf, with
// the bidirectional ones, zero-width ones and tags), line and paragraph separators, private and
// unassigned ones, fillers and variation selectors.
func hidden(r rune) bool {
	return !unicode.IsPrint(r) || r == 0x115f || r == 0x1160 || r == 0x3164 || r == 0xffa0 || unicode.Is(unicode.Variation_Selector, r)
}
