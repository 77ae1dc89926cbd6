package analyzers

import (
	"slices"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
)

// reaching returns the bindings of name that may hold at node use, latest first, and the scope they
// are in; nil when the name is bound nowhere in the file (a builtin, a star import, a mistake).
//
// Inside one function the order of statements counts: a binding in a block around the use hides the
// ones before it, and an if or try whose every branch binds the name hides them too. Seen from an
// inner function every binding counts, for nobody knows when it is called.
func (s *Summary) reaching(name string, use node, from int32) ([]int32, int32) {
	for in, inner := from, true; in >= 0; in = s.scopes[in].up {
		sc := &s.scopes[in]
		if sc.class && !inner {
			continue
		}
		if all := s.bound(in, name); len(all) > 0 && !sc.outer[name] {
			if inner {
				if got := s.before(all, use); len(got) > 0 {
					return got, in
				}
				if sc.class || in == 0 {
					if sc.class {
						continue
					}
					return nil, in
				}
			}
			return reversed(all), in
		}
		switch s.kind(sc.node) { // a comprehension runs at once, where it stands
		case pyparse.ListComprehension, pyparse.SetComprehension, pyparse.DictionaryComprehension, pyparse.GeneratorExpression:
		default:
			inner = false
		}
	}
	return nil, -1
}

func reversed(all []int32) []int32 {
	out := slices.Clone(all)
	slices.Reverse(out)
	return out
}

// maxReach bounds the bindings of a name that may hold at one use: more than are ever followed.
const maxReach = 4 * maxAlts

// before picks, of all bindings in the scope of use, those that may hold there: the latest maxReach of them.
func (s *Summary) before(all []int32, use node) []int32 {
	var got []int32
	covered := map[node][]node{} // by branching statement: the branches that bind the name
	for i := len(all) - 1; i >= 0 && len(got) < maxReach; i-- {
		b := &s.binds[all[i]]
		if b.kind == bindParam {
			return append(got, all[i])
		}
		if !s.precedes(b, use) {
			continue
		}
		branch, ok := s.branch(b.at, use)
		if !ok { // in another branch of the same statement: never both
			continue
		}
		if branch >= 0 && hides(covered, s, branch) {
			continue
		}
		got = append(got, all[i])
		if branch < 0 || s.exhausts(covered, branch) {
			return got
		}
	}
	return got
}

// precedes says whether the binding is made before use is evaluated.
func (s *Summary) precedes(b *binding, use node) bool {
	if b.at == use {
		return false
	}
	if b.kind == bindValue || b.kind == bindUnpack { // x = f(x): the use on the right comes first
		if b.value >= 0 && s.within(use, b.value) {
			return false
		}
	}
	if b.kind == bindEach && s.kind(s.parent[b.value]) == pyparse.ForInClause {
		return true // the body of a comprehension stands before its for
	}
	return b.at < use
}

// branch is the outermost branch (a block that may not run) around at that does not hold use too; -1
// when every block around at holds use; false when use is in a sibling branch of the same statement.
func (s *Summary) branch(at, use node) (node, bool) {
	outer := none
	for p := at; p >= 0 && !s.within(use, p); p = s.parent[p] {
		if s.conditional(p) {
			outer = p
		}
	}
	if outer < 0 {
		return none, true
	}
	st := s.statement(outer)
	if s.within(use, st) && s.kind(st) == pyparse.IfStatement && s.armOf(use, st) >= 0 && s.armOf(use, st) != s.armOf(outer, st) {
		return none, false
	}
	return outer, true
}

// conditional says whether n is run only sometimes.
func (s *Summary) conditional(n node) bool {
	switch s.kind(s.parent[n]) {
	case pyparse.IfStatement, pyparse.ElifClause, pyparse.ElseClause, pyparse.ForStatement, pyparse.WhileStatement, pyparse.TryStatement,
		pyparse.ExceptClause, pyparse.CaseClause:
		return s.kind(n) == pyparse.Block
	}
	return false
}

// statement is the if, try, for, while or match that a branch belongs to.
func (s *Summary) statement(branch node) node {
	p := s.parent[branch]
	switch s.kind(p) {
	case pyparse.ElifClause, pyparse.ElseClause, pyparse.ExceptClause, pyparse.FinallyClause:
		return s.parent[p]
	case pyparse.CaseClause:
		return s.enclosing(p, pyparse.MatchStatement)
	}
	return p
}

// armOf is the direct child of statement st that holds n and is a branch of it; -1 for the condition.
func (s *Summary) armOf(n, st node) node {
	for c := range s.children(st) {
		if s.within(n, c) {
			switch s.kind(c) {
			case pyparse.Block, pyparse.ElifClause, pyparse.ElseClause, pyparse.ExceptClause:
				return c
			}
			return none
		}
	}
	return none
}

// hides says whether a later binding in the same branch has been seen.
func hides(covered map[node][]node, s *Summary, branch node) bool {
	return slices.Contains(covered[s.statement(branch)], branch)
}

// exhausts notes that branch binds the name, and says whether every branch of its statement does now.
func (s *Summary) exhausts(covered map[node][]node, branch node) bool {
	st := s.statement(branch)
	covered[st] = append(covered[st], branch)
	if s.kind(st) != pyparse.IfStatement {
		return false
	}
	arms, hasElse := 0, false
	for c := range s.children(st) {
		switch s.kind(c) {
		case pyparse.Block, pyparse.ElifClause:
			arms++
		case pyparse.ElseClause:
			arms++
			hasElse = true
		}
	}
	return hasElse && len(covered[st]) >= arms
}
