package analyzers

import (
	"slices"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// maxConditions bounds the conditions around a use that are looked at.
const maxConditions = 16

// premise is a condition that is known to hold, or not to, where an expression is evaluated.
type premise struct {
	cond  node
	holds bool
}

// assumption is what is known where a name is used, whose value is being evaluated: of other names in it too.
type assumption struct {
	fr       *frame
	premises []premise
}

// assume keeps what is known at n until the function that it returns is called.
func (e *evaluator) assume(fr *frame, n node) func() {
	e.assumed = append(e.assumed, assumption{fr, fr.s.premises(n)})
	return func() { e.assumed = e.assumed[:len(e.assumed)-1] }
}

// known is what the conditions around n say, and what is assumed of the frame.
func (e *evaluator) known(fr *frame, n node) []premise {
	out := fr.s.premises(n)
	for _, a := range e.assumed {
		if a.fr == fr {
			out = append(out, a.premises...)
		}
	}
	return out
}

// narrowed drops the values that a condition around the use n of a name or an attribute rules out: x in
// `if x.endswith(".pt"): torch.load(x)`.
func (e *evaluator) narrowed(fr *frame, n node, in []place) []place {
	s := fr.s
	if len(in) == 0 {
		return in
	}
	var reach []int32
	if s.kind(n) == pyparse.Identifier {
		reach, _ = s.reaching(s.code(n), n, s.scope[n])
	}
	var about []premise
	for _, p := range e.known(fr, n) {
		if s.tests(p.cond, n, reach) {
			about = append(about, p)
		} else if b, name := s.computedOf(p.cond, n, reach); b != nil {
			in = e.meetingComputed(fr, s.code(n), b, name, p, in)
		}
	}
	return e.meeting(fr, s.code(n), about, in)
}

// meeting are the places whose values agree with what is known of a name.
func (e *evaluator) meeting(fr *frame, name string, about []premise, in []place) []place {
	if len(about) == 0 {
		return in
	}
	return slices.DeleteFunc(slices.Clone(in), func(p place) bool {
		texts := e.textsOf(p)
		return len(texts) > 0 && !slices.ContainsFunc(texts, func(t string) bool { return e.meets(fr, name, t, about) })
	})
}

// meets says whether a text does not contradict what is known of a name.
func (e *evaluator) meets(fr *frame, name, text string, about []premise) bool {
	return !slices.ContainsFunc(about, func(c premise) bool {
		got := e.decide(fr, c.cond, name, text, 0)
		return got != Unsure && (got == Yes) != c.holds
	})
}

// textsOf are the texts that an expression may be, with holes where parts are not known; none where it may be another.
func (e *evaluator) textsOf(p place) []string {
	if t, ok := p.fr.s.literal(p.n); ok {
		return []string{t}
	}
	v := e.evalPlace(p)
	var out []string
	for _, a := range v.alts {
		switch {
		case a.kind == ref.Hub && a.file != "": // where it lies is not known, its name is
			out = append(out, hole+"/"+a.file)
		case a.kind == ref.Path:
			out = append(out, strings.ReplaceAll(a.text, fromSource, hole))
		default:
			return nil
		}
	}
	return out
}

// survived drops the values of one binding of the name at n that a later one, under a condition of that value, has
// replaced: after `if p in ALIASES: p = ALIASES[p]` the old p is none of the keys.
func (e *evaluator) survived(fr *frame, n node, binding int32, later []int32, in []place) []place {
	s := fr.s
	var about []premise
	for _, l := range later {
		block := s.enclosing(s.binds[l].at, pyparse.Block)
		if block < 0 || s.kind(s.parent[block]) != pyparse.IfStatement || s.within(n, s.parent[block]) || s.tree.Nodes[block].Field != pyparse.FieldConsequence {
			continue
		}
		cond := s.field(s.parent[block], pyparse.FieldCondition)
		for i := cond; i >= 0 && i < node(s.tree.Nodes[cond].Next); i++ {
			if s.kind(i) != pyparse.Identifier || s.code(i) != s.code(n) || s.scope[i] != s.scope[n] {
				continue
			}
			if at, _ := s.reaching(s.code(i), i, s.scope[i]); slices.Contains(at, binding) {
				about = append(about, premise{cond, false})
			}
			break
		}
	}
	return e.meeting(fr, s.code(n), about, in)
}

// premises are the conditions of the if statements and expressions around n in its function, and of those before it
// that leave the function or the loop.
func (s *Summary) premises(n node) []premise {
	var out []premise
	for child, p := n, s.parent[n]; p >= 0 && len(out) < maxConditions; child, p = p, s.parent[p] {
		switch s.kind(p) {
		case pyparse.FunctionDefinition, pyparse.Lambda, pyparse.ClassDefinition:
			return out
		case pyparse.IfStatement, pyparse.ElifClause:
			out = append(out, s.arms(p, child)...)
		case pyparse.ConditionalExpression:
			if cond := s.child(p, 1); child != cond {
				out = append(out, premise{cond, child == s.child(p, 0)})
			}
		case pyparse.Block:
			out = append(out, s.left(p, child)...)
		}
	}
	return out
}

// arms are the conditions of an if statement, or of one of its elif clauses, for what stands in its child.
func (s *Summary) arms(p, child node) []premise {
	switch s.tree.Nodes[child].Field {
	case pyparse.FieldConsequence:
		return []premise{{s.field(p, pyparse.FieldCondition), true}}
	case pyparse.FieldAlternative:
	default:
		return nil
	}
	out := []premise{{s.field(p, pyparse.FieldCondition), false}}
	for c := range s.children(p) {
		if c == child {
			break
		}
		if s.kind(c) == pyparse.ElifClause {
			out = append(out, premise{s.field(c, pyparse.FieldCondition), false})
		}
	}
	return out
}

// left are the conditions before child in a block under which it is not reached: if c: return.
func (s *Summary) left(block, child node) []premise {
	var out []premise
	for c := range s.children(block) {
		if c >= child || len(out) == maxConditions {
			break
		}
		if s.kind(c) != pyparse.IfStatement || s.field(c, pyparse.FieldAlternative) >= 0 {
			continue
		}
		last := none
		for st := range s.children(s.field(c, pyparse.FieldConsequence)) {
			if s.kind(st) != pyparse.Comment {
				last = st
			}
		}
		code := s.code(last)
		if k := s.kind(last); k == pyparse.ReturnStatement || k == pyparse.RaiseStatement || code == "continue" || code == "break" {
			out = append(out, premise{s.field(c, pyparse.FieldCondition), false})
		}
	}
	return out
}

// tests says whether a condition asks about the name used at n, while that has the value that it has at n.
func (s *Summary) tests(cond, n node, reach []int32) bool {
	name, kind := s.code(n), s.kind(n)
	for i := cond; i >= 0 && i < node(s.tree.Nodes[cond].Next); i++ {
		if s.kind(i) != kind || s.code(i) != name || s.scope[i] != s.scope[n] {
			continue
		}
		if kind == pyparse.Attribute {
			return !s.setBetween(i, n)
		}
		at, _ := s.reaching(name, i, s.scope[i])
		return slices.Equal(at, reach)
	}
	return false
}

// setBetween says whether an attribute of that name, on whatever object, is set between two uses of one.
func (s *Summary) setBetween(from, to node) bool {
	return slices.ContainsFunc(s.attrs[s.lastName(to)], func(a node) bool { return a > from && a < to })
}

// decide says whether a condition is true where the name is the given text, as far as that alone decides it.
func (e *evaluator) decide(fr *frame, cond node, name, text string, depth int) Tri {
	s := fr.s
	if cond < 0 || depth > maxDepth {
		return Unsure
	}
	switch s.kind(cond) {
	case pyparse.Identifier, pyparse.Attribute:
		if s.code(cond) == name {
			return truthOf(text)
		}
	case pyparse.ParenthesizedExpression:
		return e.decide(fr, s.child(cond, 0), name, text, depth+1)
	case pyparse.NotOperator:
		return not(e.decide(fr, s.field(cond, pyparse.FieldArgument), name, text, depth+1))
	case pyparse.BooleanOperator:
		return e.both(fr, cond, name, text, depth+1)
	case pyparse.ComparisonOperator:
		return e.compared(fr, cond, name, text)
	case pyparse.Call:
		if got := s.asked(cond, name, text); got != Unsure {
			return got
		}
		return e.predicate(fr, cond, name, text, depth+1)
	}
	return Unsure
}

// both decides `a and b` and `a or b`.
func (e *evaluator) both(fr *frame, cond node, name, text string, depth int) Tri {
	s := fr.s
	a := e.decide(fr, s.field(cond, pyparse.FieldLeft), name, text, depth)
	b := e.decide(fr, s.field(cond, pyparse.FieldRight), name, text, depth)
	decisive := Yes
	if s.code(s.field(cond, pyparse.FieldOperator)) == "and" {
		decisive = No
	}
	switch {
	case a == decisive || b == decisive:
		return decisive
	case a == Unsure || b == Unsure:
		return Unsure
	}
	return not(decisive)
}

func not(t Tri) Tri {
	switch t {
	case Yes:
		return No
	case No:
		return Yes
	}
	return Unsure
}

func truth(b bool) Tri {
	if b {
		return Yes
	}
	return No
}

// spelled is the text of a literal, or of the name, perhaps in lower case.
func (s *Summary) spelled(n node, name, text string) (string, bool) {
	if t, ok := s.literal(n); ok {
		return t, true
	}
	switch s.kind(n) {
	case pyparse.Integer:
		return s.code(n), true
	case pyparse.Identifier, pyparse.Attribute:
		if s.code(n) == name {
			return text, true
		}
		return s.spelledPart(n, name, text)
	case pyparse.Subscript:
		i, err := strconv.Atoi(strings.ReplaceAll(s.code(s.field(n, pyparse.FieldSubscript)), " ", ""))
		if err != nil {
			return "", false
		}
		return s.spelledPiece(s.field(n, pyparse.FieldValue), i, name, text)
	case pyparse.Call:
		return s.spelledCall(n, name, text)
	}
	return "", false
}

// compared decides ==, !=, in and not in, of which one side is the name and the other a literal or what holds only
// literals.
func (e *evaluator) compared(fr *frame, cond node, name, text string) Tri {
	s := fr.s
	left, op, right := s.child(cond, 0), s.child(cond, 1), s.child(cond, 2)
	if s.child(cond, 3) >= 0 {
		return Unsure
	}
	a, known := s.spelled(left, name, text)
	if !known {
		return Unsure
	}
	if code := s.code(op); strings.HasPrefix(code, "is") {
		return s.is(left, right, name, text, code == "is")
	}
	b, known := s.spelled(right, name, text)
	answer := Unsure
	switch strings.Join(strings.Fields(s.code(op)), " ") {
	case "==", "!=":
		if known {
			answer = equal(a, b)
		}
	case "in", "not in":
		switch {
		case known && strings.Contains(b, a):
			answer = Yes
		case strings.Contains(a+b, hole):
		case known:
			answer = No
		default:
			answer = e.holds(fr, right, a)
		}
	}
	if code := s.code(op); code == "!=" || strings.HasPrefix(code, "not") {
		return not(answer)
	}
	return answer
}

// is decides `left is right` and `left is not right`, where the right is None or a truth value.
func (s *Summary) is(left, right node, name, text string, same bool) Tri {
	c, ok := s.constant(right)
	if !ok || s.code(left) != name || text != "" && strings.Trim(text, hole) == "" {
		return Unsure
	}
	return truth((c == text) == same)
}

// holds says whether the list or dictionary that an expression stands for holds a text: unsure where it may hold more
// than its literals.
func (e *evaluator) holds(fr *frame, n node, text string) Tri {
	if k := fr.s.kind(n); k == pyparse.Call || k == pyparse.Subscript || fr.s.changed(n) { // they may give only a part
		return Unsure
	}
	lists, why := e.places(fr, n)
	if len(lists) != 1 || why != "" || lists[0].sure != ref.Exact {
		return Unsure
	}
	l := lists[0]
	keys, ok := e.items(l)
	if l.fr.s.kind(l.n) == pyparse.Dictionary {
		keys, ok = l.fr.s.keys(l.n)
	}
	if !ok {
		return Unsure
	}
	found := No
	for _, k := range keys {
		t, ok := l.fr.s.literal(k)
		if !ok {
			return Unsure
		}
		if t == text {
			found = Yes
		}
	}
	return found
}

// changed says whether statements of the file put more into the list or dictionary that n names.
func (s *Summary) changed(n node) bool {
	if s.kind(n) != pyparse.Identifier {
		return false
	}
	name := s.code(n)
	if len(s.entries[name]) > 0 {
		return true
	}
	for _, method := range []string{"append", "add", "extend", "insert", "update", "setdefault"} {
		for _, c := range s.callsOf(method) {
			if s.code(s.field(s.field(c, pyparse.FieldFunction), pyparse.FieldObject)) == name {
				return true
			}
		}
	}
	return false
}

// keys are those of a dictionary that is written out; false where another is unpacked into it.
func (s *Summary) keys(dict node) ([]node, bool) {
	var out []node
	for c := range s.children(dict) {
		switch s.kind(c) {
		case pyparse.Pair:
			out = append(out, s.field(c, pyparse.FieldKey))
		case pyparse.Comment:
		default:
			return nil, false
		}
	}
	return out, true
}

// asked decides x.endswith(…) and x.startswith(…).
func (s *Summary) asked(call node, name, text string) Tri {
	callee := s.field(call, pyparse.FieldFunction)
	if s.kind(callee) != pyparse.Attribute || s.positional(call, 1) >= 0 {
		return Unsure
	}
	t, ok := s.spelled(s.field(callee, pyparse.FieldObject), name, text)
	if !ok {
		return Unsure
	}
	has := ends
	switch s.lastName(callee) {
	case "endswith":
	case "startswith":
		has = begins
	default:
		return Unsure
	}
	parts := []node{s.positional(call, 0)}
	if s.kind(parts[0]) == pyparse.Tuple {
		parts = slices.Collect(s.children(parts[0]))
	}
	answer := No
	for _, p := range parts {
		part, ok := s.literal(p)
		if !ok {
			return Unsure
		}
		switch has(t, part) {
		case Yes:
			return Yes
		case Unsure:
			answer = Unsure
		}
	}
	return answer
}

// ends says whether a text, of which parts may not be known, ends in another.
func ends(t, part string) Tri {
	i := strings.LastIndexAny(t, hole)
	switch tail := t[i+1:]; {
	case strings.HasSuffix(tail, part):
		return Yes
	case i < 0 || !strings.HasSuffix(part, tail):
		return No
	}
	return Unsure
}

// begins is ends for the beginning.
func begins(t, part string) Tri {
	head, _, holed := strings.Cut(t, hole)
	switch {
	case strings.HasPrefix(head, part):
		return Yes
	case !holed || !strings.HasPrefix(part, head):
		return No
	}
	return Unsure
}

// equal says whether two texts are the same, of which parts may not be known.
func equal(a, b string) Tri {
	if strings.Contains(a, hole) {
		a, b = b, a
	}
	head, _, holed := strings.Cut(b, hole)
	switch {
	case !holed:
		return truth(a == b)
	case strings.Contains(a, hole):
		return Unsure
	case !strings.HasPrefix(a, head) || !strings.HasSuffix(a, b[strings.LastIndexAny(b, hole)+1:]):
		return No
	}
	return Unsure
}

// lookedUp is D.get(key, default) of dictionaries that are written out, where the keys are known: each that is there
// gives its entry, any other the default, which in D.get(x, x) is the key itself.
func (e *evaluator) lookedUp(fr *frame, object, key, def node) ([]place, bool) {
	s := fr.s
	keys := e.eval(fr, key)
	dicts, why := e.places(fr, object)
	if s.changed(object) || len(keys.alts) == 0 || keys.why != "" || len(dicts) == 0 || why != "" {
		return nil, false
	}
	var out []place
	missing := map[string]bool{}
	for _, k := range keys.alts {
		missing[k.text] = true
		for _, d := range dicts {
			switch e.holds(d.fr, d.n, k.text) {
			case Unsure:
				return nil, false
			case Yes:
				ps, _ := e.entryOf(d, value{alts: []alt{k}})
				out = append(out, ps...)
				delete(missing, k.text)
			}
		}
	}
	if len(missing) > 0 && s.kind(def) != pyparse.None {
		ps, _ := e.places(fr, def)
		if s.code(def) == s.code(key) {
			ps = slices.DeleteFunc(slices.Clone(ps), func(p place) bool {
				t, ok := p.fr.s.literal(p.n)
				return ok && !missing[t]
			})
		}
		out = append(out, lower(ps, ref.Default)...)
	}
	if len(keys.alts) > 1 {
		out = lower(out, ref.Guess)
	}
	return out[:min(len(out), maxAlts)], len(out) > 0
}
