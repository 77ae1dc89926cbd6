package pyparse

import "bytes"

// quoting is how a string is written.
type quoting struct {
	quote               byte
	triple, raw, format bool
	bytes               bool
}

// str reads one string; the current token is where it begins.
func (p *parser) str() int32 {
	n := p.node(String, p.start, 0)
	at := p.start
	var q quoting
	for ; p.src[at] != '"' && p.src[at] != '\''; at++ {
		switch p.src[at] | 0x20 {
		case 'f', 't':
			q.format = true
		case 'r':
			q.raw = true
		case 'b':
			q.bytes = true
		}
	}
	q.quote = p.src[at]
	at++
	if int(at)+1 < len(p.src) && p.src[at] == q.quote && p.src[at+1] == q.quote {
		q.triple = true
		at += 2
	}
	p.add(n, p.node(StringStart, p.start, at), NoField)
	p.at = at
	p.content(n, q)
	p.end = p.at
	p.next()
	return n
}

// content reads a string up to its end. The end is where p.at is then.
func (p *parser) content(n int32, q quoting) {
	for run := int32(0); ; {
		at, ok := p.run(q)
		if !ok {
			fail()
		}
		if at > p.at {
			if run == 0 {
				run = p.node(StringContent, p.at, at)
				p.add(n, run, NoField)
			}
			p.extend(n, run, at)
		}
		switch c := p.src[at]; {
		case c == q.quote:
			end := at + 1
			if q.triple {
				end += 2
			}
			p.add(n, p.node(StringEnd, at, end), NoField)
			p.at = end
			return
		case c == '\\' || int(at)+1 < len(p.src) && p.src[at+1] == c: // {{ or }}
			kind, size := EscapeInterpolation, uint32(2)
			if c == '\\' {
				kind, size = EscapeSequence, p.escape(at)
			}
			if run == 0 {
				run = p.node(StringContent, at, at)
				p.add(n, run, NoField)
			}
			if size > 1 {
				p.add(run, p.node(kind, at, at+size), NoField)
			}
			p.extend(n, run, at+size)
		case c == '}':
			fail()
		default:
			run = 0
			p.at = at
			p.add(n, p.interpolation(Interpolation, q), NoField)
		}
	}
}

// extend lets a run of characters go on to at.
func (p *parser) extend(n, run int32, at uint32) {
	p.nodes[run].end = at
	p.nodes[n].end = at
	p.at = at
}

// run finds where plain characters end: at the string's end, a backslash that means something, or a brace.
func (p *parser) run(q quoting) (uint32, bool) {
	src := p.src
	for i := p.at; int(i) < len(src); i++ {
		switch c := src[i]; c {
		case q.quote:
			if !q.triple || bytes.HasPrefix(src[i+1:], []byte{c, c}) {
				return i, true
			}
		case '\n':
			if !q.triple {
				return 0, false
			}
		case '\\':
			n := q.backslash(src[i+1:])
			if n < 0 {
				return i, true
			}
			i += uint32(n)
		case '{', '}':
			if q.format {
				return i, true
			}
		}
	}
	return 0, false
}

// backslash is how many characters behind a backslash belong to it and mean themselves; -1 when it begins
// an escape sequence.
func (q quoting) backslash(rest []byte) int {
	if len(rest) == 0 {
		return 0
	}
	c := rest[0]
	switch {
	case !q.raw && q.bytes && (c == 'N' || c|0x20 == 'u'):
		return 1
	case !q.raw:
		return -1
	case c == q.quote || c == '\\':
		return 1
	}
	return int(breakAt(rest, 0))
}

// escape is the length of the escape sequence at a backslash; 1 when it stands for itself.
func (p *parser) escape(at uint32) uint32 {
	src := p.src[at+1:]
	if len(src) == 0 {
		return 1
	}
	switch c := src[0]; {
	case c == 'x':
		return hex(src[1:], 2)
	case c == 'u':
		return hex(src[1:], 4)
	case c == 'U':
		return hex(src[1:], 8)
	case c == 'N':
		if end := bytes.IndexByte(src[:min(len(src), 200)], '}'); end > 2 && src[1] == '{' {
			return uint32(end) + 2
		}
	case digit(src, 0):
		n := uint32(1)
		for n < 3 && digit(src, n) {
			n++
		}
		return n + 1
	case simpleEscape[c&0x7f] && c < 0x80:
		return 2
	}
	return 1 + breakAt(src, 0)
}

// hex is the length of an escape sequence of n hexadecimal digits; 1 when they are not there.
func hex(digits []byte, n int) uint32 {
	if len(digits) < n || len(bytes.Trim(digits[:n], "0123456789abcdefABCDEF")) > 0 {
		return 1
	}
	return uint32(n) + 2
}

var simpleEscape = [128]bool{'\'': true, '"': true, 'a': true, 'b': true, 'f': true, 'r': true, 'n': true, 't': true, 'v': true, '\\': true}

// interpolation reads {expression=!r:format} in an f-string or a t-string; p.at is at its brace. Afterwards it
// is behind the closing one.
func (p *parser) interpolation(kind Kind, q quoting) int32 {
	n := p.node(kind, p.at, 0)
	p.enter()
	outer := p.lexer
	p.at++
	p.brackets, p.fresh = 1, false
	noIn, format := p.noIn, p.format
	p.noIn, p.format = false, true
	p.next()
	value := p.replaced()
	p.add(n, value, FieldExpression)
	p.accept(opAssign)
	if p.tok == opBang {
		from := p.start
		p.next()
		if p.tok != tokName {
			fail()
		}
		p.add(n, p.node(TypeConversion, from, p.end), fieldOther)
		p.next()
	}
	if p.tok == opColon || p.tok == opWalrus { // f"{x:=5}" has the format "=5"
		p.at = p.start
		p.add(n, p.specifier(q), fieldOther)
	} else if p.tok == opCloseBrace {
		p.at = p.end
	} else {
		fail()
	}
	at := p.at
	p.nodes[n].end = at
	indents, comments := p.indents, p.comments
	p.lexer = outer
	p.indents, p.comments = indents, comments
	p.at = at
	p.noIn, p.format = noIn, format
	p.leave()
	return n
}

// replaced reads the expression of an interpolation.
func (p *parser) replaced() int32 {
	if p.tok == kwYield {
		return p.yield()
	}
	return p.list()
}

// specifier reads :format up to the brace that closes the interpolation, and moves behind that.
func (p *parser) specifier(q quoting) int32 {
	n := p.node(FormatSpecifier, p.at, p.at+1)
	for p.at++; int(p.at) < len(p.src); {
		switch c := p.src[p.at]; {
		case c == '{':
			p.add(n, p.interpolation(FormatExpression, q), NoField)
		case c == '}':
			p.nodes[n].end = p.at
			p.at++
			return n
		case c == '\\':
			p.at += p.escaped(q)
		case !q.triple && (c == '\n' || c == q.quote), q.triple && bytes.HasPrefix(p.src[p.at:], []byte{q.quote, q.quote, q.quote}):
			fail() // the string ends inside the braces
		default:
			p.at++
		}
	}
	fail()
	return n
}

// escaped is the length of what a backslash at p.at makes of what follows it in a format: a quote does not end
// the string then, and a brace may belong to a character's name.
func (p *parser) escaped(q quoting) uint32 {
	if !q.raw && bytes.HasPrefix(p.src[p.at:], []byte(`\N{`)) {
		return p.escape(p.at)
	}
	if int(p.at)+1 < len(p.src) && (p.src[p.at+1] == q.quote || p.src[p.at+1] == '\\') {
		return 2
	}
	return 1 + breakAt(p.src, p.at+1)
}
