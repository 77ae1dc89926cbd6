package numpy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// literal is a Python literal as an .npy header may hold it: string, int64, bool, nil, []literal for lists and
// tuples, map[string]literal.
type literal any

var errLiteral = errors.New("not a Python literal")

// parser reads literals, no expressions.
type parser struct {
	text  string
	pos   int
	depth int
}

func (p *parser) fail(what string) error {
	return fmt.Errorf("%w at %d of the header: %s", errLiteral, p.pos, what)
}

func (p *parser) peek() byte {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n\f", p.text[p.pos]) >= 0 {
		p.pos++
	}
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) value() (literal, error) {
	if p.depth++; p.depth > 32 {
		return nil, p.fail("nested too deep")
	}
	defer func() { p.depth-- }()
	switch c := p.peek(); {
	case c == '{':
		return p.dict()
	case c == '[':
		return p.sequence(']')
	case c == '(':
		return p.sequence(')')
	case c == '\'' || c == '"':
		return p.str()
	case c == '-' || c >= '0' && c <= '9':
		return p.integer()
	}
	return p.word()
}

func (p *parser) word() (literal, error) {
	words := []struct {
		text  string
		value literal
	}{{"True", true}, {"False", false}, {"None", nil}}
	for _, w := range words {
		if strings.HasPrefix(p.text[p.pos:], w.text) {
			p.pos += len(w.text)
			return w.value, nil
		}
	}
	if strings.HasPrefix(p.text[p.pos:], "u'") || strings.HasPrefix(p.text[p.pos:], "b'") {
		p.pos++
		return p.str()
	}
	return nil, p.fail("a name or an operator")
}

func (p *parser) integer() (literal, error) {
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte("-0123456789", p.text[p.pos]) >= 0 {
		p.pos++
	}
	n, err := strconv.ParseInt(p.text[start:p.pos], 10, 64)
	if err != nil {
		return nil, p.fail("number")
	}
	if p.pos < len(p.text) && p.text[p.pos] == 'L' { // Python 2
		p.pos++
	}
	return n, nil
}

// str reads a quoted text. Escapes stay as they are: numpy writes none in what is looked at here.
func (p *parser) str() (literal, error) {
	quote := p.text[p.pos]
	start := p.pos + 1
	for i := start; i < len(p.text); i++ {
		switch p.text[i] {
		case '\\':
			i++
		case quote:
			p.pos = i + 1
			return p.text[start:i], nil
		}
	}
	return nil, p.fail("text without end")
}

func (p *parser) sequence(end byte) (literal, error) {
	p.pos++
	list := []literal{}
	for p.peek() != end {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if p.peek() == ',' {
			p.pos++
		} else if p.peek() != end {
			return nil, p.fail("no comma")
		}
	}
	p.pos++
	return list, nil
}

func (p *parser) dict() (literal, error) {
	p.pos++
	d := map[string]literal{}
	for p.peek() != '}' {
		k, err := p.value()
		if err != nil {
			return nil, err
		}
		key, ok := k.(string)
		if !ok || p.peek() != ':' {
			return nil, p.fail("a key that is no text")
		}
		p.pos++
		if d[key], err = p.value(); err != nil {
			return nil, err
		}
		if p.peek() == ',' {
			p.pos++
		} else if p.peek() != '}' {
			return nil, p.fail("no comma")
		}
	}
	p.pos++
	return d, nil
}
