package analyzers

import (
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// maxTyping bounds how many declarations are followed from an expression to its class.
const maxTyping = 6

// maxTypings bounds how often one evaluation asks for declarations: those of what is not known are asked for last.
const maxTypings = 24

// typed are the classes of the workspace that an expression is declared to be an instance of: by an annotation, or by the
// class that makes it. What such a class declares is what an instance that nobody saw being made most likely holds.
func (e *evaluator) typed(fr *frame, n node, depth int) []place {
	e.work++
	if n < 0 || depth > maxTyping || e.work > maxWork {
		return nil
	}
	s := fr.s
	switch s.kind(n) {
	case pyparse.ParenthesizedExpression, pyparse.Await:
		return e.typed(fr, s.child(n, 0), depth+1)
	case pyparse.Identifier:
		return e.typedName(fr, n, depth)
	case pyparse.Attribute:
		return e.typedAttribute(fr, n, depth)
	case pyparse.Call:
		return e.typedCall(fr, n, depth)
	}
	return nil
}

// declaredFor is what the classes that an object is declared to be of say of an attribute. An empty text there waits for
// another.
func (e *evaluator) declaredFor(fr *frame, object node, attr string) []place {
	if e.typings++; e.typings > maxTypings {
		return nil
	}
	var out []place
	for _, c := range e.typed(fr, object, 0) {
		ps, _ := e.of(c, attr)
		for _, p := range lower(ps, c.sure) {
			if t, ok := p.fr.s.literal(p.n); !ok || t != "" {
				out = append(out, p)
			}
		}
	}
	return out
}

// typedName are the classes that a name is declared to be of where it gets its value.
func (e *evaluator) typedName(fr *frame, n node, depth int) []place {
	s := fr.s
	reach, in := s.reaching(s.code(n), n, s.scope[n])
	var out []place
	for _, i := range reach[:min(len(reach), maxAlts)] {
		switch b := &s.binds[i]; b.kind {
		case bindParam:
			out = append(out, e.annotated(fr, s.scopes[in].node, s.code(n))...)
		case bindValue:
			if t := s.field(s.parent[b.at], pyparse.FieldType); t >= 0 && s.kind(s.parent[b.at]) == pyparse.Assignment {
				out = append(out, e.classesOf(fr, t, depth+1)...)
			} else {
				out = append(out, e.typed(fr, b.value, depth+1)...)
			}
		case bindImport:
			out = append(out, e.typedImport(fr, b.dotted, depth)...)
		}
	}
	return out
}

// typedImport are the classes that a name at the top of another module is declared to be of.
func (e *evaluator) typedImport(fr *frame, dotted string, depth int) []place {
	module, name := splitDotted(dotted)
	if e.w == nil || module == "" {
		return nil
	}
	m, ok := e.w.Module(fr.s, module)
	if !ok {
		return nil
	}
	s := m.Summary
	var out []place
	for _, i := range s.top(name) {
		if b := &s.binds[i]; b.kind == bindValue {
			out = append(out, e.typed(e.frame(s, m.Dir), b.value, depth+1)...)
		}
	}
	return out
}

// typedAttribute are the classes that an attribute is declared to be of, in the class of its object.
func (e *evaluator) typedAttribute(fr *frame, n node, depth int) []place {
	s := fr.s
	object := s.field(n, pyparse.FieldObject)
	var classes []place
	if class := s.selfClass(object); class >= 0 {
		classes = []place{{fr, class, ref.Exact}}
	} else {
		classes = e.typed(fr, object, depth+1)
	}
	var out []place
	for _, c := range classes {
		out = append(out, e.fieldClasses(c, s.code(s.field(n, pyparse.FieldAttribute)), depth+1)...)
	}
	return out
}

// fieldClasses are the classes that a class declares its attribute to be of: in its body, where a method sets it, or in a
// base class.
func (e *evaluator) fieldClasses(class place, attr string, depth int) []place {
	s := class.fr.s
	if depth > maxTyping {
		return nil
	}
	if t := s.fieldType(class.n, attr); t >= 0 {
		return e.classesOf(class.fr, t, depth+1)
	}
	var out []place
	for _, a := range s.attrs[attr] {
		if !s.within(a, class.n) || s.selfClass(s.field(a, pyparse.FieldObject)) != class.n {
			continue
		}
		if t := s.field(s.parent[a], pyparse.FieldType); t >= 0 && s.kind(s.parent[a]) == pyparse.Assignment {
			out = append(out, e.classesOf(class.fr, t, depth+1)...)
		} else if right, elem := s.assigned(a); elem < 0 {
			out = append(out, e.typed(class.fr, right, depth+1)...)
		}
	}
	if len(out) > 0 {
		return out
	}
	for base := range s.children(s.field(class.n, pyparse.FieldSuperclasses)) {
		bases, _ := e.places(class.fr, base)
		for _, b := range bases {
			if b.fr.s.kind(b.n) == pyparse.ClassDefinition && b.n != class.n {
				out = append(out, e.fieldClasses(b, attr, depth+1)...)
			}
		}
	}
	return out
}

// fields are the annotated names of a class body, in order: for a dataclass what its instances are made of.
func (s *Summary) fields(class node) []node {
	var out []node
	for st := range s.children(s.field(class, pyparse.FieldBody)) {
		if s.kind(st) == pyparse.ExpressionStatement {
			st = s.child(st, 0)
		}
		if s.kind(st) == pyparse.Assignment && s.field(st, pyparse.FieldType) >= 0 {
			out = append(out, st)
		}
	}
	return out
}

// fieldType is the annotation of a field in a class body, or none.
func (s *Summary) fieldType(class node, attr string) node {
	for _, f := range s.fields(class) {
		if s.code(s.field(f, pyparse.FieldLeft)) == attr {
			return s.field(f, pyparse.FieldType)
		}
	}
	return none
}

// typedCall are the classes of what a call gives: the class that is called, or what the function is declared to return.
func (e *evaluator) typedCall(fr *frame, n node, depth int) []place {
	s := fr.s
	callee := s.field(n, pyparse.FieldFunction)
	if class := s.selfClass(callee); class >= 0 { // cls(…)
		return []place{{fr, class, ref.Default}}
	}
	defs, _ := e.places(fr, callee)
	var out []place
	for _, d := range defs {
		ds := d.fr.s
		switch ds.kind(d.n) {
		case pyparse.ClassDefinition:
			out = append(out, place{d.fr, d.n, ref.Default})
		case pyparse.FunctionDefinition:
			if t := ds.field(d.n, pyparse.FieldReturnType); t >= 0 {
				out = append(out, e.classesOf(d.fr, t, depth+1)...)
				continue
			}
			ps, _ := e.results(d, place{fr, n, ref.Exact})
			for _, p := range ps {
				if p.fr.s.kind(p.n) == pyparse.Call && p.n != n {
					out = append(out, e.typedCall(p.fr, p.n, depth+maxTyping/2)...)
				}
			}
		}
	}
	if len(defs) == 0 && s.kind(callee) == pyparse.Attribute && makes(s.lastName(callee)) {
		ps, _ := e.places(fr, s.field(callee, pyparse.FieldObject))
		for _, p := range ps {
			if p.fr.s.kind(p.n) == pyparse.ClassDefinition {
				out = append(out, place{p.fr, p.n, ref.Default})
			}
		}
	}
	return out
}

// makes says whether a class method, by its name, makes an instance of the class out of some data.
func makes(name string) bool {
	switch name {
	case "model_validate", "model_validate_json", "model_construct", "parse_obj", "parse_raw", "parse_file", "from_dict", "from_json", "from_yaml", "from_file",
		"from_args", "from_env", "from_toml":
		return true
	}
	return false
}

// classesOf are the classes of the workspace that an annotation names: C, "C", C | None, Optional[C], Annotated[C, …].
func (e *evaluator) classesOf(fr *frame, n node, depth int) []place {
	s := fr.s
	if n < 0 || depth > maxTyping+2 {
		return nil
	}
	switch s.kind(n) {
	case pyparse.Type:
		return e.classesOf(fr, s.child(n, 0), depth)
	case pyparse.Identifier, pyparse.Attribute:
		ps, _ := e.places(fr, n)
		return onlyClasses(ps)
	case pyparse.String:
		t, _ := s.literal(n)
		return e.classesIn(fr, t)
	case pyparse.BinaryOperator:
		return append(e.classesOf(fr, s.field(n, pyparse.FieldLeft), depth+1), e.classesOf(fr, s.field(n, pyparse.FieldRight), depth+1)...)
	case pyparse.Subscript:
		switch s.lastName(s.field(n, pyparse.FieldValue)) {
		case "Optional", "Union", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "InitVar":
		default:
			return nil
		}
		var out []place
		for c := range s.children(n) {
			if s.tree.Nodes[c].Field == pyparse.FieldSubscript {
				out = append(out, e.classesOf(fr, c, depth+1)...)
			}
		}
		return out
	case pyparse.Tuple:
		var out []place
		for c := range s.children(n) {
			out = append(out, e.classesOf(fr, c, depth+1)...)
		}
		return out
	}
	return nil
}

// classesIn are the classes that a quoted annotation names.
func (e *evaluator) classesIn(fr *frame, text string) []place {
	var out []place
	text = strings.NewReplacer("Optional[", "", "Union[", "", "]", "", ",", "|").Replace(text)
	for name := range strings.SplitSeq(text, "|") {
		for _, i := range fr.s.top(strings.TrimSpace(name)) {
			ps, _ := e.binding(fr, 0, &fr.s.binds[i], strings.TrimSpace(name))
			out = append(out, onlyClasses(ps)...)
		}
	}
	return out
}

func onlyClasses(ps []place) []place {
	var out []place
	for _, p := range ps {
		if p.fr.s.kind(p.n) == pyparse.ClassDefinition {
			out = append(out, place{p.fr, p.n, ref.Default})
		}
	}
	return out
}

// annotated is the class of the workspace that a parameter is declared to be of.
func (e *evaluator) annotated(fr *frame, fn node, name string) []place {
	s := fr.s
	for p := range s.children(s.field(fn, pyparse.FieldParameters)) {
		switch s.kind(p) {
		case pyparse.TypedParameter, pyparse.TypedDefaultParameter:
			if s.code(s.child(p, 0)) == name {
				return e.classesOf(fr, s.field(p, pyparse.FieldType), 0)
			}
		}
	}
	return nil
}

// isEnum says whether a class derives from one of the standard library's enumerations.
func (s *Summary) isEnum(class node) bool {
	for base := range s.children(s.field(class, pyparse.FieldSuperclasses)) {
		if last := s.lastName(base); last == "Enum" || last == "StrEnum" {
			return true
		}
	}
	return false
}

// members are the values of an enumeration's members.
func (s *Summary) members(enum place) []place {
	body, ok := s.opened[enum.n]
	if !ok {
		return nil
	}
	var out []place
	for i := range s.bindsIn(body) {
		if b := &s.binds[i]; b.kind == bindValue && s.kind(b.value) == pyparse.String && len(out) < maxAlts {
			out = append(out, place{enum.fr, b.value, ref.Guess})
		}
	}
	return out
}

// assigned is what an assignment gives to one of its targets, and which part of it: -1 for the whole. It is none for a
// target of anything else.
func (s *Summary) assigned(target node) (right node, elem int) {
	elem = -1
	st := s.parent[target]
	switch s.kind(st) {
	case pyparse.PatternList, pyparse.TuplePattern, pyparse.ListPattern, pyparse.Tuple, pyparse.List, pyparse.ExpressionList:
		for c := range s.children(st) {
			if elem++; c == target {
				break
			}
		}
		target, st = st, s.parent[st]
	}
	if s.kind(st) != pyparse.Assignment || s.field(st, pyparse.FieldLeft) != target {
		return none, -1
	}
	return s.field(st, pyparse.FieldRight), elem
}

// assignedPlaces are the expressions that a target of an assignment stands for.
func (e *evaluator) assignedPlaces(fr *frame, target node) ([]place, string) {
	right, elem := fr.s.assigned(target)
	if elem >= 0 {
		return e.element(fr, right, elem)
	}
	return e.places(fr, right)
}

// forwarded are the values under a key that the callers of a function pass in its **kwargs, which object names.
func (e *evaluator) forwarded(fr *frame, object node, keys value) []place {
	s := fr.s
	if s.kind(object) != pyparse.Identifier || e.hops >= maxHops {
		return nil
	}
	reach, in := s.reaching(s.code(object), object, s.scope[object])
	if len(reach) != 1 || s.binds[reach[0]].kind != bindOpaque || !strings.HasPrefix(s.code(s.binds[reach[0]].value), "**") {
		return nil
	}
	fn := s.scopes[in].node
	fname := s.code(s.field(fn, pyparse.FieldName))
	if fname == "" || s.kind(s.binds[reach[0]].value) == pyparse.AugmentedAssignment {
		return nil
	}
	e.hops++
	defer func() { e.hops-- }()
	var out []place
	for _, k := range keys.alts {
		out = append(out, e.passed(fr, fn, fname, k.text, false)...)
	}
	return out[:min(len(out), maxAlts)]
}

// ofParsed is an attribute of what a call such as draccus.parse(C) or tyro.cli(C) makes of a dataclass.
func (e *evaluator) ofParsed(call place, attr string) []place {
	for _, c := range e.dataclasses(call) {
		if ps, _ := e.of(c, attr); len(ps) > 0 {
			return lower(ps, ref.Default)
		}
	}
	return nil
}

// positionOf is the place of a field among the arguments that make an instance of a dataclass or a named tuple; -1 for
// none.
func (s *Summary) positionOf(class node, attr string) int {
	if !s.decorated(class, "dataclass") && !slices.ContainsFunc(slices.Collect(s.children(s.field(class, pyparse.FieldSuperclasses))), func(b node) bool { return s.lastName(b) == "NamedTuple" }) {
		return -1
	}
	return slices.IndexFunc(s.fields(class), func(f node) bool { return s.code(s.field(f, pyparse.FieldLeft)) == attr })
}
