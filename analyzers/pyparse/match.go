package pyparse

// match reads a match statement; false when the statement is none: match is a name like any other.
func (p *parser) match() (n int32, ok bool) {
	if !p.word("match") || !p.attempt(func() bool { n = p.clause(MatchStatement); return begins[p.tok] && p.subjects(n) }) {
		return 0, false
	}
	block := p.node(Block, p.last, p.last)
	for p.word("case") {
		p.add(block, p.caseClause(), FieldAlternative)
	}
	p.closed(block, tokDedent)
	p.add(n, block, FieldBody)
	return n, true
}

// subjects reads what is matched, up to the first case. It says false when no case follows.
func (p *parser) subjects(n int32) bool {
	p.add(n, p.starred(), fieldOther)
	for p.accept(opComma) {
		if p.tok != opColon {
			p.add(n, p.starred(), fieldOther)
		}
	}
	p.expectColon()
	if p.tok != tokNewline {
		return false
	}
	p.wantIndent = true
	p.next()
	p.expect(tokIndent)
	return p.word("case")
}

func (p *parser) caseClause() int32 {
	n := p.clause(CaseClause)
	p.add(n, p.casePattern(), NoField)
	for p.accept(opComma) {
		if p.tok != opColon && p.tok != kwIf {
			p.add(n, p.casePattern(), NoField)
		}
	}
	if p.tok == kwIf {
		c := p.clause(IfClause)
		p.add(c, p.expression(), NoField)
		p.add(n, c, fieldOther)
	}
	p.suite(n, FieldConsequence)
	return n
}

// casePattern reads a pattern with its name: a | b as c.
func (p *parser) casePattern() int32 {
	p.enter()
	defer p.leave()
	n := p.node(CasePattern, p.start, p.end)
	if inner := p.union(); inner != 0 {
		p.add(n, inner, NoField)
	}
	if p.tok == opAssign && p.nodes[p.nodes[n].first].kind == DottedName {
		name := p.nodes[n].first
		k := p.node(Other, p.nodes[name].start, 0)
		p.add(k, p.nodes[name].first, NoField)
		p.next()
		if value := p.union(); value != 0 {
			p.add(k, value, NoField)
		}
		p.nodes[n].first = 0
		p.add(n, k, NoField)
	}
	if p.tok != kwAs {
		p.nodes[n].end = max(p.nodes[n].end, p.last)
		return n
	}
	p.nodes[n].end = p.last
	as := p.node(AsPattern, p.nodes[n].start, 0)
	p.add(as, n, NoField)
	p.next()
	p.add(as, p.identifier(), NoField)
	outer := p.node(CasePattern, p.nodes[n].start, 0)
	p.add(outer, as, NoField)
	return outer
}

// union reads alternatives; 0 stands for the pattern _, which has no node.
func (p *parser) union() int32 {
	start := p.start
	first := p.simplePattern()
	if p.tok != opPipe {
		return first
	}
	n := p.node(Other, start, 0)
	if first != 0 {
		p.add(n, first, NoField)
	}
	for p.accept(opPipe) {
		if next := p.simplePattern(); next != 0 {
			p.add(n, next, NoField)
		}
	}
	p.nodes[n].end = p.last
	return n
}

func (p *parser) simplePattern() int32 {
	switch p.tok {
	case tokName:
		return p.namePattern()
	case opStar, opPower:
		n := p.clause(Other)
		if p.word("_") {
			p.closed(n, tokName)
		} else {
			p.add(n, p.identifier(), NoField)
		}
		return n
	case opOpen:
		return p.sequence(TuplePattern, opClose)
	case opOpenSquare:
		return p.sequence(ListPattern, opCloseSquare)
	case opOpenBrace:
		return p.mapping()
	case opMinus, tokInteger, tokFloat:
		return p.numeric()
	case tokString:
		return p.strings()
	case kwNone, kwTrue, kwFalse:
		return p.leaf(leaves[p.tok])
	}
	fail()
	return 0
}

// namePattern reads a name to bind, a value a.b, or a class C(…).
func (p *parser) namePattern() int32 {
	if p.word("_") {
		p.next()
		return 0
	}
	n := p.dotted()
	if p.tok != opOpen {
		return n
	}
	class := p.node(Other, p.nodes[n].start, 0)
	p.add(class, n, NoField)
	p.patternsIn(class, opClose)
	return class
}

func (p *parser) sequence(kind Kind, closing token) int32 {
	n := p.node(kind, p.start, p.end)
	p.patternsIn(n, closing)
	return n
}

// patternsIn reads patterns in brackets into n.
func (p *parser) patternsIn(n int32, closing token) {
	p.next()
	for p.tok != closing {
		p.add(n, p.casePattern(), NoField)
		if p.tok != closing {
			p.expect(opComma)
		}
	}
	p.closed(n, closing)
}

func (p *parser) mapping() int32 {
	n := p.node(Other, p.start, p.end)
	p.next()
	for p.tok != opCloseBrace {
		key := p.simplePattern()
		if key == 0 {
			fail()
		}
		p.add(n, key, NoField)
		if p.accept(opColon) {
			p.nodes[key].field = FieldKey
			p.add(n, p.casePattern(), FieldValue)
		}
		if p.tok != opCloseBrace {
			p.expect(opComma)
		}
	}
	p.closed(n, opCloseBrace)
	return n
}

// numeric reads -1 and 1+2j. The sign has no node of its own.
func (p *parser) numeric() int32 {
	start := p.start
	p.accept(opMinus)
	n := p.real()
	if p.tok != opPlus && p.tok != opMinus {
		return n
	}
	c := p.node(Other, start, 0)
	p.add(c, n, NoField)
	p.next()
	p.add(c, p.real(), NoField)
	return c
}

func (p *parser) real() int32 {
	if p.tok != tokInteger && p.tok != tokFloat {
		fail()
	}
	return p.leaf(leaves[p.tok])
}
