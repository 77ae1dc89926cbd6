package analyzers

import (
	"iter"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
)

// scope is a region with names of its own: the module, a function, a class, a lambda, a comprehension.
type scope struct {
	node  node // the node that opens it
	up    int32
	class bool
	first int32              // its first binding, counted from 1; 0 for none
	last  int32              // and its last one
	count int32              // of its bindings
	names map[string][]int32 // indexes into binds by name, in source order; nil where there are few bindings
	outer map[string]bool    // names declared global or nonlocal
}

// fewBinds is how many bindings of a scope are looked through one by one. Most scopes have no more, and a source that is
// being typed is read at every key: a map for each of its scopes costs more than the look.
const fewBinds = 16

// bindKind says how a name gets its value.
type bindKind uint8

const (
	bindValue  bindKind = iota // name = value
	bindUnpack                 // name is one of several targets of value
	bindEach                   // name runs over the elements of value
	bindWith                   // with value as name
	bindParam                  // a parameter; value is its default or none
	bindImport                 // dotted names what is imported
	bindFunc                   // def
	bindClass                  // class
	bindOpaque                 // except … as, match captures, del, +=
)

// binding is one place where a name gets a value.
type binding struct {
	at     node // the identifier
	value  node
	kind   bindKind
	elem   int16 // bindUnpack, bindEach: which target, -1 when it is the only one
	next   int32 // of the same scope, counted from 1; 0 for none
	dotted string
}

// bind finds every scope and every binding in one pass over the tree.
func (s *Summary) bind() {
	nodes := s.tree.Nodes
	s.scope = make([]int32, len(nodes))
	s.scopes = append(make([]scope, 0, 1+len(nodes)/128), scope{node: 0, up: -1})
	s.binds, s.calls = make([]binding, 0, len(nodes)/24), make([]node, 0, len(nodes)/24)
	for i := range nodes {
		n := node(i)
		if s.parent[n] >= 0 {
			s.scope[n] = s.scopeFor(n)
		}
		switch nodes[i].Kind {
		case pyparse.Call:
			s.calls = append(s.calls, n)
		case pyparse.GlobalStatement, pyparse.NonlocalStatement:
			s.declareOuter(n)
		default:
			s.bindNode(n)
		}
	}
}

// scopeFor opens a scope at the bodies of functions, classes, lambdas and comprehensions; every other
// node is in its parent's.
func (s *Summary) scopeFor(n node) int32 {
	p := s.parent[n]
	at := s.tree.Nodes[n]
	opens, class := false, false
	switch s.kind(p) {
	case pyparse.FunctionDefinition, pyparse.Lambda:
		opens = at.Field == pyparse.FieldParameters || at.Field == pyparse.FieldBody
	case pyparse.ClassDefinition:
		opens = at.Field == pyparse.FieldBody
		class = opens
	case pyparse.ListComprehension, pyparse.SetComprehension, pyparse.DictionaryComprehension, pyparse.GeneratorExpression:
		opens = true
	case pyparse.DefaultParameter, pyparse.TypedDefaultParameter:
		if at.Field == pyparse.FieldValue { // a default is evaluated outside
			return max(0, s.scopes[s.scope[p]].up) // in a broken source the outside may be the module
		}
	}
	if !opens {
		return s.scope[p]
	}
	if found, ok := s.opened[p]; ok {
		return found
	}
	s.opened[p] = int32(len(s.scopes))
	s.scopes = append(s.scopes, scope{node: p, up: s.scope[p], class: class})
	return s.opened[p]
}

func (s *Summary) declareOuter(n node) {
	sc := &s.scopes[s.scope[n]]
	if sc.outer == nil {
		sc.outer = map[string]bool{}
	}
	for c := range s.children(n) {
		sc.outer[s.code(c)] = true
	}
}

func (s *Summary) add(at node, in int32, b binding) {
	name := s.code(at)
	for in > 0 && s.scopes[in].outer[name] {
		in = s.scopes[in].up
	}
	b.at = at
	s.binds = append(s.binds, b)
	i := int32(len(s.binds))
	sc := &s.scopes[in]
	if sc.count++; sc.count == 1 {
		sc.first = i
	} else {
		s.binds[sc.last-1].next = i
	}
	sc.last = i
	switch {
	case sc.names != nil:
		sc.names[name] = s.appended(sc.names[name], i-1)
	case sc.count > fewBinds:
		sc.names = make(map[string][]int32, 2*fewBinds)
		for b := range s.bindsIn(in) {
			of := s.code(s.binds[b].at)
			sc.names[of] = s.appended(sc.names[of], b)
		}
	}
}

// bindsIn are the bindings of a scope, in source order.
func (s *Summary) bindsIn(in int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for i := s.scopes[in].first; i > 0 && yield(i-1); i = s.binds[i-1].next {
		}
	}
}

// bound are the bindings of a name in a scope, in source order.
func (s *Summary) bound(in int32, name string) []int32 {
	if names := s.scopes[in].names; names != nil {
		return names[name]
	}
	var out []int32
	for i := range s.bindsIn(in) {
		if s.code(s.binds[i].at) == name {
			out = append(out, i)
		}
	}
	return out
}

// binding says whether a scope binds a name.
func (s *Summary) binding(in int32, name string) bool {
	if names := s.scopes[in].names; names != nil {
		return len(names[name]) > 0
	}
	for i := range s.bindsIn(in) {
		if s.code(s.binds[i].at) == name {
			return true
		}
	}
	return false
}

// appended appends to a list that mostly has one element: those share their memory.
func (s *Summary) appended(list []int32, i int32) []int32 {
	if len(list) > 0 {
		return append(list, i)
	}
	if len(s.ones) == cap(s.ones) {
		s.ones = make([]int32, 0, 256)
	}
	s.ones = append(s.ones, i)
	return s.ones[len(s.ones)-1 : len(s.ones) : len(s.ones)]
}

// lastName is the part of a callee behind its last dot.
func (s *Summary) lastName(callee node) string {
	switch s.kind(callee) {
	case pyparse.Identifier:
		return s.code(callee)
	case pyparse.Attribute:
		return s.code(s.field(callee, pyparse.FieldAttribute))
	}
	return ""
}

// bindNode records what the statement or clause at n binds.
func (s *Summary) bindNode(n node) {
	f := func(field pyparse.Field) node { return s.field(n, field) }
	switch s.kind(n) {
	case pyparse.Assignment:
		s.target(s.scope[n], f(pyparse.FieldLeft), f(pyparse.FieldRight), bindValue)
	case pyparse.AugmentedAssignment:
		s.target(s.scope[n], f(pyparse.FieldLeft), n, bindOpaque)
	case pyparse.NamedExpression:
		s.walrus(n)
	case pyparse.ForStatement, pyparse.ForInClause:
		s.target(s.scope[n], f(pyparse.FieldLeft), f(pyparse.FieldRight), bindEach)
	case pyparse.AsPattern:
		kind := map[bool]bindKind{true: bindWith, false: bindOpaque}[s.kind(s.parent[n]) == pyparse.WithItem]
		s.target(s.scope[n], f(pyparse.FieldAlias), s.child(n, 0), kind)
	case pyparse.Parameters, pyparse.LambdaParameters:
		s.params(n)
	case pyparse.FunctionDefinition:
		s.add(f(pyparse.FieldName), s.scope[n], binding{value: n, kind: bindFunc})
	case pyparse.ClassDefinition:
		s.add(f(pyparse.FieldName), s.scope[n], binding{value: n, kind: bindClass})
	case pyparse.ImportStatement:
		s.imports(n)
	case pyparse.ImportFromStatement:
		s.importsFrom(n)
	case pyparse.DeleteStatement:
		for c := range s.children(n) {
			s.target(s.scope[n], c, n, bindOpaque)
		}
	case pyparse.CasePattern:
		s.capture(n)
	}
}

// capture binds the name that a match pattern catches.
func (s *Summary) capture(n node) {
	if d := s.child(n, 0); s.kind(d) == pyparse.DottedName && !strings.Contains(s.code(d), ".") {
		s.add(s.child(d, 0), s.scope[n], binding{value: n, kind: bindOpaque})
	}
}

// walrus binds in the function around a comprehension, as Python does (PEP 572).
func (s *Summary) walrus(n node) {
	in := s.scope[n]
	for in > 0 {
		switch s.kind(s.scopes[in].node) {
		case pyparse.ListComprehension, pyparse.SetComprehension, pyparse.DictionaryComprehension, pyparse.GeneratorExpression:
			in = s.scopes[in].up
			continue
		}
		break
	}
	if name := s.field(n, pyparse.FieldName); name >= 0 {
		s.add(name, in, binding{value: s.field(n, pyparse.FieldValue), kind: bindValue})
	}
}

// target binds the names on the left of an assignment.
func (s *Summary) target(in int32, left, value node, kind bindKind) {
	if left < 0 || value < 0 {
		return
	}
	b := binding{value: value, kind: kind, elem: -1}
	switch s.kind(left) {
	case pyparse.Identifier:
		s.add(left, in, b)
	case pyparse.AsPatternTarget:
		s.target(in, s.child(left, 0), value, kind)
	case pyparse.Attribute:
		name := s.code(s.field(left, pyparse.FieldAttribute))
		s.attrs[name] = append(s.attrs[name], left)
	case pyparse.Subscript:
		if object := s.field(left, pyparse.FieldValue); kind == bindValue && s.kind(object) == pyparse.Identifier {
			s.entries[s.code(object)] = append(s.entries[s.code(object)], left)
		}
	case pyparse.PatternList, pyparse.TuplePattern, pyparse.ListPattern, pyparse.Tuple, pyparse.List, pyparse.ExpressionList, pyparse.ParenthesizedExpression:
		if kind == bindValue {
			b.kind = bindUnpack
		}
		for c := range s.children(left) {
			b.elem++
			if s.kind(c) == pyparse.Identifier {
				s.add(c, in, b)
			} else {
				s.target(in, c, value, bindOpaque)
			}
		}
	case pyparse.ListSplatPattern:
		s.target(in, s.child(left, 0), value, bindOpaque)
	}
}

// params binds the parameters of a function or a lambda.
func (s *Summary) params(list node) {
	for p := range s.children(list) {
		name, value := p, none
		switch s.kind(p) {
		case pyparse.DefaultParameter, pyparse.TypedDefaultParameter:
			name, value = s.field(p, pyparse.FieldName), s.field(p, pyparse.FieldValue)
		case pyparse.TypedParameter:
			name = s.child(p, 0)
		}
		if k := s.kind(name); k == pyparse.ListSplatPattern || k == pyparse.DictionarySplatPattern {
			name = s.child(name, 0)
			if s.kind(name) == pyparse.Identifier {
				s.add(name, s.scope[list], binding{value: p, kind: bindOpaque})
			}
			continue
		}
		if s.kind(name) == pyparse.Identifier {
			s.add(name, s.scope[list], binding{value: value, kind: bindParam})
		}
	}
}

func (s *Summary) imports(n node) {
	for c := range s.children(n) {
		switch s.kind(c) {
		case pyparse.DottedName: // import a.b binds a
			first := s.child(c, 0)
			s.add(first, s.scope[n], binding{value: n, kind: bindImport, dotted: s.code(first)})
		case pyparse.AliasedImport:
			s.add(s.field(c, pyparse.FieldAlias), s.scope[n], binding{value: n, kind: bindImport, dotted: s.dotted(s.field(c, pyparse.FieldName))})
		}
	}
}

func (s *Summary) importsFrom(n node) {
	module := s.dotted(s.field(n, pyparse.FieldModuleName))
	join := module + "."
	if strings.HasSuffix(module, ".") {
		join = module
	}
	for c := range s.children(n) {
		switch s.kind(c) {
		case pyparse.WildcardImport:
			s.stars = append(s.stars, module)
		case pyparse.DottedName:
			if s.tree.Nodes[c].Field == pyparse.FieldName {
				s.add(s.child(c, 0), s.scope[n], binding{value: n, kind: bindImport, dotted: join + s.dotted(c)})
			}
		case pyparse.AliasedImport:
			s.add(s.field(c, pyparse.FieldAlias), s.scope[n], binding{value: n, kind: bindImport, dotted: join + s.dotted(s.field(c, pyparse.FieldName))})
		}
	}
}

// dotted is a dotted or relative module name without the white space that may stand in it.
func (s *Summary) dotted(n node) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n\\", r) {
			return -1
		}
		return r
	}, s.code(n))
}
