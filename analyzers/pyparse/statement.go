package pyparse

// statement reads one statement, or a line of several, into parent.
func (p *parser) statement(parent int32) {
	p.enter()
	switch p.tok {
	case kwIf:
		p.add(parent, p.conditional(), NoField)
	case kwFor, kwWhile:
		p.add(parent, p.loop(p.start), NoField)
	case kwTry:
		p.add(parent, p.try(), NoField)
	case kwWith:
		p.add(parent, p.with(p.start), NoField)
	case kwDef:
		p.add(parent, p.function(p.start), NoField)
	case kwClass:
		p.add(parent, p.class(), NoField)
	case opAt:
		p.add(parent, p.decorated(), NoField)
	case kwAsync:
		p.add(parent, p.async(), NoField)
	default:
		if n, ok := p.match(); ok {
			p.add(parent, n, NoField)
		} else {
			p.line(parent)
		}
	}
	p.leave()
}

// line reads the simple statements of one line. The parent ends where the line ends.
func (p *parser) line(parent int32) {
	for {
		p.add(parent, p.simple(), NoField)
		if !p.accept(opSemicolon) || p.tok == tokNewline {
			break
		}
	}
	if p.tok != tokNewline {
		fail()
	}
	p.next()
}

// words are the statements that are one word.
var words = [tokens]bool{kwPass: true, kwBreak: true, kwContinue: true}

func (p *parser) simple() int32 {
	if words[p.tok] {
		return p.leaf(Other)
	}
	switch p.tok {
	case kwReturn:
		return p.optional(ReturnStatement)
	case kwRaise:
		return p.raise()
	case kwImport:
		return p.imports()
	case kwFrom:
		return p.from()
	case kwAssert:
		n := p.node(AssertStatement, p.start, p.end)
		p.next()
		p.add(n, p.expression(), NoField)
		if p.accept(opComma) {
			p.add(n, p.expression(), NoField)
		}
		return n
	case kwDel:
		n := p.node(DeleteStatement, p.start, p.end)
		p.next()
		p.add(n, p.list(), NoField)
		return n
	case kwGlobal:
		return p.names(GlobalStatement)
	case kwNonlocal:
		return p.names(NonlocalStatement)
	}
	if n := p.alias(); n != 0 {
		return n
	}
	if n := p.lazy(); n != 0 {
		return n
	}
	return p.expressionStatement()
}

// optional reads a keyword and the expressions that may follow it.
func (p *parser) optional(kind Kind) int32 {
	n := p.node(kind, p.start, p.end)
	p.next()
	if begins[p.tok] {
		p.add(n, p.list(), NoField)
	}
	return n
}

func (p *parser) raise() int32 {
	n := p.optional(RaiseStatement)
	if p.accept(kwFrom) {
		p.add(n, p.expression(), fieldOther)
	}
	return n
}

func (p *parser) names(kind Kind) int32 {
	n := p.node(kind, p.start, p.end)
	for ok := true; ok; ok = p.tok == opComma {
		p.next()
		p.add(n, p.identifier(), NoField)
	}
	return n
}

func (p *parser) identifier() int32 {
	if p.tok != tokName {
		fail()
	}
	return p.leaf(Identifier)
}

// alias reads `type X = …`; 0 when the statement is something else.
func (p *parser) alias() (n int32) {
	if !p.word("type") {
		return 0
	}
	ok := p.attempt(func() bool {
		n = p.clause(Other)
		left := p.node(Type, p.start, p.end)
		p.add(left, p.identifier(), NoField)
		if p.tok == opOpenSquare {
			p.add(left, p.typeParameters(), NoField)
		}
		p.expect(opAssign)
		p.add(n, left, FieldLeft)
		p.add(n, p.annotation(), FieldRight)
		return true
	})
	if !ok {
		return 0
	}
	return n
}

// lazy reads `lazy import …` and `lazy from … import …` of Python 3.15; 0 when the statement is something else.
func (p *parser) lazy() (n int32) {
	if !p.word("lazy") {
		return 0
	}
	p.attempt(func() bool {
		start := p.start
		p.next()
		switch p.tok {
		case kwImport:
			n = p.imports()
		case kwFrom:
			n = p.from()
		default:
			return false
		}
		p.nodes[n].start = start
		return true
	})
	return n
}

// word says whether the current token is a name that is a keyword in places.
func (p *parser) word(name string) bool {
	return p.tok == tokName && string(p.src[p.start:p.end]) == name
}

// expressionStatement reads expressions, an assignment, or a yield.
func (p *parser) expressionStatement() int32 {
	n := p.node(ExpressionStatement, p.start, p.start)
	if p.tok == kwYield {
		p.add(n, p.yield(), NoField)
		return n
	}
	left := p.list()
	switch p.tok {
	case opAssign, opAugmented, opColon:
		p.add(n, p.assignment(left), NoField)
		return n
	}
	if p.nodes[left].kind == ExpressionList { // its parts are the statement's own
		p.nodes[n].first, p.nodes[n].last, p.nodes[n].end = p.nodes[left].first, p.nodes[left].last, p.nodes[left].end
		return n
	}
	p.add(n, left, NoField)
	return n
}

// assignment reads what follows the left side of one.
func (p *parser) assignment(left int32) int32 {
	p.enter()
	defer p.leave()
	p.pattern(left)
	n := p.node(Assignment, p.nodes[left].start, 0)
	p.add(n, left, FieldLeft)
	switch p.tok {
	case opAugmented:
		p.nodes[n].kind = AugmentedAssignment
		p.add(n, p.leaf(Other), FieldOperator)
		p.add(n, p.assigned(), FieldRight)
		return n
	case opColon:
		p.next()
		p.add(n, p.annotation(), FieldType)
		if p.tok != opAssign {
			return n
		}
	}
	p.next()
	p.add(n, p.assigned(), FieldRight)
	return n
}

// assigned reads the right side of an assignment, which may be one itself.
func (p *parser) assigned() int32 {
	if p.tok == kwYield {
		return p.yield()
	}
	right := p.list()
	if p.tok == opAssign {
		return p.assignment(right)
	}
	return right
}

// annotation reads a type: an expression, as far as anything here is concerned.
func (p *parser) annotation() int32 {
	n := p.node(Type, p.start, 0)
	p.add(n, p.starred(), NoField)
	return n
}

// typeParameters reads [T: bound, *Ts = default].
func (p *parser) typeParameters() int32 {
	n := p.node(Other, p.start, p.end)
	p.free(func() {
		p.next()
		for p.tok != opCloseSquare {
			t := p.node(Type, p.start, p.end)
			if p.tok == opPower {
				p.next()
			}
			p.add(t, p.starred(), NoField)
			for p.tok == opColon || p.tok == opAssign {
				p.next()
				p.add(t, p.annotation(), NoField)
			}
			p.add(n, t, NoField)
			if p.tok != opCloseSquare {
				p.expect(opComma)
			}
		}
	})
	p.closed(n, opCloseSquare)
	return n
}

func (p *parser) imports() int32 {
	n := p.node(ImportStatement, p.start, p.end)
	p.next()
	p.imported(n)
	for p.accept(opComma) {
		p.imported(n)
	}
	return n
}

// imported reads `a.b as c` into an import.
func (p *parser) imported(n int32) {
	name := p.dotted()
	if p.accept(kwAs) {
		as := p.node(AliasedImport, p.nodes[name].start, 0)
		p.add(as, name, FieldName)
		p.add(as, p.identifier(), FieldAlias)
		name = as
	}
	p.add(n, name, FieldName)
}

func (p *parser) dotted() int32 {
	n := p.node(DottedName, p.start, p.end)
	p.add(n, p.identifier(), NoField)
	for p.accept(opDot) {
		p.add(n, p.identifier(), NoField)
	}
	return n
}

// from reads `from …a.b import c as d`.
func (p *parser) from() int32 {
	n := p.node(ImportFromStatement, p.start, p.end)
	p.next()
	switch {
	case p.tok == opDot || p.tok == opEllipsis:
		p.add(n, p.relative(), FieldModuleName)
	case p.word("__future__"):
		p.nodes[n].kind = FutureImportStatement
		p.next()
	default:
		p.add(n, p.dotted(), FieldModuleName)
	}
	p.expect(kwImport)
	switch {
	case p.tok == opStar:
		p.add(n, p.leaf(WildcardImport), NoField)
	case p.tok == opOpen:
		p.next()
		for p.tok != opClose {
			p.imported(n)
			if p.tok != opClose {
				p.expect(opComma)
			}
		}
		p.closed(n, opClose)
	default:
		p.imported(n)
		for p.accept(opComma) {
			p.imported(n)
		}
	}
	return n
}

func (p *parser) relative() int32 {
	n := p.node(RelativeImport, p.start, p.end)
	dots := p.node(ImportPrefix, p.start, p.end)
	for p.tok == opDot || p.tok == opEllipsis {
		p.closed(dots, p.tok)
	}
	p.add(n, dots, NoField)
	if p.tok == tokName {
		p.add(n, p.dotted(), NoField)
	}
	return n
}
