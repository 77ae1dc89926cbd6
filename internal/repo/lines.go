package repo

import "strings"

// logical is a line of Python as its tokenizer sees it: brackets and backslashes join lines, strings
// are emptied and comments dropped in code, raw keeps the strings.
type logical struct {
	indent    int
	code, raw string
	off, line int
}

// logicalLines cuts a source. An unclosed bracket or string takes the rest of the file.
func logicalLines(src string) []logical {
	var out []logical
	s := splitter{src: src, line: 1}
	for s.pos < len(src) {
		l := logical{off: s.pos, line: s.line}
		for s.pos < len(src) && (src[s.pos] == ' ' || src[s.pos] == '\t' || src[s.pos] == '\f') {
			if l.indent++; src[s.pos] == '\t' {
				l.indent = (l.indent + 7) / 8 * 8
			}
			s.pos++
		}
		start := s.pos
		if l.code = s.rest(); strings.TrimSpace(l.code) != "" {
			l.raw = src[start:s.pos]
			out = append(out, l)
		}
	}
	return out
}

type splitter struct {
	src       string
	pos, line int
}

// rest reads to the end of the logical line.
func (s *splitter) rest() string {
	var code strings.Builder
	depth := 0
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == '\n':
			s.pos++
			s.line++
			if depth <= 0 {
				return code.String()
			}
			code.WriteByte(' ')
		case c == '#':
			for s.pos < len(s.src) && s.src[s.pos] != '\n' {
				s.pos++
			}
		case c == '\\' && strings.HasPrefix(s.src[s.pos+1:], "\n"):
			s.pos += 2
			s.line++
		case c == '"' || c == '\'':
			code.WriteString(`""`)
			s.text()
		default:
			if strings.IndexByte("([{", c) >= 0 {
				depth++
			} else if strings.IndexByte(")]}", c) >= 0 {
				depth--
			}
			code.WriteByte(c)
			s.pos++
		}
	}
	return code.String()
}

// text skips a string literal. The prefix before it does not matter but for "f", whose fields are
// not looked into.
func (s *splitter) text() {
	quote := s.src[s.pos : s.pos+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(s.src[s.pos:], triple) {
		quote = triple
	}
	s.pos += len(quote)
	for s.pos < len(s.src) {
		switch {
		case s.src[s.pos] == '\\':
			s.pos++
			if s.pos < len(s.src) && s.src[s.pos] == '\n' {
				s.line++
			}
			s.pos++
		case strings.HasPrefix(s.src[s.pos:], quote):
			s.pos += len(quote)
			return
		case s.src[s.pos] == '\n':
			if len(quote) == 1 {
				return
			}
			s.line++
			s.pos++
		default:
			s.pos++
		}
	}
	s.pos = len(s.src)
}
