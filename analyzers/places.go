package analyzers

import (
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// places follows names, attributes and items to the expressions that they stand for. The reason tells
// why there are none, or why there may be more.
func (e *evaluator) places(fr *frame, n node) ([]place, string) {
	s := fr.s
	if n < 0 {
		return nil, ""
	}
	switch s.kind(n) {
	case pyparse.Identifier, pyparse.Attribute, pyparse.Subscript, pyparse.Call:
	case pyparse.ParenthesizedExpression, pyparse.Await:
		return e.places(fr, s.child(n, 0))
	case pyparse.NamedExpression:
		return e.places(fr, s.field(n, pyparse.FieldValue))
	case pyparse.Assignment: // a = b = value
		return e.places(fr, s.field(n, pyparse.FieldRight))
	case pyparse.BooleanOperator:
		return e.bothPlaces(fr, s.field(n, pyparse.FieldLeft), s.field(n, pyparse.FieldRight))
	case pyparse.ConditionalExpression:
		if arm := e.arm(fr, n); arm >= 0 {
			return e.places(fr, arm)
		}
		return e.bothPlaces(fr, s.child(n, 0), s.child(n, 2))
	default:
		return []place{{fr, n, ref.Exact}}, ""
	}
	e.work++
	k := key{fr, -n - 2} // apart from eval's own mark on the same node
	if e.active[k] {
		return nil, "it depends on itself"
	}
	if e.work > maxWork || len(e.active) > maxDepth*4 {
		return nil, "it is computed in too many steps"
	}
	e.active[k] = true
	defer delete(e.active, k)
	return e.followed(fr, n)
}

// followed is places of a name, an attribute, an item or a call.
func (e *evaluator) followed(fr *frame, n node) ([]place, string) {
	s := fr.s
	switch s.kind(n) {
	case pyparse.Identifier:
		return e.name(fr, n)
	case pyparse.Attribute:
		return e.attribute(fr, n)
	case pyparse.Call:
		if ps, why, ok := e.through(fr, n); ok {
			return ps[:min(len(ps), maxAlts)], why
		}
		return []place{{fr, n, ref.Exact}}, ""
	}
	if ps, why := e.item(fr, n); len(ps) > 0 || !s.isPiece(n) {
		return ps, why
	}
	return []place{{fr, n, ref.Exact}}, ""
}

func (e *evaluator) bothPlaces(fr *frame, a, b node) ([]place, string) {
	x, why := e.places(fr, a)
	y, why2 := e.places(fr, b)
	if why == "" {
		why = why2
	}
	return lower(append(x, y...), ref.Guess), why
}

func lower(in []place, s ref.Sure) []place {
	for i := range in {
		in[i].sure = min(in[i].sure, s)
	}
	return in[:min(len(in), maxAlts)]
}

// name follows an identifier.
func (e *evaluator) name(fr *frame, n node) ([]place, string) {
	s := fr.s
	name := s.code(n)
	if fr.config != "" { // ${…}
		return nil, "the config `" + snippet(fr.config) + "` puts it together from other values"
	}
	reach, in := s.reaching(name, n, s.scope[n])
	if len(reach) == 0 {
		return e.starred(fr, name)
	}
	var out []place
	var why string
	for k, i := range reach[:min(len(reach), maxAlts)] {
		if at := s.binds[i].at; in == fr.fn && !e.reached(fr, at) || e.excluded(fr, n, at) {
			continue
		}
		ps, w := e.binding(fr, in, &s.binds[i], name)
		if k > 0 {
			ps = e.survived(fr, n, i, reach[:k], ps)
		}
		out = append(out, ps...)
		if why == "" {
			why = w
		}
		if e.hidesOthers(fr, n, s.binds[i].at) {
			break
		}
	}
	if len(reach) > 1 {
		out = lower(out, ref.Guess)
	}
	if left := e.narrowed(fr, n, out); len(left) < len(out) {
		if len(left) == 0 && why == "" {
			why = "no value that is known of `" + name + "` meets the conditions around it"
		}
		out = left
	}
	return e.chosen(fr, n, reach, out), why
}

// starred is a name that only a star import can have brought.
func (e *evaluator) starred(fr *frame, name string) ([]place, string) {
	for _, star := range fr.s.stars {
		if ps, _ := e.global(fr, star, name); len(ps) > 0 {
			return lower(ps, ref.Guess), ""
		}
	}
	return nil, "`" + name + "` is not defined in this file"
}

// binding follows one place where a name gets its value.
func (e *evaluator) binding(fr *frame, in int32, b *binding, name string) ([]place, string) {
	s := fr.s
	switch b.kind {
	case bindValue:
		return e.places(fr, b.value)
	case bindWith:
		return e.places(fr, b.value)
	case bindUnpack:
		return e.element(fr, b.value, int(b.elem))
	case bindEach:
		return e.each(fr, b.value, int(b.elem))
	case bindParam:
		if fr.fn == in {
			if p, ok := fr.args[name]; ok {
				ps, why := e.places(p.fr, p.n)
				return lower(ps, p.sure), why
			}
		}
		return e.param(fr, in, b, name)
	case bindImport:
		module, attr := splitDotted(b.dotted)
		if module == "" {
			return nil, "`" + name + "` is a module"
		}
		if ps, why := e.global(fr, module, attr); len(ps) > 0 {
			return ps, why
		}
		return nil, "`" + name + "` is imported from `" + module + "`, which is not in the workspace"
	case bindFunc, bindClass:
		return []place{{fr, b.value, ref.Exact}}, ""
	}
	return nil, "`" + name + "` gets its value at line " + strconv.Itoa(s.line(b.at)) + " in a way that is not followed"
}

// line is a node's line, from 1.
func (s *Summary) line(n node) int {
	return 1 + strings.Count(s.text[:s.tree.Nodes[n].Start], "\n")
}

// splitDotted parts "a.b.c" into "a.b" and "c", and "..m" into ".." and "m".
func splitDotted(dotted string) (module, attr string) {
	attr = lastPart(dotted)
	module = dotted[:len(dotted)-len(attr)]
	for i := range len(module) {
		if module[i] != '.' {
			return module[:len(module)-1], attr
		}
	}
	return module, attr
}

// global is a name at the top of another module of the workspace.
func (e *evaluator) global(fr *frame, module, name string) ([]place, string) {
	if e.w == nil || module == "" || e.modules > 4 {
		return nil, ""
	}
	m, ok := e.w.Module(fr.s, module)
	if !ok {
		return nil, ""
	}
	e.modules++
	defer func() { e.modules-- }()
	other := e.frame(m.Summary, m.Dir)
	all := m.Summary.top(name)
	if len(all) == 0 {
		return nil, "`" + module + "` does not define `" + name + "`"
	}
	var out []place
	var why string
	for i := len(all) - 1; i >= 0; i-- {
		ps, w := e.binding(other, 0, &m.Summary.binds[all[i]], name)
		out = append(out, ps...)
		if why == "" {
			why = w
		}
	}
	if len(all) > 1 {
		out = lower(out, ref.Guess)
	}
	return out, why
}

func (s *Summary) top(name string) []int32 {
	if len(s.scopes) == 0 {
		return nil
	}
	return s.bound(0, name)
}

// keyword is the value of a call's keyword argument.
func (s *Summary) keyword(call node, name string) node {
	for c := range s.children(s.field(call, pyparse.FieldArguments)) {
		if s.kind(c) == pyparse.KeywordArgument && s.code(s.field(c, pyparse.FieldName)) == name {
			return s.field(c, pyparse.FieldValue)
		}
	}
	return none
}

// positional is a call's i-th positional argument; none behind a starred one.
func (s *Summary) positional(call node, i int) node {
	args := s.field(call, pyparse.FieldArguments)
	if s.kind(args) == pyparse.GeneratorExpression {
		return none
	}
	for c := range s.children(args) {
		switch s.kind(c) {
		case pyparse.KeywordArgument, pyparse.DictionarySplat:
			continue
		case pyparse.ListSplat:
			return none
		}
		if i == 0 {
			return c
		}
		i--
	}
	return none
}
