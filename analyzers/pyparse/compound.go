package pyparse

// suite reads the block behind a colon.
func (p *parser) suite(parent int32, field Field) {
	p.expectColon()
	n := p.node(Block, p.start, p.start)
	if p.tok != tokNewline {
		for {
			p.add(n, p.simple(), NoField)
			if !p.accept(opSemicolon) || p.tok == tokNewline {
				break
			}
		}
		p.closed(n, tokNewline)
		p.add(parent, n, field)
		return
	}
	p.wantIndent = true
	p.next()
	p.expect(tokIndent)
	p.nodes[n].start = p.start
	for p.tok != tokDedent {
		p.statement(n)
	}
	p.closed(n, tokDedent)
	p.add(parent, n, field)
}

func (p *parser) expectColon() {
	if p.tok != opColon {
		fail()
	}
	p.next()
}

// clause begins a clause at the current keyword.
func (p *parser) clause(kind Kind) int32 {
	n := p.node(kind, p.start, p.end)
	p.next()
	return n
}

func (p *parser) conditional() int32 {
	n := p.clause(IfStatement)
	p.add(n, p.expression(), FieldCondition)
	p.suite(n, FieldConsequence)
	for p.tok == kwElif {
		c := p.clause(ElifClause)
		p.add(c, p.expression(), FieldCondition)
		p.suite(c, FieldConsequence)
		p.add(n, c, FieldAlternative)
	}
	p.otherwise(n, FieldAlternative)
	return n
}

// otherwise reads an else clause, if there is one.
func (p *parser) otherwise(n int32, field Field) {
	if p.tok != kwElse {
		return
	}
	c := p.clause(ElseClause)
	p.suite(c, FieldBody)
	p.add(n, c, field)
}

// loop reads a for or while; start is that of an async before it.
func (p *parser) loop(start uint32) int32 {
	if p.tok == kwWhile {
		n := p.clause(WhileStatement)
		p.add(n, p.expression(), FieldCondition)
		p.suite(n, FieldBody)
		p.otherwise(n, FieldAlternative)
		return n
	}
	n := p.clause(ForStatement)
	p.nodes[n].start = start
	p.add(n, p.targets(), FieldLeft)
	p.expect(kwIn)
	p.add(n, p.list(), FieldRight)
	p.suite(n, FieldBody)
	p.otherwise(n, FieldAlternative)
	return n
}

func (p *parser) try() int32 {
	n := p.clause(TryStatement)
	p.suite(n, FieldBody)
	for p.tok == kwExcept {
		c := p.clause(ExceptClause)
		p.accept(opStar)
		if p.tok != opColon {
			p.add(c, p.as(p.expression()), FieldValue)
			for p.accept(opComma) {
				p.add(c, p.expression(), FieldValue)
			}
		}
		p.suite(c, NoField)
		p.add(n, c, NoField)
	}
	p.otherwise(n, NoField)
	if p.tok == kwFinally {
		c := p.clause(FinallyClause)
		p.suite(c, NoField)
		p.add(n, c, NoField)
	}
	return n
}

// as reads `as name` behind a value, if it is there.
func (p *parser) as(value int32) int32 {
	if p.tok != kwAs {
		return value
	}
	n := p.node(AsPattern, p.nodes[value].start, 0)
	p.add(n, value, NoField)
	p.next()
	target := p.node(AsPatternTarget, p.start, 0)
	p.add(target, p.primary(), NoField)
	p.add(n, target, FieldAlias)
	return n
}

func (p *parser) with(start uint32) int32 {
	n := p.clause(WithStatement)
	p.nodes[n].start = start
	items := p.bracketed()
	if items == 0 {
		items = p.node(WithClause, p.start, p.start)
		p.item(items)
		for p.accept(opComma) {
			p.item(items)
		}
	}
	p.add(n, items, NoField)
	p.suite(n, FieldBody)
	return n
}

func (p *parser) item(items int32) {
	n := p.node(WithItem, p.start, 0)
	p.add(n, p.as(p.starred()), FieldValue)
	p.add(items, n, NoField)
}

// bracketed reads the items of `with (a as b, c):`; 0 when there are none. A bracket that is not followed
// by a colon, or holds one expression alone, is part of the first item.
func (p *parser) bracketed() (items int32) {
	if p.tok != opOpen {
		return 0
	}
	ok := p.attempt(func() bool {
		items = p.node(WithClause, p.start, p.start)
		several := false
		p.free(func() {
			p.next()
			for p.tok != opClose {
				p.item(items)
				last := p.nodes[items].last
				several = several || p.tok == opComma || p.nodes[p.nodes[last].first].kind == AsPattern
				if p.tok != opClose {
					p.expect(opComma)
				}
			}
		})
		p.closed(items, opClose)
		return several && p.tok == opColon
	})
	if !ok {
		return 0
	}
	return items
}

// function reads a def; start is that of an async before it.
func (p *parser) function(start uint32) int32 {
	n := p.clause(FunctionDefinition)
	p.nodes[n].start = start
	p.add(n, p.identifier(), FieldName)
	if p.tok == opOpenSquare {
		p.add(n, p.typeParameters(), fieldOther)
	}
	list := p.node(Parameters, p.start, p.end)
	p.free(func() {
		p.expect(opOpen)
		p.parameters(list, opClose, true)
	})
	p.closed(list, opClose)
	p.add(n, list, FieldParameters)
	if p.accept(opArrow) {
		p.add(n, p.annotation(), FieldReturnType)
	}
	p.suite(n, FieldBody)
	return n
}

// parameters reads those of a function, or of a lambda, up to the token that ends them.
func (p *parser) parameters(list int32, closing token, typed bool) {
	for p.tok != closing {
		p.add(list, p.parameter(typed), NoField)
		if p.tok != closing {
			p.expect(opComma)
		}
	}
}

func (p *parser) parameter(typed bool) int32 {
	var name int32
	switch p.tok {
	case opSlash:
		return p.leaf(Other)
	case opStar, opPower:
		kind := ListSplatPattern
		if p.tok == opPower {
			kind = DictionarySplatPattern
		}
		name = p.clause(kind)
		if p.tok != tokName {
			p.nodes[name].kind = Other // a * alone
			return name
		}
		p.add(name, p.identifier(), NoField)
	default:
		name = p.identifier()
	}
	start := p.nodes[name].start
	n := name
	if typed && p.tok == opColon {
		n = p.node(TypedParameter, start, 0)
		p.add(n, name, NoField)
		p.next()
		p.add(n, p.annotation(), FieldType)
	}
	if p.tok != opAssign {
		return n
	}
	if n == name {
		n = p.node(DefaultParameter, start, 0)
		p.add(n, name, NoField)
	} else {
		p.nodes[n].kind = TypedDefaultParameter
	}
	p.nodes[name].field = FieldName
	p.next()
	p.add(n, p.expression(), FieldValue)
	return n
}

func (p *parser) class() int32 {
	n := p.clause(ClassDefinition)
	p.add(n, p.identifier(), FieldName)
	if p.tok == opOpenSquare {
		p.add(n, p.typeParameters(), fieldOther)
	}
	if p.tok == opOpen {
		p.add(n, p.arguments(), FieldSuperclasses)
	}
	p.suite(n, FieldBody)
	return n
}

func (p *parser) decorated() int32 {
	n := p.node(DecoratedDefinition, p.start, p.end)
	for p.tok == opAt {
		d := p.clause(Decorator)
		p.add(d, p.expression(), NoField)
		p.closed(d, tokNewline)
		p.add(n, d, NoField)
	}
	switch p.tok {
	case kwDef:
		p.add(n, p.function(p.start), FieldDefinition)
	case kwClass:
		p.add(n, p.class(), FieldDefinition)
	case kwAsync:
		start := p.start
		p.next()
		if p.tok != kwDef {
			fail()
		}
		p.add(n, p.function(start), FieldDefinition)
	default:
		fail()
	}
	return n
}

func (p *parser) async() int32 {
	start := p.start
	p.next()
	switch p.tok {
	case kwDef:
		return p.function(start)
	case kwFor:
		return p.loop(start)
	case kwWith:
		return p.with(start)
	}
	fail()
	return 0
}
