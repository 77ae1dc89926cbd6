package analyzers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// eval works out the strings that an expression may be.
func (e *evaluator) eval(fr *frame, n node) value {
	why, ok := e.enter(fr, n)
	if !ok {
		return unknown(why)
	}
	defer e.leave(fr, n)
	s := fr.s
	switch s.kind(n) {
	case pyparse.String:
		return e.str(fr, n)
	case pyparse.ConcatenatedString:
		out := text("")
		for c := range s.children(n) {
			out = concat(out, e.eval(fr, c))
		}
		return out
	case pyparse.Integer:
		return text(s.code(n))
	case pyparse.BinaryOperator:
		return e.binary(fr, n)
	case pyparse.ParenthesizedExpression, pyparse.Await:
		return e.eval(fr, s.child(n, 0))
	case pyparse.NamedExpression:
		return e.eval(fr, s.field(n, pyparse.FieldValue))
	case pyparse.ConditionalExpression:
		if arm := e.arm(fr, n); arm >= 0 {
			return e.eval(fr, arm)
		}
		return e.either(fr, s.child(n, 0), s.child(n, 2))
	case pyparse.BooleanOperator:
		return e.either(fr, s.field(n, pyparse.FieldLeft), s.field(n, pyparse.FieldRight))
	case pyparse.Call:
		return e.call(fr, n)
	case pyparse.Identifier, pyparse.Attribute, pyparse.Subscript:
		return e.follow(fr, n)
	case pyparse.None:
		return unknown("it is None")
	}
	return unknown("`" + snippet(s.code(n)) + "` is not a path that can be told from the source")
}

// either is a choice of two: what is known of both, none of it exact.
func (e *evaluator) either(fr *frame, a, b node) value {
	v := e.eval(fr, a).or(e.eval(fr, b))
	if fr.s.kind(a) == pyparse.None || fr.s.kind(b) == pyparse.None {
		v.why = ""
	}
	return v.atMost(ref.Guess)
}

// follow evaluates what a name, an attribute or an item stands for.
func (e *evaluator) follow(fr *frame, n node) value {
	if v, ok := e.special(fr, n); ok {
		return v
	}
	defer e.assume(fr, n)()
	places, why := e.places(fr, n)
	out := e.valueOf(places, why)
	if len(out.alts) == 0 && fr.s.kind(n) == pyparse.Attribute {
		if v, ok := e.pathAttribute(fr, n); ok {
			return v
		}
	}
	return out
}

// valueOf is what the expressions at several places may be.
func (e *evaluator) valueOf(places []place, why string) value {
	out := value{why: why}
	for _, p := range places {
		v := e.evalPlace(p)
		if p.fr.commands != "" && out.why == "" {
			out.why = "a command line in `" + snippet(p.fr.commands) + "` gives it; another may give another"
		}
		out = out.or(v.atMost(p.sure))
	}
	if len(out.alts) > 1 {
		out = out.atMost(ref.Guess)
	}
	return out
}

func (e *evaluator) evalPlace(p place) value {
	switch p.fr.s.kind(p.n) {
	case pyparse.Attribute:
		if v, ok := e.pathAttribute(p.fr, p.n); ok {
			return v
		}
		fallthrough
	case pyparse.Identifier, pyparse.Subscript:
		if v, ok := e.special(p.fr, p.n); ok {
			return v
		}
		return unknown("`" + snippet(p.fr.s.code(p.n)) + "` cannot be told from the source")
	}
	return e.eval(p.fr, p.n)
}

// special are the names with a value of their own.
func (e *evaluator) special(fr *frame, n node) (value, bool) {
	switch fr.s.kind(n) {
	case pyparse.Identifier:
		if fr.s.code(n) == "__file__" {
			return value{alts: []alt{{kind: ref.Path, text: fr.dir + "/" + sourceFile, sure: ref.Exact}}}, true
		}
	case pyparse.Subscript:
		for _, name := range fr.s.names(fr.s.field(n, pyparse.FieldValue)) {
			switch name {
			case "os.environ":
				return unknown("it is the environment variable " + snippet(fr.s.code(fr.s.field(n, pyparse.FieldSubscript)))), true
			case "sys.argv":
				return unknown("it is an argument of the command line"), true
			}
		}
		return e.piece(fr, n)
	case pyparse.Attribute:
		for _, name := range fr.s.names(n) {
			switch name {
			case "os.sep", "os.path.sep":
				return text("/"), true
			case "os.curdir":
				return text("."), true
			case "os.pardir":
				return text(".."), true
			}
		}
	}
	return value{}, false
}

// piece is one part of a string or path that is taken apart: x.split("/")[-1], os.path.splitext(x)[0], x.parents[1].
func (e *evaluator) piece(fr *frame, n node) (value, bool) {
	s := fr.s
	call := s.field(n, pyparse.FieldValue)
	i, err := strconv.Atoi(strings.ReplaceAll(s.code(s.field(n, pyparse.FieldSubscript)), " ", ""))
	switch {
	case err != nil:
		return value{}, false
	case s.kind(call) == pyparse.Attribute:
		return e.ancestor(fr, call, i)
	case s.kind(call) != pyparse.Call:
		return value{}, false
	}
	callee := s.field(call, pyparse.FieldFunction)
	var split func(string) []string
	object := s.positional(call, 0)
	switch s.lastName(callee) {
	case "splitext":
		split = func(p string) []string { stem, ext := splitExt(p); return []string{stem, ext} }
	case "split", "rsplit":
		if s.kind(callee) == pyparse.Attribute && !slices.Contains(s.names(callee), "os.path.split") {
			sep, ok := s.literal(s.positional(call, 0))
			if !ok || sep == "" || s.positional(call, 1) >= 0 || s.keyword(call, "maxsplit") >= 0 {
				return value{}, false
			}
			object = s.field(callee, pyparse.FieldObject)
			split = func(p string) []string { return strings.Split(p, sep) }
			break
		}
		split = func(p string) []string { return []string{dirname(p), basename(p)} }
	default:
		return value{}, false
	}
	return e.eval(fr, object).each(func(p string) string { return nth(split(p), i) }), true
}

// ancestor is x.parents[i].
func (e *evaluator) ancestor(fr *frame, parents node, i int) (value, bool) {
	if fr.s.lastName(parents) != "parents" || i < 0 || i >= maxDepth {
		return value{}, false
	}
	return e.eval(fr, fr.s.field(parents, pyparse.FieldObject)).each(func(p string) string {
		for range i + 1 {
			p = dirname(p)
		}
		return p
	}), true
}

// isPiece says whether an item may be such a part, or an argument of the command line: it stands for itself.
func (s *Summary) isPiece(n node) bool {
	switch of := s.field(n, pyparse.FieldValue); s.kind(of) {
	case pyparse.Attribute:
		last := s.lastName(of)
		return last == "parents" || last == "argv" || last == "environ"
	case pyparse.Call:
		last := s.lastName(s.field(of, pyparse.FieldFunction))
		return last == "splitext" || last == "split" || last == "rsplit"
	}
	return false
}

// nth is the i-th of the parts, counted from the end where i is negative; a hole where there is none.
func nth(parts []string, i int) string {
	if i < 0 {
		i += len(parts)
	}
	if i < 0 || i >= len(parts) {
		return hole
	}
	return parts[i]
}

// str is a string literal or an f-string.
func (e *evaluator) str(fr *frame, n node) value {
	s := fr.s
	if t, ok := s.literal(n); ok {
		return text(t)
	}
	out := text("")
	raw := false
	for c := range s.children(n) {
		switch s.kind(c) {
		case pyparse.StringStart:
			raw = strings.ContainsAny(strings.ToLower(s.code(c)), "r")
		case pyparse.StringContent:
			t, ok := s.content(c, raw)
			if !ok {
				return unknown("its text is not UTF-8")
			}
			out = concat(out, text(strings.NewReplacer("{{", "{", "}}", "}").Replace(t)))
		case pyparse.Interpolation:
			out = concat(out, e.interpolation(fr, c))
		}
	}
	return out
}

func (e *evaluator) interpolation(fr *frame, n node) value {
	v := e.eval(fr, fr.s.field(n, pyparse.FieldExpression)).parts()
	if f := fr.s.first(n, pyparse.FormatSpecifier); f >= 0 { // {n:06d}
		return value{alts: []alt{{kind: ref.Path, text: hole, sure: ref.Exact}}, why: "`" + snippet(fr.s.code(n)) + "` is formatted when it runs"}
	}
	return v
}

// binary is +, / and %.
func (e *evaluator) binary(fr *frame, n node) value {
	s := fr.s
	left, right := s.field(n, pyparse.FieldLeft), s.field(n, pyparse.FieldRight)
	switch op := s.code(s.field(n, pyparse.FieldOperator)); op {
	case "+":
		return concat(e.eval(fr, left), e.eval(fr, right))
	case "/":
		return join(e.eval(fr, left), e.eval(fr, right))
	case "%":
		return e.percent(fr, left, right)
	default:
		return unknown(fmt.Sprintf("`%s` is computed", snippet(s.code(n))))
	}
}

// percent is "…%s…" % arguments.
func (e *evaluator) percent(fr *frame, left, right node) value {
	args := []node{right}
	if fr.s.kind(right) == pyparse.Tuple {
		args = args[:0]
		for c := range fr.s.children(right) {
			args = append(args, c)
		}
	}
	out := value{}
	for _, f := range e.eval(fr, left).parts().alts {
		v, rest, next := text(""), f.text, 0
		for {
			before, after, ok := strings.Cut(rest, "%")
			v = concat(v, value{alts: []alt{{kind: ref.Path, text: before, sure: f.sure}}})
			if !ok || after == "" {
				break
			}
			i := strings.IndexFunc(after, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '%' })
			switch {
			case i < 0:
				return unknown("its format is not understood")
			case after[i] == '%':
				v = concat(v, text("%"))
			case after[:i+1] == "s" && next < len(args):
				v = concat(v, e.eval(fr, args[next]))
				next++
			default:
				v = concat(v, unknown("a number is formatted into it when it runs"))
				next++
			}
			rest = after[i+1:]
		}
		out = out.or(v)
	}
	return out
}

// snippet is source text short enough for a message.
func snippet(code string) string {
	code = strings.Clone(strings.Join(strings.Fields(code), " "))
	if len(code) > 60 {
		cut := 57
		for cut > 0 && code[cut]&0xc0 == 0x80 {
			cut--
		}
		code = code[:cut] + "…"
	}
	return code
}
