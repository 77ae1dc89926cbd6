package analyzers

import (
	"bytes"
	"slices"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// HashBase is the hash, as in Skim.Calls, under which a source is found that derives a class from one of that name. No
// name of Python's has a parenthesis.
func HashBase(class string) uint32 { return Hash("(" + class) }

// maxBases bounds the bytes between a class's parentheses.
const maxBases = 400

// bases notes the names of the classes between the parentheses behind a class's name: the last part of each.
func (s *skimmer) bases(open int) {
	src := s.src[open+1 : min(len(s.src), open+maxBases)]
	end := bytes.IndexByte(src, ')')
	if end < 0 {
		return
	}
	for _, base := range bytes.Split(src[:end], []byte(",")) {
		base, _, _ = bytes.Cut(bytes.TrimSpace(base), []byte("["))
		if name := base[bytes.LastIndexByte(base, '.')+1:]; len(name) > 0 && bytes.IndexFunc(name, func(r rune) bool { return r == '=' || r <= ' ' }) < 0 {
			s.calls = append(s.calls, HashBase(string(name)))
		}
	}
}

// Derived are the classes of a file that derive from something whose name ends in the given part: each with the names
// that this may have.
func (s *Summary) Derived(base string) []Callee {
	var out []Callee
	for i := range s.binds {
		b := &s.binds[i]
		if b.kind != bindClass || len(out) == maxSites {
			continue
		}
		for c := range s.children(s.field(b.value, pyparse.FieldSuperclasses)) {
			if s.kind(c) == pyparse.Subscript { // Base[T]
				c = s.field(c, pyparse.FieldValue)
			}
			if s.lastName(c) == base {
				out = append(out, Callee{b.value, s.names(c)})
			}
		}
	}
	return out
}

// subclasses are the classes of the workspace that derive from a class, those of its own file first.
func (e *evaluator) subclasses(fr *frame, class node) []place {
	s := fr.s
	name := s.code(s.field(class, pyparse.FieldName))
	var out []place
	for _, d := range s.Derived(name) {
		if d.Call != class {
			out = append(out, place{fr, d.Call, ref.Guess})
		}
	}
	if e.w == nil || s.scope[class] != 0 {
		return out
	}
	for _, d := range e.w.Subclasses(s, name) {
		if len(out) >= maxSites {
			break
		}
		out = append(out, place{e.frame(d.Summary, d.Dir), d.Call, ref.Guess})
	}
	return out
}

// fromSubclasses are the calls of a class's __init__ that its subclasses make, super().__init__(…), those that make an
// instance of a subclass without an __init__ of its own, and the cls(…) of its own methods.
func (e *evaluator) fromSubclasses(fr *frame, class node) []place {
	var out []place
	subs := e.subclasses(fr, class)
	if i := slices.IndexFunc(subs, func(p place) bool { return p.fr.s == e.asker.summary() && p.n == e.asker.n }); i >= 0 {
		subs = subs[i : i+1] // the others give their own objects other arguments
	}
	for _, sub := range subs {
		s := sub.fr.s
		if !s.classBinds(sub.n, "__init__") {
			out = append(out, e.sites(sub.fr, s.code(s.field(sub.n, pyparse.FieldName)), false)...)
			continue
		}
		for _, c := range s.callsOf("__init__") {
			object := s.field(s.field(c, pyparse.FieldFunction), pyparse.FieldObject)
			if s.kind(object) == pyparse.Call && s.lastName(s.field(object, pyparse.FieldFunction)) == "super" && s.enclosing(c, pyparse.ClassDefinition) == sub.n {
				out = append(out, place{sub.fr, c, ref.Guess})
			}
		}
	}
	for _, c := range fr.s.callsOf("cls") {
		if fr.s.selfClass(fr.s.field(c, pyparse.FieldFunction)) == class {
			out = append(out, place{fr, c, ref.Guess})
		}
	}
	return out[:min(len(out), maxSites)]
}

// inSubclasses is what the subclasses set an attribute to, which the class itself leaves to them.
func (e *evaluator) inSubclasses(fr *frame, class node, attr string) []place {
	var out []place
	for _, sub := range e.subclasses(fr, class) {
		ps, _ := e.inBody(sub, attr)
		set, _ := e.onSelf(sub, nil, attr)
		if out = append(append(out, ps...), set...); len(out) >= maxAlts {
			break
		}
	}
	return lower(out, ref.Guess)
}
