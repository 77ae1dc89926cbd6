package analyzers

import (
	"strconv"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

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
	switch q.fr.s.kind(q.n) {
	case pyparse.Call, pyparse.ListComprehension, pyparse.SetComprehension, pyparse.GeneratorExpression:
	default:
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
	out := e.grown(fr, n, elem)
	whole := elem
	for _, q := range seqs {
		items, ok := e.loopItems(q, &elem)
		if !ok {
			if why == "" {
				why = "it is one of `" + snippet(q.fr.s.code(q.n)) + "`"
			}
			continue
		}
		for i, it := range items {
			if !e.turn(fr, n, whole, q, i) {
				continue
			}
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

// grown are the elements that x.append(…) and x.add(…) put into what n names.
func (e *evaluator) grown(fr *frame, n node, elem int) []place {
	s := fr.s
	for s.kind(n) == pyparse.Call && s.kind(s.field(n, pyparse.FieldFunction)) == pyparse.Identifier { // sorted(x)
		n = s.positional(n, 0)
	}
	if s.kind(n) != pyparse.Identifier || elem >= 0 {
		return nil
	}
	name := s.code(n)
	var out []place
	for _, method := range []string{"append", "add"} {
		calls := s.callsOf(method)
		for _, c := range calls[:min(len(calls), 8*maxSites)] {
			object := s.field(s.field(c, pyparse.FieldFunction), pyparse.FieldObject)
			if s.kind(object) == pyparse.Identifier && s.code(object) == name && s.scope[object] == s.scope[n] && c < n {
				ps, _ := e.places(fr, s.positional(c, 0))
				out = append(out, ps...)
			}
		}
	}
	return out[:min(len(out), maxAlts)]
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
	case pyparse.ListComprehension, pyparse.SetComprehension, pyparse.GeneratorExpression:
		return []place{{p.fr, s.child(p.n, 0), ref.Guess}}, true
	case pyparse.Call:
		return e.loopCall(p, elem)
	}
	return nil, false
}

func (e *evaluator) loopCall(p place, elem *int) ([]place, bool) {
	s := p.fr.s
	callee := s.field(p.n, pyparse.FieldFunction)
	switch name := s.lastName(callee); name {
	case "values", "items":
		if s.kind(callee) == pyparse.Attribute {
			return e.dictParts(p.fr, s.field(callee, pyparse.FieldObject), name, elem)
		}
	case "enumerate":
		if *elem == 1 {
			*elem = -1
			return e.looped(p, elem)
		}
	case "sorted", "list", "tuple", "reversed", "set", "tqdm", "iter", "natsorted", "track":
		return e.looped(p, elem)
	case "glob", "rglob", "iglob":
		return []place{{p.fr, p.n, ref.Guess}}, true
	}
	return nil, false
}

// looped are the elements of a call's first argument.
func (e *evaluator) looped(call place, elem *int) ([]place, bool) {
	inner, _ := e.places(call.fr, call.fr.s.child(call.fr.s.field(call.n, pyparse.FieldArguments), 0))
	var out []place
	for _, q := range inner {
		got, ok := e.loopItems(q, elem)
		if !ok {
			return nil, false
		}
		out = append(out, got...)
	}
	return out, len(inner) > 0
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

// entry follows a dictionary's entry; where the key is not known, or only guessed and not there, every
// entry counts.
func (e *evaluator) entry(fr *frame, object, key node, code string) ([]place, string) {
	dicts, why := e.places(fr, object)
	keys := e.keyTaken(fr, object, key, dicts, e.eval(fr, key))
	var out []place
	for _, d := range dicts {
		ps, w := e.entryOf(d, keys)
		if len(ps) == 0 && !keys.exact() {
			ps, w = e.entryOf(d, value{})
		}
		out = append(out, ps...)
		if why == "" {
			why = w
		}
	}
	out = append(out, e.stored(fr, object, keys)...)
	out = append(out, e.forwarded(fr, object, keys)...)
	if len(out) == 0 && why == "" {
		why = "`" + snippet(code) + "` is an item that is not known"
	}
	return out[:min(len(out), maxAlts)], why
}

func (v value) exact() bool { return len(v.alts) == 1 && v.alts[0].sure == ref.Exact && v.why == "" }

// entryOf is the entry of one dictionary under the keys; without any key, all of them.
func (e *evaluator) entryOf(d place, keys value) ([]place, string) {
	s := d.fr.s
	if s.kind(d.n) != pyparse.Dictionary {
		return e.keyed(d, keys)
	}
	sure := ref.Guess
	if len(keys.alts) == 1 {
		sure = min(d.sure, keys.alts[0].sure)
	}
	var out []place
	var why string
	for c := range s.children(d.n) {
		name, ok := s.literal(s.field(c, pyparse.FieldKey))
		if !ok || len(keys.alts) > 0 && !keys.has(name) {
			continue
		}
		ps, w := e.places(d.fr, s.field(c, pyparse.FieldValue))
		out = append(out, lower(ps, sure)...)
		if why == "" {
			why = w
		}
	}
	return out, why
}

// stored are the entries that statements x[key] = value put into a dictionary of that name, in the scope
// of its name.
func (e *evaluator) stored(fr *frame, object node, keys value) []place {
	s := fr.s
	if s.kind(object) != pyparse.Identifier || len(keys.alts) == 0 {
		return nil
	}
	var out []place
	for _, left := range s.entries[s.code(object)] {
		if s.scope[left] != s.scope[object] || left > object {
			continue
		}
		key, ok := s.literal(s.field(left, pyparse.FieldSubscript))
		if !ok || !keys.has(key) {
			continue
		}
		ps, _ := e.places(fr, s.field(s.parent[left], pyparse.FieldRight))
		out = append(out, lower(ps, ref.Guess)...)
	}
	return out
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
