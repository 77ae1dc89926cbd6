package pyparse

// maxNesting bounds the recursion of the parser. CPython gives up at 200 brackets.
const maxNesting = 400

// parser reads Python by recursive descent. It knows no broken source: it panics with a syntaxError.
type parser struct {
	lexer
	nodes  []syntax
	open   []open
	depth  int
	noIn   bool // "in" ends an expression: the targets of a for
	format bool // := ends an expression: f"{x:=5}"
}

func (p *parser) enter() {
	if p.depth++; p.depth > maxNesting {
		fail()
	}
}

// expression reads one expression, of any kind but a starred one.
func (p *parser) expression() int32 {
	p.enter()
	defer p.leave()
	if p.tok == kwLambda {
		return p.lambda(p.expression)
	}
	left := p.disjunction()
	switch p.tok {
	case kwIf:
		n := p.node(ConditionalExpression, p.nodes[left].start, 0)
		p.add(n, left, NoField)
		p.next()
		p.add(n, p.disjunction(), NoField)
		p.expect(kwElse)
		p.add(n, p.expression(), NoField)
		return n
	case opWalrus:
		if p.format {
			return left
		}
		if p.nodes[left].kind != Identifier {
			fail()
		}
		n := p.node(NamedExpression, p.nodes[left].start, 0)
		p.add(n, left, FieldName)
		p.next()
		p.add(n, p.expression(), FieldValue)
		return n
	}
	return left
}

func (p *parser) leave() { p.depth-- }

// unconditional reads an expression that an if ends: in a comprehension.
func (p *parser) unconditional() int32 {
	if p.tok == kwLambda {
		p.enter()
		defer p.leave()
		return p.lambda(p.unconditional)
	}
	return p.disjunction()
}

func (p *parser) lambda(body func() int32) int32 {
	n := p.node(Lambda, p.start, p.end)
	p.next()
	if p.tok != opColon {
		list := p.node(LambdaParameters, p.start, p.start)
		p.parameters(list, opColon, false)
		p.add(n, list, FieldParameters)
	}
	noIn := p.noIn
	p.noIn = false
	p.expect(opColon)
	p.noIn = noIn
	p.add(n, body(), FieldBody)
	return n
}

func (p *parser) disjunction() int32 {
	left := p.conjunction()
	for p.tok == kwOr {
		left = p.operation(BooleanOperator, left, p.conjunction)
	}
	return left
}

func (p *parser) conjunction() int32 {
	left := p.inversion()
	for p.tok == kwAnd {
		left = p.operation(BooleanOperator, left, p.inversion)
	}
	return left
}

// operation puts a binary operator, the current token, between left and what right reads.
func (p *parser) operation(kind Kind, left int32, right func() int32) int32 {
	n := p.node(kind, p.nodes[left].start, 0)
	p.add(n, left, FieldLeft)
	p.add(n, p.leaf(Other), FieldOperator)
	p.add(n, right(), FieldRight)
	return n
}

func (p *parser) inversion() int32 {
	if p.tok != kwNot {
		return p.comparison()
	}
	p.enter()
	n := p.node(NotOperator, p.start, 0)
	p.next()
	if p.tok == kwLambda {
		fail()
	}
	p.add(n, p.inversion(), FieldArgument)
	p.leave()
	return n
}

func (p *parser) comparison() int32 {
	left := p.arithmetic(1)
	op := p.compares()
	if op < 0 {
		return left
	}
	n := p.node(ComparisonOperator, p.nodes[left].start, 0)
	p.add(n, left, NoField)
	for ; op >= 0; op = p.compares() {
		p.add(n, op, FieldOperators)
		p.add(n, p.arithmetic(1), NoField)
	}
	return n
}

// compares reads a comparison operator, which may have two words; -1 when there is none.
func (p *parser) compares() int32 {
	switch p.tok {
	case opCompare:
		return p.leaf(Other)
	case kwIn:
		if p.noIn {
			return -1
		}
		return p.leaf(Other)
	case kwIs:
		n := p.leaf(Other)
		if p.tok == kwNot {
			p.closed(n, kwNot)
		}
		return n
	case kwNot:
		n := p.leaf(Other)
		p.closed(n, kwIn)
		return n
	}
	return -1
}

// arithmetic reads operators that bind at least as tightly as given.
func (p *parser) arithmetic(least int8) int32 {
	left := p.unary()
	for {
		tight := binding[p.tok]
		if tight == 0 || tight < least {
			return left
		}
		n := p.node(BinaryOperator, p.nodes[left].start, 0)
		p.add(n, left, FieldLeft)
		op := p.tok
		p.add(n, p.leaf(Other), FieldOperator)
		if op == opPower { // from the right
			p.enter()
			p.add(n, p.arithmetic(tight), FieldRight)
			p.leave()
		} else {
			p.add(n, p.arithmetic(tight+1), FieldRight)
		}
		left = n
	}
}

func (p *parser) unary() int32 {
	switch p.tok {
	case opMinus, opPlus, opTilde:
		p.enter()
		defer p.leave()
		n := p.node(UnaryOperator, p.start, 0)
		p.add(n, p.leaf(Other), FieldOperator)
		p.add(n, p.arithmetic(bindingUnary), FieldArgument)
		return n
	case kwAwait:
		p.enter()
		defer p.leave()
		n := p.node(Await, p.start, 0)
		p.next()
		p.add(n, p.arithmetic(bindingUnary), NoField)
		return n
	}
	return p.primary()
}

// primary reads an atom and what hangs on it: attributes, calls, items.
func (p *parser) primary() int32 {
	left := p.atom()
	for {
		var n int32
		switch p.tok {
		case opDot:
			n = p.node(Attribute, p.nodes[left].start, 0)
			p.add(n, left, FieldObject)
			p.next()
			if p.tok != tokName {
				fail()
			}
			p.add(n, p.leaf(Identifier), FieldAttribute)
		case opOpen:
			n = p.node(Call, p.nodes[left].start, 0)
			p.add(n, left, FieldFunction)
			p.add(n, p.arguments(), FieldArguments)
		case opOpenSquare:
			n = p.node(Subscript, p.nodes[left].start, 0)
			p.add(n, left, FieldValue)
			p.subscripts(n)
		default:
			return left
		}
		left = n
	}
}

// free reads what stands in brackets: every operator is one there.
func (p *parser) free(read func()) {
	noIn, format := p.noIn, p.format
	p.noIn, p.format = false, false
	p.enter()
	read()
	p.leave()
	p.noIn, p.format = noIn, format
}

// subscripts reads [a, b:c].
func (p *parser) subscripts(n int32) {
	p.free(func() {
		p.next()
		for p.tok != opCloseSquare {
			p.add(n, p.slice(), FieldSubscript)
			if p.tok != opCloseSquare {
				p.expect(opComma)
			}
		}
		if p.nodes[n].first == p.nodes[n].last {
			fail() // x[]
		}
	})
	p.closed(n, opCloseSquare)
}

// slice reads an item of a subscript, which may be a:b:c.
func (p *parser) slice() int32 {
	var n int32
	if p.tok != opColon {
		first := p.starred()
		if p.tok != opColon {
			return first
		}
		n = p.node(Slice, p.nodes[first].start, 0)
		p.add(n, first, NoField)
	} else {
		n = p.node(Slice, p.start, 0)
	}
	for i := 0; i < 2 && p.tok == opColon; i++ {
		p.closed(n, opColon)
		if p.tok != opColon && p.tok != opComma && p.tok != opCloseSquare {
			p.add(n, p.expression(), NoField)
		}
	}
	return n
}

// arguments reads a call's arguments; those of f(x for x in y) are a generator expression.
func (p *parser) arguments() int32 {
	n := p.node(ArgumentList, p.start, p.end)
	p.free(func() {
		p.next()
		for p.tok != opClose {
			p.argument(n)
			if p.tok != opClose {
				p.expect(opComma)
			}
		}
	})
	p.closed(n, opClose)
	return n
}

func (p *parser) argument(list int32) {
	if p.tok == opPower {
		p.add(list, p.splat(DictionarySplat), NoField)
		return
	}
	value := p.starred()
	switch {
	case p.tok == opAssign && p.nodes[value].kind == Identifier:
		n := p.node(KeywordArgument, p.nodes[value].start, 0)
		p.add(n, value, FieldName)
		p.next()
		p.add(n, p.expression(), FieldValue)
		p.add(list, n, NoField)
	case p.tok == kwFor || p.tok == kwAsync:
		if p.nodes[list].first != 0 {
			fail()
		}
		p.nodes[list].kind = GeneratorExpression
		p.add(list, value, FieldBody)
		p.clauses(list)
		if p.tok == opComma { // f(x for x in y,)
			p.next()
		}
		if p.tok != opClose {
			fail()
		}
	default:
		p.add(list, value, NoField)
	}
}

// splat reads * or ** and an expression.
func (p *parser) splat(kind Kind) int32 {
	n := p.node(kind, p.start, 0)
	p.next()
	p.add(n, p.expression(), NoField)
	return n
}

// starred reads an expression that may have a star.
func (p *parser) starred() int32 {
	if p.tok == opStar {
		p.enter()
		defer p.leave()
		return p.splat(ListSplat)
	}
	return p.expression()
}

// list reads one expression or, as an ExpressionList, several.
func (p *parser) list() int32 {
	first := p.starred()
	if p.tok != opComma {
		return first
	}
	n := p.node(ExpressionList, p.nodes[first].start, 0)
	p.add(n, first, NoField)
	for p.tok == opComma {
		p.closed(n, opComma)
		if !begins[p.tok] || p.tok == kwYield {
			break
		}
		p.add(n, p.starred(), NoField)
	}
	return n
}

func (p *parser) yield() int32 {
	p.enter()
	defer p.leave()
	n := p.node(Yield, p.start, p.end)
	p.next()
	switch {
	case p.accept(kwFrom):
		p.add(n, p.expression(), NoField)
	case begins[p.tok] && p.tok != kwYield:
		p.add(n, p.list(), NoField)
	}
	return n
}
