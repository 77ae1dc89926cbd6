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
		i++
		if c, ok := simpleEscapes[text[i]]; ok {
			b.WriteByte(c)
			continue
		}
		if text[i] == '\n' {
			continue
		}
		if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			i++
			continue
		}
		base, digits, skip := 16, 0, 1
		switch text[i] {
		case 'x':
			digits = 2
		case 'u':
			digits = 4
		case 'U':
			digits = 8
		case '0', '1', '2', '3', '4', '5', '6', '7':
			base, skip, digits = 8, 0, 1
			for digits < 3 && i+digits < len(text) && text[i+digits] >= '0' && text[i+digits] <= '7' {
				digits++
			}
		}
		end := i + skip + digits
		if v, err := strconv.ParseUint(text[min(i+skip, len(text)):min(end, len(text))], base, 32); digits > 0 && end <= len(text) && err == nil {
			b.WriteRune(validRune(v))
			i = end - 1
			continue
		}
		b.WriteByte('\\')
		b.WriteByte(text[i])
	}
	return b.String()
}

func validRune(v uint64) rune {
	if v > utf8.MaxRune {
		return utf8.RuneError
	}
	return rune(v)
}
