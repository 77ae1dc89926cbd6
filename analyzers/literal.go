package analyzers

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
)

// literal is the value of a string without interpolations.
func (s *Summary) literal(n node) (string, bool) {
	if s.kind(n) != pyparse.String {
		return "", false
	}
	var b strings.Builder
	raw := false
	for c := range s.children(n) {
		switch s.kind(c) {
		case pyparse.StringStart:
			raw = strings.ContainsAny(strings.ToLower(s.code(c)), "r")
			if strings.ContainsAny(strings.ToLower(s.code(c)), "ft") {
				return "", false
			}
		case pyparse.StringContent:
			text, ok := s.content(c, raw)
			if !ok {
				return "", false
			}
			b.WriteString(text)
		case pyparse.StringEnd:
		default:
			return "", false
		}
	}
	return b.String(), true
}

// content is the value of a run of characters in a string. It is unknown where bytes were masked.
func (s *Summary) content(n node, raw bool) (string, bool) {
	at := s.tree.Nodes[n]
	text := s.text[at.Start:at.End]
	if text != string(s.src[at.Start:at.End]) {
		return "", false
	}
	if raw || !strings.Contains(text, `\`) {
		return text, true
	}
	return unescape(text), true
}

var simpleEscapes = map[byte]byte{'a': 7, 'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11, '\\': '\\', '\'': '\'', '"': '"'}

// unescape follows Python's string escapes; one that Python does not know stands for itself.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		n := escape(&b, text[i+1:])
		if n == 0 {
			b.WriteString(text[i : i+2])
			n = 1
		}
		i += n
	}
	return b.String()
}

// escape writes what the escape that follows a backslash stands for, and returns how many bytes it takes;
// 0 when it is none.
func escape(b *strings.Builder, text string) int {
	if c, ok := simpleEscapes[text[0]]; ok {
		b.WriteByte(c)
		return 1
	}
	base, digits, skip := 16, 0, 1
	switch c := text[0]; {
	case c == '\n':
		return 1
	case c == '\r' && strings.HasPrefix(text, "\r\n"):
		return 2
	case c == 'x':
		digits = 2
	case c == 'u':
		digits = 4
	case c == 'U':
		digits = 8
	case isOctal(c):
		base, skip = 8, 0
		for digits < 3 && digits < len(text) && isOctal(text[digits]) {
			digits++
		}
	}
	end := skip + digits
	if digits == 0 || end > len(text) {
		return 0
	}
	v, err := strconv.ParseUint(text[skip:end], base, 32)
	if err != nil {
		return 0
	}
	b.WriteRune(validRune(v))
	return end
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }

func validRune(v uint64) rune {
	if v > utf8.MaxRune {
		return utf8.RuneError
	}
	return rune(v)
}
