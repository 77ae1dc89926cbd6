package pyparse

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// lexer cuts a source into tokens. It holds the current one.
type lexer struct {
	src        []byte
	tok        token
	start, end uint32 // of the current token
	last       uint32 // where the token before it ended
	at         uint32 // where the next one is looked for
	brackets   int    // open: no line ends inside of them
	indents    []uint32
	comments   []comment // on lines of their own, between the last line end and the line that follows
	indent     uint32    // of that line
	mark       uint32    // where a dedent that is due ends: comments indented like the block belong to it
	fresh      bool      // the indentation of the line that follows is still to be compared
	wantIndent bool
	loose      bool   // a line was indented in a way that Python refuses
	furthest   uint32 // how far an attempt that failed had got
}

type comment struct{ indent, end uint32 }

// syntaxError is what the parser panics with when a source is not the Python that it reads; statement
// recovers it.
type syntaxError struct{}

func fail() { panic(syntaxError{}) }

var continues = func() (t [256]bool) {
	for c := range t {
		t[c] = c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
	}
	return t
}()

// next moves on to the next token.
func (l *lexer) next() {
	l.last = l.end
	if l.fresh && l.indentation() {
		return
	}
	if !l.space() {
		return
	}
	l.start = l.at
	if int(l.at) >= len(l.src) {
		l.finish()
		return
	}
	switch c := l.src[l.at]; {
	case c >= '0' && c <= '9' || c == '.' && digit(l.src, l.at+1):
		l.number()
	case continues[c]:
		l.name()
	case c == '"' || c == '\'':
		l.tok = tokString
	default:
		l.operator(c)
	}
	l.end = l.at
}

// space skips what stands between two tokens. It says false at the end of a line, which is a token.
func (l *lexer) space() bool {
	src := l.src
	for int(l.at) < len(src) {
		switch c := src[l.at]; c {
		case ' ', '\t', '\f', '\v':
			l.at++
		case '#':
			l.at += l.toLineEnd(l.at)
			l.end = max(l.end, l.at) // the line's end lies behind its comment
		case '\n', '\r':
			if l.brackets == 0 {
				l.lineEnd()
				return false
			}
			l.at++
		case '\\':
			n := breakAt(src, l.at+1)
			if n == 0 {
				fail()
			}
			l.at += 1 + n
		case 0xEF: // a byte order mark
			if !bytes.HasPrefix(src[l.at:], []byte("\xef\xbb\xbf")) {
				return true
			}
			l.at += 3
		default:
			return true
		}
	}
	return true
}

// breakAt is the length of the line break at an offset; 0 when there is none.
func breakAt(src []byte, at uint32) uint32 {
	switch {
	case int(at) >= len(src):
		return 0
	case src[at] == '\n':
		return 1
	case src[at] != '\r':
		return 0
	case int(at)+1 < len(src) && src[at+1] == '\n':
		return 2
	}
	return 1
}

// toLineEnd is how far the end of a line is.
func (l *lexer) toLineEnd(at uint32) uint32 {
	rest := l.src[at:]
	n := bytes.IndexByte(rest, '\n')
	if n < 0 {
		n = len(rest)
	}
	if i := bytes.IndexByte(rest[:n], '\r'); i >= 0 && i < n-1 {
		n = i
	}
	return uint32(n)
}

// lineEnd is the token at the end of a line. It is empty and stands behind the last token or comment.
func (l *lexer) lineEnd() {
	l.tok, l.start = tokNewline, l.end
	l.mark = l.end
	l.fresh = true
	l.comments = l.comments[:0]
	l.indent = 0
	for src := l.src; int(l.at) < len(src); {
		switch c := src[l.at]; c {
		case ' ':
			l.indent++
			l.at++
		case '\t':
			l.indent += 8
			l.at++
		case '\n', '\r', '\f':
			l.indent = 0
			l.at++
		case '#':
			n := l.toLineEnd(l.at)
			l.comments = append(l.comments, comment{l.indent, l.at + n})
			l.at += n
		case '\\':
			n := breakAt(src, l.at+1)
			if n == 0 {
				return
			}
			l.at += 1 + n
		default:
			return
		}
	}
	l.indent = 0
}

// indentation yields the tokens before a line whose indentation differs from the one before.
func (l *lexer) indentation() bool {
	top := l.indents[len(l.indents)-1]
	want := l.wantIndent
	l.wantIndent = false
	switch {
	case l.indent < top:
		for len(l.comments) > 0 && l.comments[0].indent >= top {
			l.mark = l.comments[0].end
			l.comments = l.comments[1:]
		}
		l.indents = l.indents[:len(l.indents)-1]
		l.tok, l.start, l.end = tokDedent, l.mark, l.mark
		return true
	case l.indent > top && want:
		l.indents = append(l.indents, l.indent)
		l.tok, l.start, l.end = tokIndent, l.mark, l.mark
		l.fresh = false
		return true
	}
	l.loose = l.loose || l.indent > top
	l.fresh = false
	return false
}

// finish is the end of the source: the last line ends, then every block.
func (l *lexer) finish() {
	switch {
	case l.brackets > 0:
		fail()
	case l.tok != tokNewline && l.tok != tokDedent && l.tok != tokEnd:
		l.lineEnd()
	default:
		l.tok, l.end = tokEnd, l.at
	}
}

func digit(src []byte, at uint32) bool { return int(at) < len(src) && src[at] >= '0' && src[at] <= '9' }

// number reads an integer or a float. What Python would refuse in it does not matter here.
func (l *lexer) number() {
	l.tok = tokInteger
	src, i := l.src, l.at
	if src[i] == '0' && bytes.ContainsAny(src[i+1:min(int(i)+2, len(src))], "xXoObB") {
		set := "0123456789_" // 0b1or x is 0b1 or x
		if src[i+1]|0x20 == 'x' {
			set = "0123456789abcdefABCDEF_"
		}
		for i += 2; int(i) < len(src) && (strings.IndexByte(set, src[i]) >= 0 || src[i]|0x20 == 'l'); i++ {
		}
		l.at = i
		return
	}
	i = digits(src, i)
	if int(i) < len(src) && src[i] == '.' {
		l.tok = tokFloat
		i = digits(src, i+1)
	}
	if e := exponent(src, i); e > i {
		l.tok, i = tokFloat, digits(src, e)
	}
	if int(i) < len(src) && (src[i]|0x20 == 'j' || src[i]|0x20 == 'l') {
		i++
	}
	l.at = i
}

func digits(src []byte, at uint32) uint32 {
	for digit(src, at) || int(at) < len(src) && src[at] == '_' {
		at++
	}
	return at
}

// exponent is where the digits of e+10 begin, or at.
func exponent(src []byte, at uint32) uint32 {
	if int(at)+1 >= len(src) || src[at]|0x20 != 'e' {
		return at
	}
	i := at + 1
	if src[i] == '+' || src[i] == '-' {
		i++
	}
	if !digit(src, i) {
		return at
	}
	return i
}

// name reads a name, a keyword, or the prefix of a string.
func (l *lexer) name() {
	src, from, i := l.src, int(l.at), int(l.at)
	ascii := byte(0)
	for i < len(src) && continues[src[i]] {
		ascii |= src[i]
		i++
	}
	if i < len(src) && (src[i] == '"' || src[i] == '\'') && i-from <= 3 && prefix(src[from:i]) {
		l.tok = tokString
		return
	}
	if ascii >= utf8.RuneSelf {
		for _, r := range string(src[from:i]) {
			if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.In(r, unicode.Mn, unicode.Mc, unicode.Pc, unicode.Nl, unicode.Other_ID_Start, unicode.Other_ID_Continue) {
				fail()
			}
		}
	}
	l.at = uint32(i)
	l.tok = keyword(src[from:i])
}

// prefix says whether a name may stand before a string's quote.
func prefix(name []byte) bool {
	return len(bytes.Trim(name, "fFrRbBuUtT")) == 0
}

// operator reads an operator or a bracket.
func (l *lexer) operator(c byte) {
	if c >= utf8.RuneSelf || single[c] == 0 {
		fail()
	}
	l.tok = single[c]
	n := 1
	if rest := l.src[l.at:]; len(rest) > 1 {
		switch second := rest[1]; {
		case second == c && doubled[c] != 0:
			l.tok, n = doubled[c], 2
			if len(rest) > 2 && rest[2] == '=' {
				l.tok, n = opAugmented, 3
			}
		case second == '=' && followed[c] != 0:
			l.tok, n = followed[c], 2
		case c == '-' && second == '>':
			l.tok, n = opArrow, 2
		case c == '<' && second == '>':
			n = 2
		case bytes.HasPrefix(rest, []byte("...")):
			l.tok, n = opEllipsis, 3
		}
	}
	l.bracket()
	l.at += uint32(n)
}

// bracket counts the open ones.
func (l *lexer) bracket() {
	switch l.tok {
	case opOpen, opOpenSquare, opOpenBrace:
		l.brackets++
	case opClose, opCloseSquare, opCloseBrace:
		if l.brackets--; l.brackets < 0 {
			fail()
		}
	}
}
