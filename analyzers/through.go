package analyzers

import (
	"slices"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// through follows a call to the expressions that its result is: an attribute or entry that it picks, a
// copy of its argument, what a function of the workspace returns. It is false for a call that stands
// for itself, such as one that makes an instance.
func (e *evaluator) through(fr *frame, n node) ([]place, string, bool) {
	s := fr.s
	callee := s.field(n, pyparse.FieldFunction)
	method := s.kind(callee) == pyparse.Attribute
	arg := func(i int) node { return s.positional(n, i) }
	switch last := s.lastName(callee); last {
	case "getattr":
		return e.picked(fr, n, arg(0), 1)
	case "get", "pop", "setdefault":
		if method {
			return e.picked(fr, n, s.field(callee, pyparse.FieldObject), 0)
		}
	case "vars", "asdict", "deepcopy", "cast", "to_container", "resolve_config", "edict", "EasyDict", "Munch", "AttrDict", "DotDict", "ConfigDict", "freeze":
		return e.passedOn(fr, n, map[bool]int{true: 1}[last == "cast"])
	case "copy":
		if method && arg(0) < 0 {
			ps, why := e.places(fr, s.field(callee, pyparse.FieldObject))
			return ps, why, len(ps) > 0
		}
		return e.passedOn(fr, n, 0)
	case "create", "structured", "merge", "unsafe_merge":
		if slices.Contains(s.names(callee), "omegaconf.OmegaConf."+last) {
			return e.merged(fr, n)
		}
	case "next", "max", "min", "choice":
		if arg(0) >= 0 && arg(1) < 0 || last == "next" {
			ps, why := e.each(fr, arg(0), -1)
			return ps, why, len(ps) > 0
		}
	case "field", "Field", "ib", "attrib", "PrivateAttr", "Option", "Argument":
		return e.declared(fr, n, last)
	}
	return e.widget(fr, n, callee)
}

// widget is what a person may choose or type in Streamlit: one of the options, or the text that stands there.
// Any other call is what the function returns.
func (e *evaluator) widget(fr *frame, n, callee node) ([]place, string, bool) {
	s := fr.s
	switch s.lastName(callee) {
	default:
		return e.returnedPlaces(fr, n, callee)
	case "selectbox", "radio", "select_slider", "pills", "segmented_control":
	case "text_input", "text_area":
		arg := s.keyword(n, "value")
		if arg < 0 {
			arg = s.positional(n, 1)
		}
		if arg < 0 {
			return nil, "it is typed in", true
		}
		ps, why := e.places(fr, arg)
		return lower(ps, ref.Default), why, true
	}
	arg := s.keyword(n, "options")
	if arg < 0 {
		arg = s.positional(n, 1)
	}
	ps, why := e.each(fr, arg, -1)
	return ps, why, len(ps) > 0
}

// merged are the configs that a call of OmegaConf's puts together: what it gives is an entry of one of them.
func (e *evaluator) merged(fr *frame, n node) ([]place, string, bool) {
	var out []place
	for i := range maxAlts {
		arg := fr.s.positional(n, i)
		if arg < 0 {
			break
		}
		ps, _ := e.places(fr, arg)
		out = append(out, ps...)
	}
	if len(out) > 1 {
		out = lower(out, ref.Default)
	}
	return out, "", len(out) > 0
}

// isFunction says whether n is a def or a lambda.
func (s *Summary) isFunction(n node) bool {
	k := s.kind(n)
	return k == pyparse.FunctionDefinition || k == pyparse.Lambda
}

// passedOn is a call whose result holds what its i-th argument holds.
func (e *evaluator) passedOn(fr *frame, n node, i int) ([]place, string, bool) {
	arg := fr.s.positional(n, i)
	if arg < 0 {
		return nil, "", false
	}
	ps, why := e.places(fr, arg)
	return ps, why, len(ps) > 0
}

// picked is getattr(object, name[, default]) and object.get(key[, default]); the key is the argument at
// position at.
func (e *evaluator) picked(fr *frame, n, object node, at int) ([]place, string, bool) {
	s := fr.s
	key, def := s.positional(n, at), s.positional(n, at+1)
	if def < 0 {
		def = s.keyword(n, "default")
	}
	if key < 0 || s.environ(s.field(n, pyparse.FieldFunction)) {
		return nil, "", false
	}
	var out []place
	var why string
	if at == 0 && def >= 0 {
		if ps, ok := e.lookedUp(fr, object, key, def); ok {
			return ps, "", true
		}
	}
	if at == 1 {
		name, ok := s.literal(key)
		if !ok {
			return nil, "", false
		}
		out, why = e.attributeOf(fr, object, name)
	} else {
		out, why = e.entry(fr, object, key, s.code(n))
	}
	if def >= 0 && s.kind(def) != pyparse.None {
		ps, w := e.places(fr, def)
		if len(out) > 0 {
			out = lower(append(out, ps...), ref.Guess)
		} else {
			out, why = lower(ps, ref.Default), w
		}
	}
	if len(out) > 0 && def >= 0 {
		why = ""
	}
	return out, why, true
}

// environ says whether a callee is a method of the process's environment, which environment() knows.
func (s *Summary) environ(callee node) bool {
	for _, name := range s.names(callee) {
		if name == "os.environ.get" || name == "os.environ.setdefault" || name == "os.environ.pop" {
			return true
		}
	}
	return false
}

// declared is the default that a field of a dataclass, a pydantic model, attrs or typer is declared with.
func (e *evaluator) declared(fr *frame, n node, kind string) ([]place, string, bool) {
	s := fr.s
	def := s.keyword(n, "default")
	if def < 0 && (kind == "Field" || kind == "Option" || kind == "Argument") {
		def = s.positional(n, 0)
	}
	if factory := s.keyword(n, "default_factory"); def < 0 && factory >= 0 {
		return e.factory(fr, factory)
	}
	switch s.kind(def) {
	case pyparse.None, pyparse.Ellipsis, pyparse.Other:
		return nil, "the field has no default", true
	}
	ps, why := e.places(fr, def)
	return lower(ps, ref.Default), why, true
}

// factory is what a field's default_factory makes: the class that it is, or what the function returns.
func (e *evaluator) factory(fr *frame, n node) ([]place, string, bool) {
	var out []place
	why := "the field's default is made when it runs"
	ps, _ := e.places(fr, n)
	for _, p := range ps {
		switch p.fr.s.kind(p.n) {
		case pyparse.ClassDefinition:
			out = append(out, p)
		case pyparse.FunctionDefinition:
			got, w := e.results(p, p)
			out, why = append(out, got...), w
		case pyparse.Lambda:
			got, w := e.places(p.fr, p.fr.s.field(p.n, pyparse.FieldBody))
			out, why = append(out, got...), w
		}
	}
	if len(out) > 0 {
		why = ""
	}
	return lower(out, ref.Default), why, true
}

// returnedPlaces are the expressions that a function of the workspace returns, with the arguments of
// this call.
func (e *evaluator) returnedPlaces(fr *frame, n, callee node) ([]place, string, bool) {
	defs, _ := e.places(fr, callee)
	var out []place
	var why string
	for _, d := range defs {
		if !d.fr.s.isFunction(d.n) {
			continue
		}
		ps, w := e.results(d, place{fr, n, ref.Exact})
		out = append(out, lower(ps, d.sure)...)
		if why == "" {
			why = w
		}
	}
	if len(out) > 1 {
		out = lower(out, ref.Guess)
	}
	return out, why, len(out) > 0
}

// results are the expressions that function def returns to a call.
func (e *evaluator) results(def, call place) ([]place, string) {
	s := def.fr.s
	in, ok := s.opened[def.n]
	if !ok {
		return nil, ""
	}
	fr := e.bound(def.fr, def.n, call)
	if s.kind(def.n) == pyparse.Lambda {
		body := s.field(def.n, pyparse.FieldBody)
		ps, why := e.places(fr, body)
		if len(ps) == 0 {
			ps = []place{{fr, body, ref.Exact}}
		}
		return ps, why
	}
	var out []place
	var why string
	for r := def.n; r < node(s.tree.Nodes[def.n].Next); r++ {
		if s.kind(r) != pyparse.ReturnStatement || s.scope[r] != in {
			continue
		}
		value := s.child(r, 0)
		if value < 0 || s.kind(value) == pyparse.None || !e.reached(fr, r) {
			continue
		}
		ps, w := e.places(fr, value)
		if len(ps) == 0 {
			ps = []place{{fr, value, ref.Exact}}
		}
		out = append(out, ps...)
		if why == "" {
			why = w
		}
	}
	return out, why
}

// optionsOf are the default values of the option attr, of what a parser's parse_args returns: declared in
// the call's file, or in the one where the parser was made.
func (e *evaluator) optionsOf(o place, attr string) []place {
	out := e.cliDefault(o.fr, attr)
	callee := o.fr.s.field(o.n, pyparse.FieldFunction)
	if len(out) > 0 || o.fr.s.kind(callee) != pyparse.Attribute {
		return e.orGiven(o.fr, out, attr)
	}
	object := o.fr.s.field(callee, pyparse.FieldObject)
	out = e.addedElsewhere(o.fr, object, attr)
	parsers, _ := e.places(o.fr, object)
	for _, p := range parsers {
		if p.fr.s != o.fr.s {
			out = append(out, e.cliDefault(p.fr, attr)...)
		}
		if ps, _ := e.of(p, attr); len(ps) > 0 { // class Args(Tap), Args().parse_args()
			out = append(out, ps...)
		}
		for _, c := range e.dataclasses(p) {
			ps, _ := e.of(c, attr)
			out = append(out, ps...)
		}
	}
	return lower(e.orGiven(o.fr, out, attr), ref.Default)
}

// addedElsewhere are the defaults of an option that a function in another file adds to a parser that it is
// given: add_model_args(parser).
func (e *evaluator) addedElsewhere(fr *frame, parser node, attr string) []place {
	s := fr.s
	if s.kind(parser) != pyparse.Identifier {
		return nil
	}
	var out []place
	asked := 0
	for _, c := range s.calls {
		if arg := s.positional(c, 0); arg < 0 || s.kind(arg) != pyparse.Identifier || s.code(arg) != s.code(parser) || asked == maxSites {
			continue
		}
		asked++
		defs, _ := e.places(fr, s.field(c, pyparse.FieldFunction))
		for _, d := range defs {
			if d.fr.s != s && d.fr.s.kind(d.n) == pyparse.FunctionDefinition {
				out = append(out, e.cliDefault(d.fr, attr)...)
			}
		}
	}
	return out
}

// dataclasses are the classes whose fields a parser p reads: HfArgumentParser((A, B)), tyro.cli(A).
func (e *evaluator) dataclasses(p place) []place {
	s := p.fr.s
	if s.kind(p.n) != pyparse.Call {
		return nil
	}
	arg := s.positional(p.n, 0)
	for _, name := range []string{"dataclass_types", "config_class", "data_class", "class_"} {
		if arg < 0 {
			arg = s.keyword(p.n, name)
		}
	}
	if arg < 0 {
		return nil
	}
	lists, _ := e.places(p.fr, arg)
	var out []place
	for _, l := range lists {
		items := []place{l}
		if nodes, ok := e.items(l); ok {
			items = items[:0]
			for _, n := range nodes {
				ps, _ := e.places(l.fr, n)
				items = append(items, ps[:min(1, len(ps))]...) // one each: their number is their place in the result
			}
		}
		for _, c := range items {
			if c.fr.s.kind(c.n) == pyparse.ClassDefinition {
				out = append(out, place{c.fr, c.n, ref.Default})
			}
		}
	}
	return out
}

// parsedClass is the i-th dataclass that a call such as parser.parse_args_into_dataclasses() fills in.
func (e *evaluator) parsedClass(call place, i int) (place, bool) {
	s := call.fr.s
	if s.kind(call.n) != pyparse.Call {
		return place{}, false
	}
	callee := s.field(call.n, pyparse.FieldFunction)
	switch s.lastName(callee) {
	case "parse_args_into_dataclasses", "parse_json_file", "parse_yaml_file", "parse_dict", "parse_args_and_config", "parse":
	default:
		return place{}, false
	}
	parsers, _ := e.places(call.fr, s.field(callee, pyparse.FieldObject))
	for _, p := range parsers {
		if classes := e.dataclasses(p); i >= 0 && i < len(classes) {
			return classes[i], true
		}
	}
	return place{}, false
}
