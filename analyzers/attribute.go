package analyzers

import (
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// attribute follows x.attr: an attribute of self, of an instance, of a class, of a module, of parsed
// command-line arguments.
func (e *evaluator) attribute(fr *frame, n node) ([]place, string) {
	s := fr.s
	out, why := e.attributeOf(fr, s.field(n, pyparse.FieldObject), s.code(s.field(n, pyparse.FieldAttribute)))
	if left := e.narrowed(fr, n, out); len(left) > 0 {
		out = left
	}
	if len(out) == 0 && isPathAttribute(s.code(s.field(n, pyparse.FieldAttribute))) {
		return []place{{fr, n, ref.Exact}}, why
	}
	if len(out) == 0 && why == "" {
		why = "`" + snippet(s.code(n)) + "` is an attribute that is not known"
	}
	return out, why
}

// attributeOf follows an attribute of the object that an expression stands for.
func (e *evaluator) attributeOf(fr *frame, object node, attr string) ([]place, string) {
	s := fr.s
	if ps, why, ok := e.hparams(fr, object, attr); ok {
		return ps, why
	}
	if class := s.selfClass(object); class >= 0 {
		if set, all := s.setBefore(object, attr, func(o node) bool { return s.selfClass(o) == class }); all {
			return e.valuesOf(fr, set)
		}
		return e.onOwn(fr, class, attr)
	}
	set, all := s.setBefore(object, attr, s.sameName(object))
	if all {
		return e.valuesOf(fr, set)
	}
	for _, name := range s.names(object) {
		if ps, why := e.global(fr, name, attr); len(ps) > 0 {
			return ps, why
		}
	}
	objects, why := e.places(fr, object)
	if attr == "__dict__" {
		return objects, why
	}
	out, _ := e.valuesOf(fr, set)
	out = lower(out, ref.Guess)
	for _, o := range objects {
		ps, w := e.of(o, attr)
		out = append(out, lower(ps, o.sure)...)
		if why == "" {
			why = w
		}
	}
	if len(out) == 0 {
		out = e.declaredFor(fr, object, attr)
	}
	if len(out) == 0 {
		out = e.settingOf(fr, object, attr)
	}
	if unset(out) {
		if ps := e.optionOf(fr, object, objects, attr, len(out) == 0); len(ps) > 0 {
			return ps[:min(len(ps), maxAlts)], ""
		}
	}
	return out[:min(len(out), maxAlts)], why
}

// onOwn is an attribute of self: what its class says, or where that leaves it to them, its subclasses.
func (e *evaluator) onOwn(fr *frame, class node, attr string) ([]place, string) {
	ps, why := e.member(place{fr, class, ref.Exact}, nil, attr, 0)
	if slices.ContainsFunc(ps, func(p place) bool { return p.fr.s.kind(p.n) != pyparse.None }) || len(ps) == 0 && why != "" {
		return ps, why
	}
	if of := append(e.enumValues(fr, class, attr), e.inSubclasses(fr, class, attr)...); len(of) > 0 {
		return of, ""
	}
	if len(ps) == 0 {
		why = "`self." + attr + "` is not set in this class"
	}
	return ps, why
}

// maxSet bounds the assignments to attributes of one name that are looked at before a use.
const maxSet = 256

// setBefore are the values that statements before a use in the same function give to an attribute of the same object, the
// latest first, and whether one of them at least is given on every way to the use: then it has no others.
func (s *Summary) setBefore(object node, attr string, same func(object node) bool) (values []node, all bool) {
	fn := s.enclosing(object, pyparse.FunctionDefinition)
	covered := map[node][]node{}
	looked := 0
	for _, a := range slices.Backward(s.attrs[attr]) {
		if a > object {
			continue
		}
		if looked++; looked > maxSet || len(values) == maxAlts {
			break
		}
		right, elem := s.assigned(a)
		if right < 0 || elem >= 0 || s.within(object, right) || s.enclosing(a, pyparse.FunctionDefinition) != fn || !same(s.field(a, pyparse.FieldObject)) {
			continue
		}
		branch, ok := s.branch(a, object)
		if !ok || branch >= 0 && hides(covered, s, branch) {
			continue
		}
		values = append(values, right)
		if branch < 0 || s.exhausts(covered, branch) {
			return values, true
		}
	}
	return values, false
}

// sameName says of other objects whether they are certainly that of a name, by the same binding.
func (s *Summary) sameName(object node) func(node) bool {
	if s.kind(object) != pyparse.Identifier {
		return func(node) bool { return false }
	}
	reach, in := s.reaching(s.code(object), object, s.scope[object])
	return func(o node) bool {
		if s.kind(o) != pyparse.Identifier || s.code(o) != s.code(object) || len(reach) != 1 {
			return false
		}
		got, where := s.reaching(s.code(o), o, s.scope[o])
		return where == in && slices.Equal(got, reach)
	}
}

// valuesOf are the expressions that several stand for.
func (e *evaluator) valuesOf(fr *frame, values []node) ([]place, string) {
	var out []place
	var why string
	for _, v := range values {
		ps, w := e.places(fr, v)
		out = append(out, ps...)
		if why == "" {
			why = w
		}
	}
	if len(values) > 1 {
		out = lower(out, ref.Guess)
	}
	return out[:min(len(out), maxAlts)], why
}

// enumValues are the values of an Enum's members: self.value is one of them.
func (e *evaluator) enumValues(fr *frame, class node, attr string) []place {
	s := fr.s
	body, ok := s.opened[class]
	if !ok || attr != "value" || !s.isEnum(class) {
		return nil
	}
	var out []place
	for i := range s.bindsIn(body) {
		if b := &s.binds[i]; b.kind == bindValue && len(out) < maxAlts {
			ps, _ := e.places(fr, b.value)
			out = append(out, ps...)
		}
	}
	return lower(out, ref.Guess)
}

func argumentsName(name string) bool {
	switch strings.ToLower(name) {
	case "args", "opt", "opts", "options", "flags", "parsed_args", "cli_args", "arguments", "hparams", "config", "cfg", "conf", "self.args", "self.opt", "self.hparams":
		return true
	}
	return false
}

// selfClass is the class around a method when object is the method's first parameter; none else.
func (s *Summary) selfClass(object node) node {
	if s.kind(object) != pyparse.Identifier {
		return none
	}
	name := s.code(object)
	for fn := s.enclosing(object, pyparse.FunctionDefinition); fn >= 0; fn = s.enclosing(fn, pyparse.FunctionDefinition) {
		if !s.scopes[s.scope[fn]].class {
			continue
		}
		if first := s.child(s.field(fn, pyparse.FieldParameters), 0); s.kind(first) == pyparse.Identifier && s.code(first) == name {
			return s.scopes[s.scope[fn]].node
		}
		return none
	}
	return none
}

// of follows an attribute of one known object.
func (e *evaluator) of(o place, attr string) ([]place, string) {
	s := o.fr.s
	switch s.kind(o.n) {
	case pyparse.ClassDefinition:
		if attr == "value" && s.isEnum(o.n) {
			return s.members(o), ""
		}
		return e.member(o, nil, attr, 0)
	case pyparse.String:
		if attr == "value" { // of a member of an enumeration
			return []place{o}, ""
		}
	case pyparse.Dictionary: // OmegaConf, EasyDict: its entries are attributes too
		ps, why := e.entryOf(o, text(attr))
		if len(ps) == 0 && why == "" && o.fr.config != "" {
			why = "it is a value of the config `" + snippet(o.fr.config) + "`, which does not say it: another file or the command line may"
		}
		return ps, why
	case pyparse.Call:
		return e.ofCall(o, attr)
	}
	return nil, ""
}

// ofCall follows an attribute of what a call gives.
func (e *evaluator) ofCall(o place, attr string) ([]place, string) {
	s := o.fr.s
	callee := s.field(o.n, pyparse.FieldFunction)
	switch s.lastName(callee) {
	case "from_pretrained":
		return e.loadedFrom(o, attr)
	case "parse_args", "parse_known_args", "parse_args_into_dataclasses", "parse_intermixed_args":
		if ps := e.optionsOf(o, attr); len(ps) > 0 {
			return ps, ""
		}
		return nil, "it is the command-line option `--" + attr + "`, which has no default"
	case "Namespace", "SimpleNamespace", "EasyDict", "Munch", "Box", "edict":
		if v := s.keyword(o.n, attr); v >= 0 {
			ps, why := e.places(o.fr, v)
			return lower(ps, o.sure), why
		}
		if ps := e.argument(o, attr, -1); len(ps) > 0 {
			return lower(ps, o.sure), ""
		}
	case "parse", "cli", "CLI", "auto_cli", "entrypoint", "load", "from_dict":
		if ps := e.ofParsed(o, attr); len(ps) > 0 {
			return ps, ""
		}
	}
	if ps, why, ok := e.readConfig(o, attr); ok {
		return ps, why
	}
	classes, _ := e.places(o.fr, callee)
	for _, c := range classes {
		if c.fr.s.kind(c.n) == pyparse.ClassDefinition {
			return e.member(c, &o, attr, 0)
		}
	}
	return nil, ""
}

// member is an attribute of a class, or of the instance that a call makes: set in the class body, on
// self in a method, by the constructor's argument of a dataclass, or in a base class.
func (e *evaluator) member(class place, made *place, attr string, depth int) ([]place, string) {
	if made != nil {
		if v := e.field(class, *made, attr); v >= 0 {
			ps, w := e.places(made.fr, v)
			return lower(ps, made.sure), w
		}
	}
	out, why := e.inBody(class, attr)
	set, w := e.onSelf(class, made, attr)
	out = append(out, set...)
	if why == "" {
		why = w
	}
	if len(out) > 1 {
		out = lower(out, ref.Guess)
	}
	if len(out) == 0 && depth < 4 {
		if depth == 0 {
			defer func(old place) { e.asker = old }(e.asker)
			e.asker = class
		}
		ps, w := e.inherited(class, made, attr, depth)
		out = append(out, ps...)
		if why == "" {
			why = w
		}
	}
	return out[:min(len(out), maxAlts)], why
}

// field is the argument of the call that makes an instance for a field that the class declares, or none.
func (e *evaluator) field(class, made place, attr string) node {
	s := class.fr.s
	if made.fr.s.kind(made.n) == pyparse.ClassDefinition || !s.classBinds(class.n, attr) && s.fieldType(class.n, attr) < 0 {
		return none
	}
	if v := made.fr.s.keyword(made.n, attr); v >= 0 {
		return v
	}
	if i := s.positionOf(class.n, attr); i >= 0 {
		return made.fr.s.positional(made.n, i)
	}
	return none
}

// inBody is what a class body binds: a value, a method, what a property returns.
func (e *evaluator) inBody(class place, attr string) ([]place, string) {
	s := class.fr.s
	body, ok := s.opened[class.n]
	if !ok {
		return nil, ""
	}
	var out []place
	var why string
	for _, i := range s.bound(body, attr) {
		b := &s.binds[i]
		var ps []place
		var w string
		switch {
		case b.kind == bindValue:
			ps, w = e.places(class.fr, b.value)
		case b.kind == bindFunc && (s.decorated(b.value, "property") || s.decorated(b.value, "cached_property")):
			ps, w = e.results(place{class.fr, b.value, ref.Exact}, place{class.fr, class.n, ref.Exact})
		case b.kind == bindFunc:
			out = append(out, place{class.fr, b.value, ref.Exact})
			continue
		default:
			continue
		}
		out = append(out, lower(ps, ref.Default)...)
		if why == "" {
			why = w
		}
	}
	return out, why
}

// onSelf is what the methods of a class set.
func (e *evaluator) onSelf(class place, made *place, attr string) ([]place, string) {
	s := class.fr.s
	var out []place
	var why string
	for _, a := range s.attrs[attr] {
		if right, _ := s.assigned(a); right < 0 || !s.within(a, class.n) || s.selfClass(s.field(a, pyparse.FieldObject)) != class.n {
			continue
		}
		ps, w := e.assignedPlaces(e.methodFrame(class, made, a), a)
		out = append(out, ps...)
		if why == "" {
			why = w
		}
	}
	return out, why
}

// inherited looks into the base classes.
func (e *evaluator) inherited(class place, made *place, attr string, depth int) ([]place, string) {
	s := class.fr.s
	var out []place
	var why string
	for base := range s.children(s.field(class.n, pyparse.FieldSuperclasses)) {
		bases, _ := e.places(class.fr, base)
		for _, b := range bases {
			if b.fr.s.kind(b.n) == pyparse.ClassDefinition && b.n != class.n {
				ps, w := e.member(b, made, attr, depth+1)
				out = append(out, ps...)
				if why == "" {
					why = w
				}
			}
		}
	}
	return out, why
}

func (s *Summary) classBinds(class node, attr string) bool {
	body, ok := s.opened[class]
	return ok && s.binding(body, attr)
}

// methodFrame is where an assignment to self in a method is evaluated: with the arguments of the call
// that made the instance, when it stands in __init__ and that call is known.
func (e *evaluator) methodFrame(class place, made *place, at node) *frame {
	s := class.fr.s
	fn := s.enclosing(at, pyparse.FunctionDefinition)
	if made == nil || fn < 0 || s.code(s.field(fn, pyparse.FieldName)) != "__init__" {
		return class.fr
	}
	return e.bound(class.fr, fn, *made)
}

// bound is a frame in which a function's parameters have the arguments of a call.
func (e *evaluator) bound(fr *frame, fn node, call place) *frame {
	s := fr.s
	in, ok := s.opened[fn]
	if !ok {
		return fr
	}
	out := &frame{s: s, dir: fr.dir, fn: in, args: map[string]place{}, call: key{e.frame(call.fr.s, call.fr.dir), call.n}, open: call.fr.s.unpacks(call.n)}
	for i := range s.bindsIn(in) {
		b := &s.binds[i]
		if b.kind != bindParam {
			continue
		}
		name := s.code(b.at)
		arg := call.fr.s.keyword(call.n, name)
		if i, _ := s.paramIndex(fn, name); arg < 0 && i >= 0 {
			arg = call.fr.s.positional(call.n, i)
		}
		if arg >= 0 {
			out.args[name] = place{call.fr, arg, call.sure}
		} else if b.value >= 0 {
			out.args[name] = place{fr, b.value, ref.Default}
		}
	}
	return out
}

// cliDefault is the default of a command-line option that the file declares (argparse, absl).
func (e *evaluator) cliDefault(fr *frame, dest string) []place {
	s := fr.s
	var out []place
	for _, c := range s.callsOf("add_argument") {
		if s.names1(c, dest) {
			var ps []place
			if v := s.keyword(c, "default"); v >= 0 && s.kind(v) != pyparse.None {
				ps, _ = e.places(fr, v)
			} else if v := s.keyword(c, "choices"); v >= 0 {
				ps, _ = e.each(fr, v, -1)
			}
			out = append(out, e.orGiven(fr, ps, s.optionNames(c, dest)...)...)
		}
	}
	for _, c := range s.callsOf("set_defaults") {
		if v := s.keyword(c, dest); v >= 0 && s.kind(v) != pyparse.None {
			ps, _ := e.places(fr, v)
			out = append(out, ps...)
		}
	}
	for _, define := range []string{"DEFINE_string", "DEFINE_enum"} {
		for _, c := range s.callsOf(define) {
			if t, ok := s.literal(s.positional(c, 0)); ok && t == dest {
				ps, _ := e.places(fr, s.positional(c, 1))
				out = append(out, e.orGiven(fr, ps, dest)...)
			}
		}
	}
	return lower(out, ref.Default)
}
