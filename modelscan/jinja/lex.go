package jinja

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind of a token or segment.
type kind uint8

const (
	end kind = iota
	name
	str
	number
	operator
)

type token struct {
	kind kind
	text string // a string's value, with its escapes resolved
	off  int
}

// segment is a run of template text: data between tags, "{{ … }}", or "{% … %}".
type segment struct {
	tag    byte // 0 for data, '{' for an expression, '%' for a statement
	data   string
	tokens []token // without the delimiters; the last one is an end
}

// operators of Jinja's lexer, longest first.
var operators = []string{"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"}

// split cuts a template as jinja2.lexer does with the default delimiters. A tag without an end, which
// Jinja refuses, ends the template.
func split(src string) []segment {
	var out []segment
	for pos := 0; pos < len(src); {
		open := strings.IndexByte(src[pos:], '{')
		for open >= 0 && (pos+open+1 >= len(src) || !strings.ContainsRune("{%#", rune(src[pos+open+1]))) {
			next := strings.IndexByte(src[pos+open+1:], '{')
			if next < 0 {
				open = -1
				break
			}
			open += 1 + next
		}
		if open < 0 {
			return append(out, segment{data: src[pos:]})
		}
		if open > 0 {
			out = append(out, segment{data: src[pos : pos+open]})
		}
		tag := src[pos+open+1]
		pos += open + 2
		if tag == '#' {
			stop := strings.Index(src[pos:], "#}")
			if stop < 0 {
				return out
			}
			pos += stop + 2
			continue
		}
		s := segment{tag: tag}
		s.tokens, pos = lexTag(src, pos, tag)
		out = append(out, s)
		if tag == '%' && isTag(s, "raw") {
			out, pos = raw(out, src, pos)
		}
	}
	return out
}

func isTag(s segment, word string) bool {
	return s.tag == '%' && s.tokens[0].kind == name && s.tokens[0].text == word
}

// raw takes everything up to the endraw tag as data.
func raw(out []segment, src string, pos int) ([]segment, int) {
	for at := pos; ; {
		i := strings.Index(src[at:], "{%")
		if i < 0 {
			return append(out, segment{data: src[pos:]}), len(src)
		}
		tokens, after := lexTag(src, at+i+2, '%')
		if isTag(segment{tag: '%', tokens: tokens}, "endraw") {
			return append(out, segment{data: src[pos : at+i]}), after
		}
		at += i + 2
	}
}

// lexTag reads tokens up to the tag's end and returns the position after it. As in Jinja an end
// inside open brackets is none, and characters no token starts with are skipped.
func lexTag(src string, pos int, tag byte) ([]token, int) {
	closing := map[byte]string{'{': "}}", '%': "%}"}[tag]
	var tokens []token
	depth := 0
	for pos < len(src) {
		rest := src[pos:]
		sign := strings.TrimLeft(rest[:1], "-+")
		switch {
		case depth <= 0 && (strings.HasPrefix(rest, closing) || sign == "" && strings.HasPrefix(rest[1:], closing)):
			pos += strings.Index(rest, closing) + len(closing)
			return append(tokens, token{kind: end, off: pos}), pos
		case strings.ContainsRune("([{", rune(rest[0])):
			depth++
		case strings.ContainsRune(")]}", rune(rest[0])):
			depth--
		}
		t, n := lexToken(rest)
		if t.kind != end {
			t.off = pos
			tokens = append(tokens, t)
		}
		pos += n
	}
	return append(tokens, token{kind: end, off: pos}), pos
}

// lexToken reads one token and tells its length; kind end for white space and what can't be read.
func lexToken(s string) (token, int) {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r == '"' || r == '\'':
		return lexString(s)
	case r == '_' || unicode.IsLetter(r):
		n := prefixLen(s, func(r rune) bool { return isWord(r) || unicode.Is(unicode.Mn, r) })
		return token{kind: name, text: s[:n]}, n
	case '0' <= r && r <= '9':
		n := prefixLen(s, isWord)
		return token{kind: number, text: s[:n]}, n
	}
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			return token{kind: operator, text: op}, len(op)
		}
	}
	return token{}, size
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// prefixLen is the length of what s starts with whose runes are all in the class.
func prefixLen(s string, class func(rune) bool) int {
	return len(s) - len(strings.TrimLeftFunc(s, class))
}

func lexString(s string) (token, int) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return token{kind: str, text: unescape(s[1:i])}, i + 1
		}
	}
	return token{}, 1
}

// unescape resolves Python's string escapes.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		width := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[i]]
		if width > 0 && i+width < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+1+width], 16, 32); err == nil {
				b.WriteRune(rune(v))
				i += width
				continue
			}
		}
		if c, n := named(s[i:]); n > 0 {
			b.WriteString(c)
			i += n - 1
			continue
		}
		if c, ok := simpleEscapes[s[i]]; ok {
			b.WriteString(c)
			continue
		}
		if n := octal(s[i:]); n > 0 {
			v, _ := strconv.ParseUint(s[i:i+n], 8, 32)
			b.WriteRune(rune(v))
			i += n - 1
			continue
		}
		b.WriteString(s[i-1 : i+1])
	}
	return b.String()
}

var simpleEscapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '\\': `\`, '\'': "'", '"': `"`, '\n': "", 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v"}

// named reads N{NAME}, as far as a name of Python's may be written so: its letters, digits, low line and stop.
func named(s string) (c string, length int) {
	name, ok := strings.CutPrefix(s, "N{")
	name, _, closed := strings.Cut(name, "}")
	if !ok || !closed {
		return "", 0
	}
	length = len("N{}") + len(name)
	name = strings.ToUpper(name)
	if letter, ok := strings.CutPrefix(name, "LATIN SMALL LETTER "); ok && len(letter) == 1 {
		return strings.ToLower(letter), length
	}
	if letter, ok := strings.CutPrefix(name, "LATIN CAPITAL LETTER "); ok && len(letter) == 1 {
		return letter, length
	}
	switch name {
	case "LOW LINE", "UNDERSCORE":
		return "_", length
	case "FULL STOP":
		return ".", length
	}
	return "\ufffd", length
}

func octal(s string) int {
	n := 0
	for n < 3 && n < len(s) && '0' <= s[n] && s[n] <= '7' {
		n++
	}
	return n
}
