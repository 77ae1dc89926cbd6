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
	switch s.kind(n) {
	case pyparse.Identifier, pyparse.Attribute, pyparse.Subscript, pyparse.Call:
	case pyparse.ParenthesizedExpression, pyparse.Await:
		return e.places(fr, s.child(n, 0))
	case pyparse.NamedExpression:
		return e.places(fr, s.field(n, pyparse.FieldValue))
	case pyparse.BooleanOperator:
		return e.bothPlaces(fr, s.field(n, pyparse.FieldLeft), s.field(n, pyparse.FieldRight))
	case pyparse.ConditionalExpression:
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
	return e.item(fr, n)
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
	reach, in := s.reaching(name, n, s.scope[n])
	if len(reach) == 0 {
		for _, star := range s.stars {
			if ps, _ := e.global(fr, star, name); len(ps) > 0 {
				return lower(ps, ref.Guess), ""
			}
		}
		return nil, "`" + name + "` is not defined in this file"
	}
	var out []place
	var why string
	for _, i := range reach[:min(len(reach), maxAlts)] {
		ps, w := e.binding(fr, in, &s.binds[i], name)
		out = append(out, ps...)
		if why == "" {
			why = w
		}
	}
	if len(reach) > 1 {
		out = lower(out, ref.Guess)
	}
	return out, why
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
	return s.scopes[0].names[name]
}

// items are the elements of a list, tuple or set; false when it is none, or holds a splat.
func (e *evaluator) items(p place) ([]node, bool) {
	s := p.fr.s
	switch s.kind(p.n) {
	case pyparse.List, pyparse.Tuple, pyparse.Set, pyparse.ExpressionList:
	default:
		return nil, false
	}
	var out []node
	for c := range s.children(p.n) {
		if k := s.kind(c); k == pyparse.ListSplat || len(out) > 4*maxAlts {
			return nil, false
		}
		out = append(out, c)
	}
	return out, true
}

// element is the i-th of a sequence; i < 0 counts from the end.
func (e *evaluator) element(fr *frame, n node, i int) ([]place, string) {
	seqs, why := e.places(fr, n)
	var out []place
	for _, q := range seqs {
		if c, ok := e.parsedClass(q, i); ok {
			out = append(out, c)
			continue
		}
		if ps, ok := e.oneOf(q); ok {
			out = append(out, ps...)
			continue
		}
		items, ok := e.items(q)
		j := i
		if j < 0 {
			j += len(items)
		}
		if !ok || j < 0 || j >= len(items) {
			if why == "" {
				why = "it is a part of `" + snippet(q.fr.s.code(q.n)) + "`"
			}
			continue
		}
		ps, w := e.places(q.fr, items[j])
		out = append(out, lower(ps, q.sure)...)
		if why == "" {
			why = w
		}
	}
	return out, why
}

// oneOf are the elements of a sequence whose order is not known, as sorted(…) and glob(…) give it.
func (e *evaluator) oneOf(q place) ([]place, bool) {
	if q.fr.s.kind(q.n) != pyparse.Call {
		return nil, false
	}
	whole := -1
	items, ok := e.loopItems(q, &whole)
	if !ok || whole != -1 {
		return nil, false
	}
	var out []place
	for _, it := range items {
		ps, _ := e.places(it.fr, it.n)
		out = append(out, ps...)
	}
	return lower(out, ref.Guess), len(out) > 0
}

// each is every element of what a loop runs over; elem picks a part of each, -1 the whole.
func (e *evaluator) each(fr *frame, n node, elem int) ([]place, string) {
	seqs, why := e.places(fr, n)
	var out []place
	for _, q := range seqs {
		items, ok := e.loopItems(q, &elem)
		if !ok {
			if why == "" {
				why = "it is one of `" + snippet(q.fr.s.code(q.n)) + "`"
			}
			continue
		}
		for _, it := range items {
			var ps []place
			var w string
			if elem >= 0 {
				ps, w = e.element(it.fr, it.n, elem)
			} else {
				ps, w = e.places(it.fr, it.n)
			}
			out = append(out, ps...)
			if why == "" {
				why = w
			}
		}
	}
	return lower(out, ref.Guess), why
}

// loopItems are the elements that a loop over p sees. It looks through sorted, list, enumerate and a
// dictionary's keys, values and items, and changes elem accordingly.
func (e *evaluator) loopItems(p place, elem *int) ([]place, bool) {
	s := p.fr.s
	var out []place
	if items, ok := e.items(p); ok {
		for _, it := range items {
			out = append(out, place{p.fr, it, ref.Guess})
		}
		return out, true
	}
	switch s.kind(p.n) {
	case pyparse.Dictionary:
		for c := range s.children(p.n) {
			if s.kind(c) == pyparse.Pair {
				out = append(out, place{p.fr, s.field(c, pyparse.FieldKey), ref.Guess})
			}
		}
		return out, true
	case pyparse.Call:
		return e.loopCall(p, elem)
	}
	return nil, false
}

func (e *evaluator) loopCall(p place, elem *int) ([]place, bool) {
	s := p.fr.s
	callee := s.field(p.n, pyparse.FieldFunction)
	name := s.lastName(callee)
	switch {
	case s.kind(callee) == pyparse.Attribute && (name == "values" || name == "items"):
		return e.dictParts(p.fr, s.field(callee, pyparse.FieldObject), name, elem)
	case name == "sorted" || name == "list" || name == "tuple" || name == "reversed" || name == "set" || name == "tqdm" || name == "iter" ||
		name == "enumerate" && *elem == 1:
		inner, _ := e.places(p.fr, s.child(s.field(p.n, pyparse.FieldArguments), 0))
		if name == "enumerate" {
			*elem = -1
		}
		var out []place
		for _, q := range inner {
			got, ok := e.loopItems(q, elem)
			if !ok {
				return nil, false
			}
			out = append(out, got...)
		}
		return out, len(inner) > 0
	case name == "glob" || name == "rglob" || name == "iglob":
		return []place{{p.fr, p.n, ref.Guess}}, true
	}
	return nil, false
}

// dictParts are the values of a dictionary literal, or the values in its items.
func (e *evaluator) dictParts(fr *frame, object node, name string, elem *int) ([]place, bool) {
	dicts, _ := e.places(fr, object)
	field := pyparse.FieldValue
	if name == "items" {
		if *elem == 0 {
			field = pyparse.FieldKey
		} else if *elem < 0 {
			return nil, false
		}
		*elem = -1
	}
	var out []place
	for _, d := range dicts {
		if d.fr.s.kind(d.n) != pyparse.Dictionary {
			return nil, false
		}
		for c := range d.fr.s.children(d.n) {
			if d.fr.s.kind(c) == pyparse.Pair {
				out = append(out, place{d.fr, d.fr.s.field(c, field), ref.Guess})
			}
		}
	}
	return out, len(dicts) > 0
}

// item follows x[key].
func (e *evaluator) item(fr *frame, n node) ([]place, string) {
	s := fr.s
	index := s.field(n, pyparse.FieldSubscript)
	object := s.field(n, pyparse.FieldValue)
	if i, err := strconv.Atoi(s.code(index)); err == nil {
		return e.element(fr, object, i)
	}
	return e.entry(fr, object, index, s.code(n))
}

// entry follows a dictionary's entry; where the key is not known every entry counts.
func (e *evaluator) entry(fr *frame, object, key node, code string) ([]place, string) {
	dicts, why := e.places(fr, object)
	keys := e.eval(fr, key)
	var out []place
	for _, d := range dicts {
		ds := d.fr.s
		if ds.kind(d.n) != pyparse.Dictionary {
			ps, w := e.keyed(d, keys)
			out = append(out, ps...)
			if why == "" {
				why = w
			}
			continue
		}
		for c := range ds.children(d.n) {
			name, ok := ds.literal(ds.field(c, pyparse.FieldKey))
			if !ok || len(keys.alts) > 0 && !keys.has(name) {
				continue
			}
			sure := ref.Guess
			if len(keys.alts) == 1 {
				sure = min(d.sure, keys.alts[0].sure)
			}
			ps, w := e.places(d.fr, ds.field(c, pyparse.FieldValue))
			out = append(out, lower(ps, sure)...)
			if why == "" {
				why = w
			}
		}
	}
	if len(out) == 0 && why == "" {
		why = "`" + snippet(code) + "` is an item that is not known"
	}
	return out[:min(len(out), maxAlts)], why
}

// keyed are the entries of dict(a=…), and the attributes of an object that is asked like a dictionary.
func (e *evaluator) keyed(d place, keys value) ([]place, string) {
	ds := d.fr.s
	isDict := ds.kind(d.n) == pyparse.Call && ds.lastName(ds.field(d.n, pyparse.FieldFunction)) == "dict"
	var out []place
	var why string
	for _, k := range keys.alts {
		var ps []place
		if !isDict {
			ps, why = e.of(d, k.text)
		} else if v := ds.keyword(d.n, k.text); v >= 0 {
			ps, why = e.places(d.fr, v)
		}
		out = append(out, lower(ps, min(d.sure, k.sure))...)
	}
	if len(keys.alts) > 1 {
		out = lower(out, ref.Guess)
	}
	return out, why
}

func (v value) has(t string) bool {
	for _, a := range v.alts {
		if a.text == t {
			return true
		}
	}
	return false
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
