package analyzers

import (
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// unpicklerName is in the names of most classes that derive from an Unpickler. The first letter may be a capital.
const unpicklerName = "npickler"

// An instance of a class that derives from an Unpickler reads the file it is made with.
var (
	openUnpickler    = &Loader{Func: "pickle.Unpickler", Arg: Arg{0, []string{"file"}}, Judge: func(*Call) Judgement { return Judgement{Guarded: No} }} // the class is reported
	carefulUnpickler = &Loader{Func: "pickle.Unpickler", Arg: Arg{0, []string{"file"}}}
)

// checkUnpickler finds subclasses of Unpickler that let every global through.
func checkUnpickler(l *linker, n node) (Diagnostic, bool) {
	s := l.s
	for base := range s.children(s.field(n, pyparse.FieldSuperclasses)) {
		if !s.isUnpickler(base) {
			continue
		}
		switch fn := s.method(n, "find_class"); {
		case fn < 0:
			return diagnostic(rule.PickleLoad, s, base, "an Unpickler without a find_class of its own runs whatever code the pickle holds")
		case s.letsThrough(fn):
			return diagnostic(rule.PickleLoad, s, base, "the find_class of this Unpickler lets through what it does not name, and so runs whatever code the pickle holds")
		}
	}
	return Diagnostic{}, false
}

// isUnpickler says whether an expression names the Unpickler of a library.
func (s *Summary) isUnpickler(n node) bool {
	for _, name := range s.names(n) {
		if lastPart(name) == "Unpickler" && (strings.Contains(name, "ickle.") || strings.HasPrefix(name, "dill.")) {
			return true
		}
	}
	return false
}

// method is the function that a class's own body binds to a name, or none.
func (s *Summary) method(class node, name string) node {
	body, ok := s.opened[class]
	if !ok {
		return none
	}
	for _, i := range s.bound(body, name) {
		return s.binds[i].value
	}
	return none
}

// letsThrough says whether a find_class ends by asking the inherited one for whatever it has not named before. One that
// raises, or returns early for what is not on some list, is taken to be careful.
func (s *Summary) letsThrough(fn node) bool {
	in, ok := s.opened[fn]
	if !ok || s.kind(fn) != pyparse.FunctionDefinition {
		return false
	}
	through := false
	for n := fn; n < node(s.tree.Nodes[fn].Next); n++ {
		if s.scope[n] != in {
			continue
		}
		switch s.kind(n) {
		case pyparse.RaiseStatement, pyparse.NotOperator:
			return false
		case pyparse.ComparisonOperator:
			if code := s.code(n); strings.Contains(code, " not ") || strings.Contains(code, "!=") {
				return false
			}
		case pyparse.ReturnStatement:
			value := s.child(n, 0)
			through = through || s.kind(value) == pyparse.Call && s.lastName(s.field(value, pyparse.FieldFunction)) == "find_class" && s.isRest(n, fn)
		}
	}
	return through
}

// isRest says whether a statement of a function is reached under no condition but that others were not met.
func (s *Summary) isRest(n, fn node) bool {
	for p := n; p != fn; p = s.parent[p] {
		switch s.kind(p) {
		case pyparse.IfStatement, pyparse.ElifClause, pyparse.ExceptClause, pyparse.CaseClause, pyparse.ForStatement, pyparse.WhileStatement:
			return false
		case pyparse.ElseClause:
			p = s.parent[p] // what it is the else of
		}
	}
	return true
}

// unpicklerNames are the names in a source that may be classes which derive from an Unpickler: cheap to tell, and most
// sources have none.
func (s *Summary) unpicklerNames() map[string]bool {
	if !strings.Contains(s.text, unpicklerName) {
		return nil
	}
	names := map[string]bool{}
	for i, n := range s.tree.Nodes {
		if n.Kind != pyparse.ClassDefinition {
			continue
		}
		for base := range s.children(s.field(node(i), pyparse.FieldSuperclasses)) {
			if last := s.lastName(base); strings.Contains(last, unpicklerName) || names[last] {
				names[s.code(s.field(node(i), pyparse.FieldName))] = true
			}
		}
	}
	return names
}

// unpickler is the loader that a callee is if it is a class of the workspace that derives from an Unpickler.
func (l *linker) unpickler(callee node) *Loader {
	if last := l.s.lastName(callee); !l.unpicklers[last] && !strings.Contains(last, unpicklerName) {
		return nil
	}
	c := &Call{s: l.s, l: l}
	e := c.evaluator()
	classes, _ := e.places(e.frame(l.s, fromSource), callee)
	var found *Loader
	for _, class := range classes {
		switch derives, fn := e.unpickler(class, 0); {
		case derives && (fn.n < 0 || fn.fr.s.letsThrough(fn.n)):
			return openUnpickler
		case derives:
			found = carefulUnpickler
		}
	}
	return found
}

// unpickler says whether a class derives from an Unpickler, and which find_class it has or inherits.
func (e *evaluator) unpickler(class place, depth int) (derives bool, fn place) {
	fn = place{class.fr, none, ref.Exact}
	s := class.fr.s
	if s.kind(class.n) != pyparse.ClassDefinition || depth > maxDepth {
		return false, fn
	}
	fn.n = s.method(class.n, "find_class")
	for base := range s.children(s.field(class.n, pyparse.FieldSuperclasses)) {
		if s.isUnpickler(base) {
			return true, fn
		}
		bases, _ := e.places(class.fr, base)
		for _, b := range bases {
			if derives, inherited := e.unpickler(b, depth+1); derives {
				if fn.n < 0 {
					fn = inherited
				}
				return true, fn
			}
		}
	}
	return false, fn
}
