package jinja

import "slices"

// op says what an expression does.
type op uint8

const (
	opNone    op = iota
	opName       // text
	opString     // text
	opNumber     // text
	opList       // args: a list, tuple, set or the values of a dict, its keys in named
	opAttr       // args[0] . text
	opIndex      // args[0] [ args[1:] ]
	opSlice      // args: the parts of a:b:c, opNone where left out
	opCall       // args[0] ( args[1:], named )
	opFilter     // args[0] | text ( args[1:], named )
	opTest       // args[0] is text args[1:]
	opBinary     // args[0] text args[1]
	opUnary      // text args[0]
	opTernary    // args[0] if args[1] else args[2]
	opKeyword    // text = args[0], among the arguments of a call or a statement
)

type expr struct {
	op   op
	text string
	args []*expr
	off  int
}

// maxNesting bounds the parser's recursion; CPython's compiler gives up on deeper templates too.
const maxNesting = 200

// maxTokens in one tag: an expression's tree is no deeper than that.
const maxTokens = 50_000

// parser reads Jinja's expression grammar (jinja2.parser.Parser), tolerantly: what does not fit is
// skipped, so that a template that another engine accepts is still judged.
type parser struct {
	tokens []token
	pos    int
	depth  int
	deep   bool // maxNesting was reached
}

func (p *parser) peek() token { return p.tokens[p.pos] }

func (p *parser) next() token {
	t := p.tokens[p.pos]
	if t.kind != end {
		p.pos++
	}
	return t
}

// accept takes the next token if it is one of the operators or keywords.
func (p *parser) accept(words ...string) (token, bool) {
	t := p.peek()
	if (t.kind == operator || t.kind == name) && slices.Contains(words, t.text) {
		return p.next(), true
	}
	return t, false
}

// list reads expressions until the closing word or the end, skipping the separators between them.
func (p *parser) list(closing string) []*expr {
	var out []*expr
	for p.peek().kind != end {
		if _, ok := p.accept(closing); ok && closing != "" {
			break
		}
		if _, ok := p.accept(",", ":", ";", "="); ok {
			continue
		}
		before := p.pos
		e := p.expression()
		if p.pos == before {
			p.next()
			continue
		}
		if _, ok := p.accept("="); ok && (e.op == opName || e.op == opAttr) {
			e = &expr{op: opKeyword, text: path(e), args: []*expr{p.expression()}, off: e.off}
		}
		out = append(out, e)
	}
	return out
}

// path writes "ns.x" for a name or an attribute of one.
func path(e *expr) string {
	switch {
	case e.op == opName:
		return e.text
	case e.op == opAttr && e.args[0].op == opName:
		return e.args[0].text + "." + e.text
	}
	return ""
}

func (p *parser) expression() *expr {
	if p.depth++; p.depth > maxNesting {
		p.deep = true
		p.pos = len(p.tokens) - 1
	}
	defer func() { p.depth-- }()
	e := p.binary(0)
	for {
		t, ok := p.accept("if")
		if !ok {
			return e
		}
		e = &expr{op: opTernary, args: []*expr{e, p.binary(0)}, off: t.off}
		if _, ok := p.accept("else"); ok {
			e.args = append(e.args, p.expression())
		}
	}
}

// levels of binary operators, loosest first.
var levels = [][]string{{"or"}, {"and"}, {"==", "!=", "<", ">", "<=", ">=", "in", "not"}, {"+", "-"}, {"~"}, {"*", "/", "//", "%"}, {"**"}}

func (p *parser) binary(level int) *expr {
	if level == len(levels) {
		return p.unary()
	}
	left := p.binary(level + 1)
	for {
		t, ok := p.accept(levels[level]...)
		if !ok {
			return left
		}
		if t.text == "not" {
			p.accept("in")
		}
		left = &expr{op: opBinary, text: t.text, args: []*expr{left, p.binary(level + 1)}, off: t.off}
	}
}

func (p *parser) unary() *expr {
	if t, ok := p.accept("not", "-", "+"); ok {
		if p.depth++; p.depth > maxNesting {
			p.deep = true
			p.pos = len(p.tokens) - 1
		}
		defer func() { p.depth-- }()
		return &expr{op: opUnary, text: t.text, args: []*expr{p.unary()}, off: t.off}
	}
	return p.postfix(p.primary())
}

func (p *parser) primary() *expr {
	t := p.peek()
	switch {
	case t.kind == name:
		p.next()
		return &expr{op: opName, text: t.text, off: t.off}
	case t.kind == number:
		p.next()
		return &expr{op: opNumber, text: t.text, off: t.off}
	case t.kind == str: // adjacent literals are one, as in Python
		e := &expr{op: opString, off: t.off}
		for p.peek().kind == str {
			e.text += p.next().text
		}
		return e
	case t.kind == operator:
		for _, pair := range []string{"()", "[]", "{}"} {
			if _, ok := p.accept(pair[:1]); ok {
				return group(t, p.list(pair[1:]))
			}
		}
	}
	return &expr{off: t.off}
}

// group: one expression in brackets is that expression, except in square ones.
func group(t token, items []*expr) *expr {
	if t.text == "(" && len(items) == 1 {
		return items[0]
	}
	return &expr{op: opList, text: t.text, args: items, off: t.off}
}

func (p *parser) postfix(e *expr) *expr {
	for {
		t, ok := p.accept(".", "[", "(", "|", "is")
		if !ok {
			return e
		}
		switch t.text {
		case ".":
			e = &expr{op: opAttr, text: p.next().text, args: []*expr{e}, off: t.off}
		case "[":
			e = &expr{op: opIndex, args: []*expr{e, p.subscript()}, off: t.off}
		case "(":
			e = &expr{op: opCall, args: append([]*expr{e}, p.list(")")...), off: t.off}
		case "|":
			e = &expr{op: opFilter, text: p.dotted(), args: []*expr{e}, off: t.off}
			if _, ok := p.accept("("); ok {
				e.args = append(e.args, p.list(")")...)
			}
		case "is":
			e = p.test(e, t.off)
		}
	}
}

func (p *parser) dotted() string {
	text := p.next().text
	for {
		if _, ok := p.accept("."); !ok {
			return text
		}
		text += "." + p.next().text
	}
}

func (p *parser) test(e *expr, off int) *expr {
	p.accept("not")
	e = &expr{op: opTest, text: p.dotted(), args: []*expr{e}, off: off}
	if _, ok := p.accept("("); ok {
		e.args = append(e.args, p.list(")")...)
		return e
	}
	t := p.peek()
	if t.kind == str || t.kind == number || t.kind == name && !slices.Contains([]string{"else", "or", "and", "is", "if", "in", "not", "recursive"}, t.text) {
		e.args = append(e.args, p.postfix(p.primary()))
	}
	return e
}

// subscript reads up to "]": one expression, a slice, or a tuple.
func (p *parser) subscript() *expr {
	start := p.peek()
	var parts []*expr
	sliced := false
	current := &expr{}
	for p.peek().kind != end {
		if _, ok := p.accept("]"); ok {
			break
		}
		if t, ok := p.accept(":", ","); ok {
			sliced = sliced || t.text == ":"
			parts, current = append(parts, current), &expr{}
			continue
		}
		before := p.pos
		if current = p.expression(); p.pos == before {
			p.next()
		}
	}
	switch {
	case sliced:
		return &expr{op: opSlice, args: append(parts, current), off: start.off}
	case parts != nil:
		return &expr{op: opList, args: append(parts, current), off: start.off}
	}
	return current
}
