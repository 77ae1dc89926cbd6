package analyzers

import (
	"slices"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
)

// choice is a decision that several values may depend on: which way a condition goes, which of its values a name has,
// which call of a function is the one at hand, which element a loop is at, which key a table is asked for.
type choice struct {
	s    *Summary
	call key    // the call that is followed, where the decision is one inside of it
	what string // tells it from the others of the file
}

// outcome is one way that a choice may go.
type outcome struct {
	s    *Summary
	n    node
	i    int
	text string
}

var holding, failing = outcome{i: 1}, outcome{i: 2}

// byDefault is the call of a function that nobody sees, which gives none of the arguments that have defaults.
var byDefault = outcome{i: 3}

// meeting is a choice that an evaluation came upon.
type meeting struct {
	choice
	ways   []outcome
	points []point
	needed bool // a parameter without a default depends on it: byDefault is no way that is known
}

// point is where a choice mattered.
type point struct {
	s    *Summary
	n    node
	i    int
	name string
}

// Bounds of the evaluation case by case.
const (
	maxMeetings = 64
	maxPoints   = 8
	maxCases    = 48
)

// meet notes that a value depends on a choice.
func (e *evaluator) meet(c choice, at point, ways ...outcome) *meeting {
	i := slices.IndexFunc(e.met, func(m meeting) bool { return m.choice == c })
	if i < 0 {
		if len(e.met) == maxMeetings {
			return &meeting{}
		}
		i = len(e.met)
		e.met = append(e.met, meeting{choice: c})
	}
	m := &e.met[i]
	if len(m.points) < maxPoints && !slices.Contains(m.points, at) {
		m.points = append(m.points, at)
	}
	for _, w := range ways {
		if len(m.ways) <= maxAlts && !slices.Contains(m.ways, w) {
			m.ways = append(m.ways, w)
		}
	}
	return m
}

// byCases is what an expression may be, where its alternatives v were combined of others: evaluated anew for every way
// that a choice may go on which more than one of its parts depend, so that what never comes together is not combined.
func (e *evaluator) byCases(fr *frame, n node, v value) value {
	if !v.mixed {
		return v
	}
	e.left, e.spent, e.taken = maxCases, 0, map[choice]outcome{}
	got, ok := e.cases(fr, n, v)
	if !ok || len(got.alts) == 0 {
		return v
	}
	// In the order that they had; none of them is exact, for there were several.
	out := value{why: got.why}
	for _, a := range slices.Concat(v.alts, got.alts) {
		if slices.ContainsFunc(got.alts, a.same) && !slices.ContainsFunc(out.alts, a.same) && len(out.alts) < maxAlts {
			out.alts = append(out.alts, a)
		}
	}
	return out
}

// cases evaluates an expression for every way of the choice that most of its parts depend on, and each of those for
// the ways of the next; false when that takes too long.
func (e *evaluator) cases(fr *frame, n node, v value) (value, bool) {
	m, ok := e.shared()
	if !v.mixed || !ok {
		return v, true
	}
	defer delete(e.taken, m.choice)
	out := value{}
	for _, w := range m.ways {
		if w == byDefault && m.needed {
			continue
		}
		e.left--
		e.spent += e.work
		if e.left < 0 || e.spent > 2*maxWork {
			return v, false
		}
		e.taken[m.choice], e.met, e.work = w, nil, 0
		got, ok := e.cases(fr, n, e.eval(fr, n))
		if !ok {
			return v, false
		}
		out = out.or(got)
	}
	return out, true
}

// shared is the choice, none of those taken, that matters at most points, and at two at least.
func (e *evaluator) shared() (meeting, bool) {
	best := meeting{}
	for _, m := range e.met {
		if _, done := e.taken[m.choice]; !done && len(m.ways) > 1 && len(m.points) > max(1, len(best.points)) {
			best = m
		}
	}
	return best, len(best.points) > 1
}

// chosen is the one of the values of the name used at n that is taken in the case at hand.
func (e *evaluator) chosen(fr *frame, n node, reach []int32, in []place) []place {
	if len(in) < 2 {
		return in
	}
	c := choice{fr.s, fr.call, "name " + numbers(reach)}
	ways := make([]outcome, len(in))
	for i, p := range in {
		ways[i] = outcome{s: p.fr.s, n: p.n}
	}
	e.meet(c, point{s: fr.s, n: n}, ways...)
	if w, ok := e.taken[c]; ok {
		if i := slices.Index(ways, w); i >= 0 {
			return in[i : i+1 : i+1]
		}
	}
	return in
}

func numbers(list []int32) string {
	var b []byte
	for _, i := range list[:min(len(list), maxAlts)] {
		b = append(strconv.AppendInt(b, int64(i), 36), ' ')
	}
	return string(b)
}

// excluded says whether conditions and flags keep a binding from being the one that the use n sees.
func (e *evaluator) excluded(fr *frame, n, at node) bool {
	return e.flagged(fr, n, at) || e.contradicts(fr, n, at)
}

// contradicts says whether a binding or a setting at cannot be the one that the use n sees: it stands under a condition
// that is known not to hold there, or not to hold in the case at hand.
func (e *evaluator) contradicts(fr *frame, n, at node) bool {
	for _, p := range fr.s.turns(at, n) {
		if got := e.goes(fr, n, p.cond); got != Unsure && (got == Yes) != p.holds {
			return true
		}
	}
	return false
}

// hidesOthers says whether a binding under conditions is made for certain in the case at hand: it hides those before.
func (e *evaluator) hidesOthers(fr *frame, n, at node) bool {
	if len(e.taken) == 0 && len(e.assumed) == 0 {
		return false
	}
	turns := fr.s.turns(at, n)
	return len(turns) > 0 && !slices.ContainsFunc(turns, func(p premise) bool {
		got := e.goes(fr, n, p.cond)
		return got == Unsure || (got == Yes) != p.holds
	})
}

// turns are the conditions of the if statements around at that are not around use; none where a loop or a try is
// between, for what they decide once need not be what they decide in the end.
func (s *Summary) turns(at, use node) []premise {
	var out []premise
	for child, p := at, s.parent[at]; p >= 0 && !s.within(use, p); child, p = p, s.parent[p] {
		switch s.kind(p) {
		case pyparse.FunctionDefinition, pyparse.Lambda, pyparse.ClassDefinition:
			return out
		case pyparse.ForStatement, pyparse.WhileStatement, pyparse.TryStatement, pyparse.MatchStatement:
			return nil
		case pyparse.IfStatement, pyparse.ElifClause:
			out = append(out, s.arms(p, child)...)
		}
		if len(out) > maxConditions {
			return nil
		}
	}
	return out
}

// goes says which way a condition goes, as far as the case at hand or the conditions around a use tell.
func (e *evaluator) goes(fr *frame, use, cond node) Tri {
	c, flip := e.condition(fr, cond)
	e.meet(c, point{s: fr.s, n: use}, holding, failing)
	var answer Tri
	if w, ok := e.taken[c]; ok {
		answer = truth(w == holding)
	} else {
		answer = e.knownOf(fr, use, c)
	}
	if flip {
		return not(answer)
	}
	return answer
}

// knownOf is what the conditions around a use say of one that was decided before.
func (e *evaluator) knownOf(fr *frame, use node, c choice) Tri {
	for _, p := range e.known(fr, use) {
		if o, flip := e.condition(fr, p.cond); o == c {
			return truth(p.holds != flip)
		}
	}
	return Unsure
}

// condition is the choice that a condition is, and whether that is its contrary: `not x`, `x is not None`. Two conditions
// are one where they read the same and their names have the same values.
func (e *evaluator) condition(fr *frame, cond node) (choice, bool) {
	s := fr.s
	k := key{e.frame(s, fr.dir), cond}
	got, ok := e.conditions[k]
	if !ok {
		core, flip := s.positive(cond)
		text, flipped := s.wording(core)
		what, local := s.meaning(core)
		got = condition{"if " + text + what, local, flip != flipped}
		if e.conditions == nil {
			e.conditions = map[key]condition{}
		}
		e.conditions[k] = got
	}
	c := choice{s: s, what: got.what}
	if got.local {
		c.call = fr.call
	}
	return c, got.flip
}

// condition is what evaluator.condition found.
type condition struct {
	what  string
	local bool // it asks about names of the function
	flip  bool
}

// positive is a condition without the parentheses and the `not`s around it, and whether their number is odd.
func (s *Summary) positive(cond node) (node, bool) {
	flip := false
	for {
		switch s.kind(cond) {
		case pyparse.ParenthesizedExpression:
			cond = s.child(cond, 0)
		case pyparse.NotOperator:
			cond, flip = s.field(cond, pyparse.FieldArgument), !flip
		default:
			return cond, flip
		}
	}
}

// wording is a condition's text without needless space; of !=, is not and not in that of the contrary.
func (s *Summary) wording(cond node) (string, bool) {
	if s.kind(cond) == pyparse.ComparisonOperator && s.child(cond, 3) < 0 {
		op := strings.Join(strings.Fields(s.code(s.child(cond, 1))), " ")
		contrary := map[string]string{"!=": "==", "is not": "is", "not in": "in"}[op]
		if contrary != "" {
			op = contrary
		}
		return s.words(s.child(cond, 0)) + " " + op + " " + s.words(s.child(cond, 2)), contrary != ""
	}
	return s.words(cond), false
}

func (s *Summary) words(n node) string { return strings.Join(strings.Fields(s.code(n)), " ") }

// maxAsked bounds the nodes of a condition that is compared with others.
const maxAsked = 64

// meaning tells expressions that read the same but do not mean the same apart: by the bindings of their names, by how
// often an attribute was set before. One that calls what may answer otherwise the next time is only itself.
func (s *Summary) meaning(n node) (what string, local bool) {
	if n < 0 || node(s.tree.Nodes[n].Next)-n > maxAsked {
		return " @" + strconv.Itoa(int(n)), true
	}
	var b strings.Builder
	for i := n; i < node(s.tree.Nodes[n].Next); i++ {
		switch s.kind(i) {
		case pyparse.Identifier:
			if s.kind(s.parent[i]) == pyparse.Attribute && s.tree.Nodes[i].Field == pyparse.FieldAttribute {
				continue
			}
			reach, in := s.reaching(s.code(i), i, s.scope[i])
			local = local || in > 0
			b.WriteString(" |" + numbers(reach))
		case pyparse.Attribute:
			set, _ := slices.BinarySearch(s.attrs[s.lastName(i)], i)
			b.WriteString(" ." + strconv.Itoa(set))
		case pyparse.Call:
			if !lasting(s.lastName(s.field(i, pyparse.FieldFunction))) {
				return " @" + strconv.Itoa(int(n)), true
			}
		case pyparse.Await, pyparse.Yield, pyparse.NamedExpression:
			return " @" + strconv.Itoa(int(n)), true
		}
	}
	return b.String(), local
}

// lasting says whether a function of that name gives the same for the same arguments.
func lasting(name string) bool {
	switch name {
	case "startswith", "endswith", "lower", "upper", "strip", "isinstance", "issubclass", "hasattr", "getattr", "len", "str", "int", "bool", "get", "getenv", "system", "is_available", "split", "splitext":
		return true
	}
	return false
}

// sideTaken is the side of a conditional expression that is taken in the case at hand, or that the conditions around what
// is evaluated leave; none where they leave both.
func (e *evaluator) sideTaken(fr *frame, n node) node {
	switch e.goes(fr, n, fr.s.child(n, 1)) {
	case Yes:
		return fr.s.child(n, 0)
	case No:
		return fr.s.child(n, 2)
	}
	return none
}

// callOf is the choice of the call of a function that is at hand.
func callOf(s *Summary, fn node) choice { return choice{s: s, what: "call " + strconv.Itoa(int(fn))} }

// callers are the calls of a function that count in the case at hand, and whether its defaults do.
func (e *evaluator) callers(fr *frame, fn node, param string, required bool, sites []place) []place {
	c := callOf(fr.s, fn)
	ways := make([]outcome, 0, len(sites)+1)
	for _, site := range sites {
		ways = append(ways, outcome{s: site.fr.s, n: site.n})
	}
	ways = append(ways, byDefault)
	m := e.meet(c, point{s: fr.s, n: fn, name: param}, ways...)
	m.needed = m.needed || required
	w, ok := e.taken[c]
	if !ok {
		return sites
	}
	return slices.DeleteFunc(slices.Clone(sites), func(p place) bool { return w != outcome{s: p.fr.s, n: p.n} })
}

// defaulted says whether a parameter may have its default in the case at hand: not where the call that is taken gives it.
func (e *evaluator) defaulted(fr *frame, fn node, name string) bool {
	w, ok := e.taken[callOf(fr.s, fn)]
	if !ok || w.s == nil {
		return true
	}
	i, _ := fr.s.paramIndex(fn, name)
	return w.s.keyword(w.n, name) < 0 && (i < 0 || w.s.positional(w.n, i) < 0)
}

// turn says whether an element is the one that the loop over n is at in the case at hand.
func (e *evaluator) turn(fr *frame, n node, elem int, seq place, i int) bool {
	c := choice{fr.s, fr.call, "each " + strconv.Itoa(int(n))}
	o := outcome{seq.fr.s, seq.n, i, ""}
	e.meet(c, point{s: fr.s, n: n, i: elem}, o)
	w, ok := e.taken[c]
	return !ok || w == o || w.s != o.s || w.n != o.n
}

// keyTaken is the key that a table is asked for in the case at hand, where nothing tells the key.
func (e *evaluator) keyTaken(fr *frame, object, key node, tables []place, known value) value {
	if len(known.alts) > 0 || key < 0 {
		return known
	}
	what, local := fr.s.meaning(key)
	c := choice{s: fr.s, what: "key " + fr.s.words(key) + what}
	if local {
		c.call = fr.call
	}
	for _, d := range tables {
		if d.fr.s.kind(d.n) != pyparse.Dictionary {
			continue
		}
		keys, _ := d.fr.s.keys(d.n)
		for _, k := range keys[:min(len(keys), maxAlts)] {
			if t, ok := d.fr.s.literal(k); ok {
				e.meet(c, point{s: fr.s, n: object}, outcome{text: t})
			}
		}
	}
	if w, ok := e.taken[c]; ok {
		return text(w.text)
	}
	return known
}
