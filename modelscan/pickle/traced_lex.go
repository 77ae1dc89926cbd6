package pickle

import "strings"

// token of a program's text: a name, a number, a string (with its quote), one character of an operator, or the end
// of a line. first marks the first of a line, indented one that does not stand at the line's begin.
type token struct {
	text            string
	first, indented bool
}

func (t token) isName() bool     { return isLetter(t.text[0]) }
func (t token) isString() bool   { return t.text[0] == '\'' || t.text[0] == '"' }
func (t token) is(s string) bool { return t.text == s }

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// endOfLine is a token's text between two lines.
const endOfLine = "\n"

// lex cuts Python as torch.fx's generator writes it. ok is false at anything else: escapes in strings, strings with
// a prefix or over several lines, letters beyond ASCII, lines that go on in the next.
func lex(text string) (tokens []token, ok bool) {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' }) {
		return nil, false // Python ends lines at some of them
	}
	for line := range strings.SplitSeq(text, "\n") {
		rest := strings.TrimLeft(line, " ")
		first, indented := true, len(rest) < len(line)
		for rest = strings.TrimRight(rest, " "); rest != "" && rest[0] != '#'; rest = strings.TrimLeft(rest, " ") {
			n := tokenLength(rest)
			if n == 0 || isLetter(rest[0]) && n < len(rest) && (rest[n] == '\'' || rest[n] == '"') {
				return nil, false
			}
			tokens = append(tokens, token{rest[:n], first, indented})
			rest, first = rest[n:], false
		}
		if !first {
			tokens = append(tokens, token{text: endOfLine})
		}
	}
	return tokens, true
}

// tokenLength is the length of the token that s begins with, 0 where there is none.
func tokenLength(s string) int {
	switch c := s[0]; {
	case isLetter(c):
		return span(s, func(c, _ byte) bool { return isLetter(c) || isDigit(c) })
	case isDigit(c):
		return span(s, func(c, before byte) bool {
			return isLetter(c) || isDigit(c) || c == '.' || (c == '-' || c == '+') && before == 'e'
		})
	case c == '\'' || c == '"':
		end := strings.IndexByte(s[1:], c)
		if end < 0 || strings.ContainsRune(s[1:end+1], '\\') {
			return 0
		}
		return end + 2
	case strings.ContainsRune("()[]{},.:;=+-*/@%<>!&|^~", rune(c)):
		return 1
	}
	return 0
}

// span is the length of the first character and those behind it that belong, each looked at with the one before it.
func span(s string, belongs func(c, before byte) bool) int {
	n := 1
	for n < len(s) && belongs(s[n], s[n-1]) {
		n++
	}
	return n
}
