package analyzers

import (
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// maxHops is how many calls are followed backwards from a parameter to its callers.
const maxHops = 3

// maxSites bounds the call sites looked at for one parameter.
const maxSites = 24

// param follows a parameter: to its default, and to what the calls in the workspace pass for it.
func (e *evaluator) param(fr *frame, in int32, b *binding, name string) ([]place, string) {
	s := fr.s
	fn := s.scopes[in].node
	fname := s.code(s.field(fn, pyparse.FieldName))
	var out []place
	if b.value >= 0 && s.kind(b.value) != pyparse.None && e.defaulted(fr, fn, name) {
		ps, _ := e.places(fr, b.value)
		out = append(out, lower(ps, ref.Default)...)
	}
	if e.defaulted(fr, fn, name) {
		out = append(out, e.option(fr, fn, name)...)
	}
	out = append(out, e.parametrized(fr, fn, name)...)
	if e.hops < maxHops && fname != "" {
		e.hops++
		out = append(out, e.passed(fr, fn, fname, name, b.value < 0)...)
		e.hops--
	}
	if unset(out) && s.isCommand(fn, fname) {
		out = e.orGiven(fr, out, s.paramOptions(fn, name)...)
	}
	why := ""
	if len(out) == 0 {
		if config, w, ok := e.hydra(fr, fn, name); ok {
			out, why = config, w
		}
		out = append(out, e.annotated(fr, fn, name)...)
	}
	if len(out) == 0 && why != "" {
		return nil, why
	}
	if len(out) == 0 {
		if fname == "" {
			return nil, "it is the parameter `" + name + "` of a lambda"
		}
		return nil, "it is the parameter `" + name + "` of `" + fname + "`, and no call in the workspace tells its value"
	}
	return out[:min(len(out), maxAlts)], ""
}

// passed is what the known calls of function fn pass for a parameter.
func (e *evaluator) passed(fr *frame, fn node, fname, param string, required bool) []place {
	s := fr.s
	var out []place
	index, method := s.paramIndex(fn, param)
	var sites []place
	if fname == "__init__" || fname == "__new__" || fname == "__post_init__" {
		class := s.enclosing(fn, pyparse.ClassDefinition)
		if class < 0 {
			return nil
		}
		sites = append(e.sites(fr, s.code(s.field(class, pyparse.FieldName)), false), e.fromSubclasses(fr, class)...)
	} else {
		class := s.scopes[s.scope[fn]].class
		sites = e.sites(fr, fname, method || class)
		if class {
			sites = slices.DeleteFunc(sites, func(p place) bool { return e.anothers(p, place{fr, s.scopes[s.scope[fn]].node, ref.Exact}, fname) })
		}
		if class && s.methodsNamed(fname) > maxOverrides {
			sites = slices.DeleteFunc(sites, func(p place) bool { return !e.knownReceiver(p) })
		}
	}
	if class := s.enclosing(fn, pyparse.ClassDefinition); fname == "__init__" && class >= 0 {
		out = e.configured(fr, class, param)
	}
	for _, site := range e.callers(fr, fn, param, required, sites) {
		out = append(out, e.argument(site, param, index)...)
		if len(out) >= maxAlts {
			break
		}
	}
	return out
}

// maxOverrides is how many classes of a file may define a method before a call of it on an object that
// nobody knows says nothing about any one of them.
const maxOverrides = 4

// methodsNamed counts the classes of a file that define a method.
func (s *Summary) methodsNamed(name string) int {
	n := 0
	for i := range s.scopes {
		if s.scopes[i].class && s.binding(int32(i), name) {
			n++
		}
	}
	return n
}

// anothers says whether a call is one of another class's method of the same name, or of a module's function:
// torch.jit.load(…) and self.load(…) of a class with a load of its own are no calls of this class's load.
func (e *evaluator) anothers(call, class place, name string) bool {
	s := call.fr.s
	object := s.field(s.field(call.n, pyparse.FieldFunction), pyparse.FieldObject)
	if c := s.selfClass(object); c >= 0 {
		return (s != class.fr.s || c != class.n) && s.classBinds(c, name)
	}
	names := s.names(object)
	for _, n := range names {
		if n == "" || n[0] == '.' || strings.ContainsAny(n, "?()@") {
			names = nil
			break
		}
	}
	ps, why := e.places(call.fr, object)
	if len(ps) > 0 {
		return why == "" && e.allOverride(ps, class, name)
	}
	return len(names) > 0
}

// allOverride says whether the receivers of a call are known classes other than this one, each with a method of its own
// by that name.
func (e *evaluator) allOverride(receivers []place, class place, name string) bool {
	return !slices.ContainsFunc(receivers, func(p place) bool {
		return p.fr.s.kind(p.n) != pyparse.ClassDefinition || p.fr.s == class.fr.s && p.n == class.n || !p.fr.s.classBinds(p.n, name)
	})
}

// knownReceiver says whether a call's method is one of self, of a class or of an instance that is known.
func (e *evaluator) knownReceiver(call place) bool {
	s := call.fr.s
	object := s.field(s.field(call.n, pyparse.FieldFunction), pyparse.FieldObject)
	if s.selfClass(object) >= 0 {
		return true
	}
	ps, _ := e.places(call.fr, object)
	return slices.ContainsFunc(ps, func(p place) bool {
		if p.fr.s.kind(p.n) != pyparse.Call {
			return p.fr.s.kind(p.n) == pyparse.ClassDefinition
		}
		made, _ := e.places(p.fr, p.fr.s.field(p.n, pyparse.FieldFunction))
		return slices.ContainsFunc(made, func(c place) bool { return c.fr.s.kind(c.n) == pyparse.ClassDefinition })
	})
}

// argument is what a call passes for a parameter, by name, by position, or out of a ** argument.
func (e *evaluator) argument(site place, param string, index int) []place {
	o := site.fr.s
	arg := o.keyword(site.n, param)
	if arg < 0 && index >= 0 {
		arg = o.positional(site.n, index)
	}
	if arg >= 0 {
		ps, _ := e.places(site.fr, arg)
		return lower(ps, ref.Guess)
	}
	var out []place
	for c := range o.children(o.field(site.n, pyparse.FieldArguments)) {
		if o.kind(c) != pyparse.DictionarySplat {
			continue
		}
		objects, _ := e.places(site.fr, o.child(c, 0))
		for _, d := range objects {
			if d.fr.s.kind(d.n) == pyparse.Dictionary {
				out = append(out, e.dictValue(d, param)...)
				continue
			}
			ps, _ := e.keyed(d, text(param))
			out = append(out, ps...)
		}
		out = append(out, e.stored(site.fr, o.child(c, 0), text(param))...)
		out = append(out, e.forwarded(site.fr, o.child(c, 0), text(param))...)
	}
	return lower(out, ref.Guess)
}

// dictValue is the entry of a dictionary literal under a literal key.
func (e *evaluator) dictValue(d place, key string) []place {
	s := d.fr.s
	for c := range s.children(d.n) {
		if name, ok := s.literal(s.field(c, pyparse.FieldKey)); ok && name == key {
			ps, _ := e.places(d.fr, s.field(c, pyparse.FieldValue))
			return ps
		}
	}
	return nil
}

// paramIndex is a parameter's position among a call's arguments, -1 for a keyword-only one. The first
// parameter of a method is not passed.
func (s *Summary) paramIndex(fn node, param string) (index int, method bool) {
	method = s.scopes[s.scope[fn]].class && !s.decorated(fn, "staticmethod")
	i := 0
	for p := range s.children(s.field(fn, pyparse.FieldParameters)) {
		code := s.code(p)
		if strings.HasPrefix(code, "*") {
			return -1, method
		}
		name, _, _ := strings.Cut(code, ":")
		name, _, _ = strings.Cut(name, "=")
		if strings.TrimSpace(name) == param {
			if method {
				i--
			}
			return i, method
		}
		i++
	}
	return -1, method
}

// decorated says whether a function or class has a decorator whose name ends so.
func (s *Summary) decorated(def node, name string) bool {
	for d := range s.decorators(def) {
		if s.kind(d) == pyparse.Call {
			d = s.field(d, pyparse.FieldFunction)
		}
		if s.lastName(d) == name {
			return true
		}
	}
	return false
}

// decorators are the decorator expressions of a function or class.
func (s *Summary) decorators(def node) func(yield func(node) bool) {
	return func(yield func(node) bool) {
		p := s.parent[def]
		if s.kind(p) != pyparse.DecoratedDefinition {
			return
		}
		for c := range s.children(p) {
			if s.kind(c) == pyparse.Decorator && !yield(s.child(c, 0)) {
				return
			}
		}
	}
}

// sites are the known calls of something that file fr defines under the given name.
func (e *evaluator) sites(fr *frame, name string, method bool) []place {
	s := fr.s
	var out []place
	own := s.callsOf(name)
	for _, c := range own[:min(len(own), maxSites)] {
		callee := s.field(c, pyparse.FieldFunction)
		if (s.kind(callee) == pyparse.Attribute) != method {
			continue
		}
		out = append(out, place{fr, c, ref.Guess})
	}
	if e.w == nil {
		return out
	}
	for _, site := range e.w.Callers(s, name, method) {
		if len(out) >= maxSites {
			break
		}
		out = append(out, place{e.frame(site.Summary, site.Dir), site.Call, ref.Guess})
	}
	return out
}

// option is the default of a command-line option that a click decorator gives to a parameter.
func (e *evaluator) option(fr *frame, fn node, param string) []place {
	s := fr.s
	var out []place
	for d := range s.decorators(fn) {
		if s.kind(d) != pyparse.Call {
			continue
		}
		if last := s.lastName(s.field(d, pyparse.FieldFunction)); last != "option" && last != "argument" {
			continue
		}
		if !s.names1(d, param) {
			continue
		}
		if v := s.keyword(d, "default"); v >= 0 {
			ps, _ := e.places(fr, v)
			out = append(out, lower(ps, ref.Default)...)
		} else if v := s.keyword(d, "type"); s.lastName(s.field(v, pyparse.FieldFunction)) == "Choice" {
			ps, _ := e.each(fr, s.positional(v, 0), -1)
			out = append(out, ps...)
		}
	}
	return out
}

// paramOptions are the names that a parameter has as an option of click's.
func (s *Summary) paramOptions(fn node, param string) []string {
	for d := range s.decorators(fn) {
		if s.kind(d) == pyparse.Call && s.names1(d, param) {
			return s.optionNames(d, param)
		}
	}
	return []string{param}
}

// names1 says whether one of an option's names stands for param.
func (s *Summary) names1(call node, param string) bool {
	if v := s.keyword(call, "dest"); v >= 0 {
		t, _ := s.literal(v)
		return t == param
	}
	for i := range 4 {
		t, ok := s.literal(s.positional(call, i))
		if ok && strings.ReplaceAll(strings.TrimLeft(t, "-"), "-", "_") == param {
			return true
		}
	}
	return false
}
