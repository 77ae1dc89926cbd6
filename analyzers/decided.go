package analyzers

import (
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// What stands, among the texts that conditions are asked about, for values that are none.
const (
	noneText  = "\x02"
	trueText  = "\x03"
	falseText = "\x04"
)

// constant is the text that a condition is asked about for a literal.
func (s *Summary) constant(n node) (string, bool) {
	switch s.kind(n) {
	case pyparse.None:
		return noneText, true
	case pyparse.True:
		return trueText, true
	case pyparse.False:
		return falseText, true
	}
	return s.literal(n)
}

// truthOf is what `if x` makes of a value.
func truthOf(text string) Tri {
	switch {
	case text == "" || text == noneText || text == falseText:
		return No
	case strings.Trim(text, hole) == "":
		return Unsure
	}
	return Yes
}

// reached says whether a statement may be reached with the arguments of the call that is followed: `return a` in
// `if source == "hf": return a` is not where the call says source="local".
func (e *evaluator) reached(fr *frame, n node) bool {
	if len(fr.args) == 0 || fr.s.scope[n] != fr.fn {
		return true
	}
	for _, p := range fr.s.premises(n) {
		if got := e.fixed(fr, p.cond); got != Unsure && (got == Yes) != p.holds {
			return false
		}
	}
	return true
}

// fixed decides a condition by the one argument of the call followed that it asks about.
func (e *evaluator) fixed(fr *frame, cond node) Tri {
	s := fr.s
	for i := cond; i >= 0 && len(fr.args) > 0 && i < node(s.tree.Nodes[cond].Next); i++ {
		if s.kind(i) != pyparse.Identifier || s.scope[i] != fr.fn {
			continue
		}
		if t, ok := e.given(fr, i); ok {
			if got := e.decide(fr, cond, s.code(i), t, 0); got != Unsure {
				return got
			}
		}
	}
	return Unsure
}

// given is the literal that the call followed gives for the parameter used at n, as conditions are asked about it.
func (e *evaluator) given(fr *frame, n node) (string, bool) {
	s := fr.s
	name := s.code(n)
	arg, ok := fr.args[name]
	if !ok || fr.open && arg.sure == ref.Default {
		return "", false
	}
	if at, _ := s.reaching(name, n, fr.fn); len(at) != 1 || s.binds[at[0]].kind != bindParam {
		return "", false
	}
	ps, why := e.places(arg.fr, arg.n)
	if len(ps) != 1 || why != "" || ps[0].sure != ref.Exact {
		return "", false
	}
	return ps[0].fr.s.constant(ps[0].n)
}

// flagged says whether a flag that is set beside the binding at contradicts what is known at the use n:
// `local = True; path = "m"` in one branch, and path used where local is false.
func (e *evaluator) flagged(fr *frame, n, at node) bool {
	s := fr.s
	if block := s.enclosing(at, pyparse.Block); block < 0 || s.within(n, block) {
		return false
	}
	for _, p := range s.premises(n) {
		flag := p.cond
		if s.kind(flag) == pyparse.NotOperator {
			flag = s.field(flag, pyparse.FieldArgument)
		}
		if k := s.kind(flag); k != pyparse.Identifier && k != pyparse.Attribute || s.within(at, p.cond) {
			continue
		}
		texts, ok := s.flagWith(flag, at)
		if t, beside := s.setBeside(flag, at); beside {
			texts, ok = []string{t}, true
		}
		if ok && !slices.ContainsFunc(texts, func(t string) bool { return e.meets(fr, s.code(flag), t, []premise{p}) }) {
			return true
		}
	}
	return false
}

// flagWith are the literals that the name used at flag may have where the binding at is the one that was made: not those
// of branches that it excludes, nor what those hide that it is in. False where one of them is no literal.
func (s *Summary) flagWith(flag, at node) ([]string, bool) {
	if s.kind(flag) != pyparse.Identifier {
		return nil, false
	}
	made := s.turns(at, flag)
	reach, in := s.reaching(s.code(flag), flag, s.scope[flag])
	if len(made) == 0 || in != s.scope[flag] || in != s.scope[at] || len(reach) > maxAlts {
		return nil, false
	}
	var out []string
	for _, i := range reach {
		b := &s.binds[i]
		turns := s.turns(b.at, flag)
		if slices.ContainsFunc(turns, func(p premise) bool { return slices.Contains(made, premise{p.cond, !p.holds}) }) {
			continue
		}
		t, ok := s.constant(b.value)
		if b.kind != bindValue || !ok {
			return nil, false
		}
		out = append(out, t)
		if len(turns) > 0 && !slices.ContainsFunc(turns, func(p premise) bool { return !slices.Contains(made, p) }) {
			break
		}
	}
	return out, len(out) > 0
}

// setBeside is the literal that a statement of the block around at, or before that block in those around it, gives to a
// name or an attribute that is spelled as at flag; false where none does, or statements between may give it another.
func (s *Summary) setBeside(flag, at node) (string, bool) {
	code, found, ok := s.code(flag), "", false
	for block := s.enclosing(at, pyparse.Block); block >= 0 && !s.within(flag, block); block = s.enclosing(block, pyparse.Block) {
		for st := range s.children(block) {
			set := s.child(st, 0)
			if s.kind(set) == pyparse.Assignment && s.code(s.field(set, pyparse.FieldLeft)) == code {
				found, ok = s.constant(s.field(set, pyparse.FieldRight))
				if !ok {
					return "", false
				}
			}
		}
		if ok {
			return found, true
		}
	}
	return "", false
}

// arm is the one side of a conditional expression that the arguments of the call followed leave; none where they
// leave both.
func (e *evaluator) arm(fr *frame, n node) node {
	switch e.fixed(fr, fr.s.child(n, 1)) {
	case Yes:
		return fr.s.child(n, 0)
	case No:
		return fr.s.child(n, 2)
	}
	return e.sideTaken(fr, n)
}

// predicate decides what a function that only returns an expression says of a name that it is given: is_local(path).
func (e *evaluator) predicate(fr *frame, call node, name, text string, depth int) Tri {
	s := fr.s
	defs, _ := e.places(fr, s.field(call, pyparse.FieldFunction))
	if len(defs) != 1 || defs[0].fr.s.kind(defs[0].n) != pyparse.FunctionDefinition || s.unpacks(call) || depth > 4 {
		return Unsure
	}
	def := defs[0]
	value := def.fr.s.onlyReturn(def.n)
	for i := 0; value >= 0 && s.positional(call, i) >= 0; i++ {
		if arg := s.positional(call, i); s.kind(arg) == pyparse.Identifier && s.code(arg) == name {
			return e.decide(def.fr, value, def.fr.s.parameter(def.n, i), text, depth)
		}
	}
	return Unsure
}

// onlyReturn is what a function returns that does nothing else; none for any other.
func (s *Summary) onlyReturn(fn node) node {
	value := none
	for st := range s.children(s.field(fn, pyparse.FieldBody)) {
		switch s.kind(st) {
		case pyparse.Comment:
		case pyparse.ExpressionStatement: // a docstring
			if s.kind(s.child(st, 0)) != pyparse.String {
				return none
			}
		case pyparse.ReturnStatement:
			value = s.child(st, 0)
		default:
			return none
		}
	}
	return value
}

// parameter is the name of the parameter that takes a call's i-th argument; empty where there is none.
func (s *Summary) parameter(fn node, i int) string {
	in, ok := s.opened[fn]
	if !ok {
		return ""
	}
	for b := range s.bindsIn(in) {
		if s.binds[b].kind != bindParam {
			continue
		}
		name := s.code(s.binds[b].at)
		if at, _ := s.paramIndex(fn, name); at == i {
			return name
		}
	}
	return ""
}
