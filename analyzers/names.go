package analyzers

import (
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
)

// maxDepth bounds every recursion over source that an attacker may have written.
const maxDepth = 40

// maxNames bounds the names of one expression, and maxNaming the expressions that are looked at for them: a
// name that is set anew in one branch after another has twice as many with each.
const (
	maxNames  = 32
	maxNaming = 400
)

// naming finds the names of one expression.
type naming struct {
	*Summary
	left int // expressions that may still be looked at
}

// names returns the qualified names that an expression may have: "torch.load" for load after
// `from torch import load`, "torch.package.PackageImporter().load_pickle" for a method of what a call
// returns, "?.from_pretrained" for an attribute of something unknown. A name that this file defines itself
// ends in "@".
func (s *Summary) names(n node) []string {
	return (&naming{s, maxNaming}).names(n, 0)
}

func (s *naming) names(n node, depth int) []string {
	s.left--
	if n < 0 || depth > maxDepth || s.left < 0 {
		return nil
	}
	switch s.kind(n) {
	case pyparse.Identifier:
		return s.identifierNames(n, depth)
	case pyparse.Attribute:
		attr := "." + s.code(s.field(n, pyparse.FieldAttribute))
		object := s.names(s.field(n, pyparse.FieldObject), depth+1)
		if len(object) == 0 {
			return []string{"?" + attr}
		}
		out := make([]string, len(object))
		for i, o := range object {
			out[i] = o + attr
		}
		return out
	case pyparse.ParenthesizedExpression, pyparse.Await:
		return s.names(s.child(n, 0), depth+1)
	case pyparse.NamedExpression:
		return s.names(s.field(n, pyparse.FieldValue), depth+1)
	case pyparse.Call:
		return s.callNames(n, depth)
	case pyparse.Subscript:
		return s.itemNames(n, depth)
	case pyparse.ConditionalExpression:
		return dedupe(append(s.names(s.child(n, 0), depth+1), s.names(s.child(n, 2), depth+1)...))
	case pyparse.BooleanOperator:
		return dedupe(append(s.names(s.field(n, pyparse.FieldLeft), depth+1), s.names(s.field(n, pyparse.FieldRight), depth+1)...))
	}
	return nil
}

func (s *naming) identifierNames(n node, depth int) []string {
	name := s.code(n)
	reach, in := s.reaching(name, n, s.scope[n])
	if len(reach) == 0 && in < 0 {
		out := []string{name}
		for _, star := range s.stars {
			out = append(out, joinDotted(star, name))
		}
		return out
	}
	var out []string
	for _, i := range reach[:min(len(reach), 8)] {
		out = append(out, s.boundNames(&s.binds[i], name, depth)...)
	}
	return dedupe(out)
}

// boundNames are the names of what one binding gives a name.
func (s *naming) boundNames(b *binding, name string, depth int) []string {
	switch b.kind {
	case bindImport:
		return []string{b.dotted}
	case bindFunc, bindClass:
		return []string{"." + name + "@"} // its own: matches no loader's name
	case bindValue, bindWith:
		return s.names(b.value, depth+1)
	case bindUnpack: // load, dump = pickle.load, pickle.dump
		if s.isSequence(b.value) && s.first(b.value, pyparse.ListSplat) < 0 {
			return s.names(s.child(b.value, int(b.elem)), depth+1)
		}
		if b.elem == 0 {
			return s.optional(b.value)
		}
	case bindEach: // for load in (torch.load, pickle.load)
		if !s.isSequence(b.value) || b.elem >= 0 {
			return nil
		}
		var out []string
		for c := range s.children(b.value) {
			out = append(out, s.names(c, depth+1)...)
		}
		return out
	}
	return nil
}

// isSequence says whether a list or tuple is written out.
func (s *Summary) isSequence(n node) bool {
	k := s.kind(n)
	return k == pyparse.List || k == pyparse.Tuple || k == pyparse.ExpressionList
}

// itemNames names an item of what holds a module's names, or the modules: vars(torch)["load"], torch.__dict__["load"],
// sys.modules["torch"].
func (s *naming) itemNames(n node, depth int) []string {
	of, index := s.field(n, pyparse.FieldValue), s.field(n, pyparse.FieldSubscript)
	if s.code(index) == "0" {
		return s.optional(of)
	}
	key, ok := s.literal(index)
	if !ok {
		return nil
	}
	last := s.lastName(of)
	if s.kind(of) == pyparse.Call {
		last = s.lastName(s.field(of, pyparse.FieldFunction))
	}
	if last != "vars" && last != "__dict__" && last != "modules" {
		return nil
	}
	var out []string
	for _, name := range s.names(of, depth+1) {
		module, isDict := strings.CutSuffix(name, ".__dict__")
		switch {
		case name == "sys.modules":
			out = append(out, key)
		case name == "vars()":
			for _, o := range s.names(s.positional(of, 0), depth+1) {
				out = append(out, o+"."+key)
			}
		case isDict:
			out = append(out, module+"."+key)
		}
	}
	return out
}

// optional is what optional_import("module", name="attr") and its kin import: they return a pair, of
// which it is the first.
func (s *naming) optional(call node) []string {
	switch s.lastName(s.field(call, pyparse.FieldFunction)) {
	case "optional_import", "try_import", "import_optional_dependency":
	default:
		return nil
	}
	module, ok := s.literal(s.positional(call, 0))
	if !ok {
		return nil
	}
	if attr, ok := s.literal(s.keyword(call, "name")); ok {
		return []string{module + "." + attr}
	}
	return []string{module}
}

// callNames names what a call returns, where that is a name again: getattr(torch, "load"),
// importlib.import_module("torch"), an instance of a class.
func (s *naming) callNames(n node, depth int) []string {
	args := s.field(n, pyparse.FieldArguments)
	var out []string
	for _, f := range s.names(s.field(n, pyparse.FieldFunction), depth+1) {
		switch f {
		case "getattr":
			if attr, ok := s.literal(s.child(args, 1)); ok {
				for _, o := range s.names(s.child(args, 0), depth+1) {
					out = append(out, o+"."+attr)
				}
				continue
			}
		case "importlib.import_module", "__import__":
			if module, ok := s.literal(s.child(args, 0)); ok {
				out = append(out, module)
				continue
			}
		case "functools.partial":
			out = append(out, s.names(s.child(args, 0), depth+1)...)
			continue
		}
		if module, ok := s.lazy(n, f); ok {
			out = append(out, module)
			continue
		}
		out = append(out, f+"()")
	}
	return dedupe(out)
}

// lazy is the module that a lazy loader stands for: LazyLoader("tf", globals(), "tensorflow").
func (s *Summary) lazy(call node, callee string) (string, bool) {
	switch lastPart(callee) {
	case "LazyLoader", "LazyModule", "_LazyModule", "LazyImport", "lazy_import", "LazyImporter":
	default:
		return "", false
	}
	for i := 2; i >= 0; i-- {
		if module, ok := s.literal(s.positional(call, i)); ok && module != "" {
			return module, true
		}
	}
	return "", false
}

// dedupe drops what was there before, and what is beyond maxNames.
func dedupe(in []string) []string {
	out := in[:0]
	for _, v := range in {
		if len(out) < maxNames && !containsString(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func containsString(in []string, v string) bool {
	for _, o := range in {
		if o == v {
			return true
		}
	}
	return false
}

// lastPart is what stands behind a name's last dot.
func lastPart(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }
