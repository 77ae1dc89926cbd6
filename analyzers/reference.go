package analyzers

import (
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// checkReference finds loaders that are handed on as functions: map(torch.load, files),
// object_hook=pickle.loads, a default of a parameter. What calls them is not known, so they are judged as
// a call that gives nothing but the file.
func checkReference(l *linker, n node) (Diagnostic, bool) {
	s := l.s
	switch s.kind(s.parent[n]) {
	case pyparse.Attribute, pyparse.Call: // most names are called, or have an attribute asked for
		return Diagnostic{}, false
	}
	if last := s.lastName(n); len(l.index[last]) == 0 && !l.aliases[last] || !s.handedOn(n) {
		return Diagnostic{}, false
	}
	for _, name := range s.names(n) {
		for _, loader := range l.index[lastPart(name)] {
			if loader.Judge == nil || loader.When != nil || name != loader.Func && !slices.Contains(loader.Also, name) {
				continue
			}
			if d, ok := l.reference(n, name, loader); ok {
				return d, true
			}
		}
	}
	return Diagnostic{}, false
}

// reference judges one that is handed on.
func (l *linker) reference(n node, name string, loader *Loader) (Diagnostic, bool) {
	s := l.s
	c := &Call{s: s, n: n, fn: n, name: name, l: l, arg: none}
	if p := s.partial(s.parent[s.parent[n]]); p >= 0 {
		if s.namedHere(p) {
			return Diagnostic{}, false // its calls are judged
		}
		c.n, c.skip = p, 1
	}
	j := loader.Judge(c)
	if j.Guarded == Yes || j.Rule == "" || j.Rule == rule.HubLoadUnpinned || j.Rule == rule.UrlLoad {
		return Diagnostic{}, false
	}
	return diagnostic(j.Rule, s, n, j.Message+"; here it is handed on as a function")
}

// handedOn says whether the value of a name is given to something that may call it.
func (s *Summary) handedOn(n node) bool {
	for {
		p := s.parent[n]
		field := s.tree.Nodes[n].Field
		switch s.kind(p) {
		case pyparse.ParenthesizedExpression, pyparse.BooleanOperator, pyparse.ListSplat:
		case pyparse.ConditionalExpression:
			if n == s.child(p, 1) {
				return false
			}
		case pyparse.KeywordArgument, pyparse.Pair, pyparse.DefaultParameter, pyparse.TypedDefaultParameter:
			return field == pyparse.FieldValue
		case pyparse.Assignment:
			left := s.kind(s.field(p, pyparse.FieldLeft))
			return field == pyparse.FieldRight && (left == pyparse.Attribute || left == pyparse.Subscript) && !s.replaces(p) && !isClass(s.lastName(n))
		case pyparse.ArgumentList:
			return s.takesFunctions(s.parent[p])
		case pyparse.List, pyparse.Tuple, pyparse.Set, pyparse.ReturnStatement, pyparse.Yield:
			return true
		case pyparse.Lambda:
			return field == pyparse.FieldBody
		default:
			return false
		}
		n = p
	}
}

// isClass says whether a name is written as those of classes are: one that is kept is seldom called.
func isClass(name string) bool { return name != "" && name[0] >= 'A' && name[0] <= 'Z' }

// replaces says whether an assignment puts something in the place of a function of the same name, as
// torch.load = old_load does: checkReplaced looks at that.
func (s *Summary) replaces(assignment node) bool {
	left := s.field(assignment, pyparse.FieldLeft)
	return s.lastName(left) == s.lastName(s.field(assignment, pyparse.FieldRight))
}

// asking are functions that look at what they are given, and don't call it.
var asking = []string{"isinstance", "issubclass", "callable", "getattr", "hasattr", "setattr", "type", "id", "print", "repr", "str", "hash", "signature", "getsource", "getfile",
	"getmodule", "getdoc", "wraps", "update_wrapper", "isfunction", "partial_signature", "help", "patch", "object", "assertIs", "assertEqual"}

func (s *Summary) takesFunctions(call node) bool {
	return s.kind(call) == pyparse.Call && !slices.Contains(asking, s.lastName(s.field(call, pyparse.FieldFunction)))
}

// partial is n where it is a call of functools.partial; none else.
func (s *Summary) partial(n node) node {
	if s.kind(n) != pyparse.Call {
		return none
	}
	callee := s.field(n, pyparse.FieldFunction)
	if last := s.lastName(callee); !strings.HasPrefix(last, "partial") {
		return none
	}
	for _, name := range s.names(callee) {
		if name == "functools.partial" || name == "functools.partialmethod" {
			return n
		}
	}
	return none
}

// namedHere says whether the value of n is that of a name, whose uses are followed, is called at once, or
// replaces a function, which checkReplaced looks at.
func (s *Summary) namedHere(n node) bool {
	p := s.parent[n]
	if s.kind(p) != pyparse.Assignment {
		return s.kind(p) == pyparse.Call
	}
	left := s.field(p, pyparse.FieldLeft)
	return s.kind(left) == pyparse.Identifier || s.lastName(left) == s.lastName(s.positional(n, 0))
}

// namesOfLoaders are the names, other than their own, that loaders go by in a file.
func (l *linker) namesOfLoaders() map[string]bool {
	out := map[string]bool{}
	for i := range l.s.binds {
		b := &l.s.binds[i]
		last := lastPart(b.dotted)
		if b.kind == bindValue {
			last = l.s.lastName(b.value)
		}
		if len(l.index[last]) > 0 {
			out[l.s.code(b.at)] = true
		}
	}
	return out
}
