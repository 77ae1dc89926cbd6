package pyparse

// leaves are the atoms that are one token.
var leaves = [tokens]Kind{
	tokName: Identifier, tokInteger: Integer, tokFloat: Float, kwTrue: True, kwFalse: False, kwNone: None, opEllipsis: Ellipsis,
}

// atom reads what an expression is built of.
func (p *parser) atom() int32 {
	if kind := leaves[p.tok]; kind != Other {
		return p.leaf(kind)
	}
	switch p.tok {
	case tokString:
		return p.strings()
	case opOpen:
		return p.parentheses()
	case opOpenSquare:
		return p.display(List, ListComprehension, opCloseSquare)
	case opOpenBrace:
		return p.braces()
	}
	fail()
	return 0
}

// strings reads one string or, as a ConcatenatedString, several.
func (p *parser) strings() int32 {
	first := p.str()
	if p.tok != tokString {
		return first
	}
	n := p.node(ConcatenatedString, p.nodes[first].start, 0)
	p.add(n, first, NoField)
	for p.tok == tokString {
		p.add(n, p.str(), NoField)
	}
	return n
}

// parentheses reads (), (x), (x, y), (x for x in y), (yield x).
func (p *parser) parentheses() int32 {
	n := p.node(Tuple, p.start, p.end)
	p.free(func() {
		p.next()
		switch p.tok {
		case opClose:
		case kwYield:
			p.nodes[n].kind = ParenthesizedExpression
			p.add(n, p.yield(), NoField)
		default:
			if first := p.elements(n, GeneratorExpression, opClose); first {
				p.nodes[n].kind = ParenthesizedExpression
			}
		}
	})
	p.closed(n, opClose)
	return n
}

// elements reads the elements of a sequence up to the token that closes it, or of a comprehension. It
// says whether there was one alone, without a comma.
func (p *parser) elements(n int32, comprehension Kind, closing token) bool {
	for alone := true; ; alone = false {
		p.add(n, p.starred(), NoField)
		switch {
		case p.tok == closing:
			return alone
		case (p.tok == kwFor || p.tok == kwAsync) && alone:
			p.comprehension(n, comprehension)
			return false
		}
		p.expect(opComma)
		if p.tok == closing {
			return false
		}
	}
}

// display reads a list.
func (p *parser) display(kind, comprehension Kind, closing token) int32 {
	n := p.node(kind, p.start, p.end)
	p.free(func() {
		p.next()
		if p.tok != closing {
			p.elements(n, comprehension, closing)
		}
	})
	p.closed(n, closing)
	return n
}

// comprehension makes one of n, whose only child is its body.
func (p *parser) comprehension(n int32, kind Kind) {
	p.nodes[n].kind = kind
	p.nodes[p.nodes[n].first].field = FieldBody
	p.clauses(n)
}

// clauses reads the for and if clauses of a comprehension.
func (p *parser) clauses(n int32) {
	for {
		switch p.tok {
		case kwFor, kwAsync:
			c := p.node(ForInClause, p.start, p.end)
			p.accept(kwAsync)
			p.expect(kwFor)
			p.add(c, p.targets(), FieldLeft)
			p.expect(kwIn)
			p.add(c, p.unconditional(), FieldRight)
			p.add(n, c, NoField)
		case kwIf:
			c := p.node(IfClause, p.start, p.end)
			p.next()
			value := p.unconditional()
			if p.tok == opWalrus && p.nodes[value].kind == Identifier {
				fail()
			}
			p.add(c, value, NoField)
			p.add(n, c, NoField)
		default:
			return
		}
	}
}

// targets reads what a for assigns to.
func (p *parser) targets() int32 {
	noIn := p.noIn
	p.noIn = true
	n := p.list()
	p.noIn = noIn
	p.pattern(n)
	return n
}

// braces reads a dictionary or a set.
func (p *parser) braces() int32 {
	n := p.node(Dictionary, p.start, p.end)
	p.free(func() {
		p.next()
		if p.tok == opCloseBrace {
			return
		}
		if p.tok == opPower {
			p.add(n, p.splat(DictionarySplat), NoField)
			if p.tok == kwFor || p.tok == kwAsync { // of Python 3.15
				p.comprehension(n, DictionaryComprehension)
			} else if p.tok != opCloseBrace {
				p.expect(opComma)
				p.pairs(n)
			}
			return
		}
		first := p.starred()
		if p.tok != opColon {
			p.nodes[n].kind = Set
			p.rest(n, first)
			return
		}
		p.add(n, p.pair(first), NoField)
		if p.tok == kwFor || p.tok == kwAsync {
			p.comprehension(n, DictionaryComprehension)
			return
		}
		if p.tok != opCloseBrace {
			p.expect(opComma)
			p.pairs(n)
		}
	})
	p.closed(n, opCloseBrace)
	return n
}

// rest reads the elements of a set behind the first.
func (p *parser) rest(n, first int32) {
	p.add(n, first, NoField)
	if p.tok == kwFor || p.tok == kwAsync {
		p.comprehension(n, SetComprehension)
		return
	}
	for p.tok != opCloseBrace {
		p.expect(opComma)
		if p.tok != opCloseBrace {
			p.add(n, p.starred(), NoField)
		}
	}
}

func (p *parser) pair(key int32) int32 {
	n := p.node(Pair, p.nodes[key].start, 0)
	p.add(n, key, FieldKey)
	p.expect(opColon)
	p.add(n, p.expression(), FieldValue)
	return n
}

func (p *parser) pairs(n int32) {
	for p.tok != opCloseBrace {
		if p.tok == opPower {
			p.add(n, p.splat(DictionarySplat), NoField)
		} else {
			p.add(n, p.pair(p.expression()), NoField)
		}
		if p.tok != opCloseBrace {
			p.expect(opComma)
		}
	}
}

// patterns are the expressions that may be assigned to, and what they are called then.
var patterns = map[Kind]Kind{
	Identifier: Identifier, Attribute: Attribute, Subscript: Subscript, Tuple: TuplePattern, List: ListPattern, ListSplat: ListSplatPattern,
	ExpressionList: PatternList, ParenthesizedExpression: TuplePattern,
}

// pattern turns an expression into what is assigned to.
func (p *parser) pattern(n int32) {
	kind, ok := patterns[p.nodes[n].kind]
	if !ok {
		fail()
	}
	inner := kind != p.nodes[n].kind
	p.nodes[n].kind = kind
	if !inner {
		return
	}
	for c := p.nodes[n].first; c != 0; c = p.nodes[c].next {
		p.pattern(c)
	}
}
