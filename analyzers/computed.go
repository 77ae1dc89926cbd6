package analyzers

import (
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
)

// spelledPart is x.suffix or x.name for an x that has the text of a name.
func (s *Summary) spelledPart(n node, name, text string) (string, bool) {
	last := s.lastName(n)
	if s.kind(n) != pyparse.Attribute || last != "suffix" && last != "name" {
		return "", false
	}
	t, ok := s.spelled(s.field(n, pyparse.FieldObject), name, text)
	if !ok {
		return "", false
	}
	if last == "name" {
		return tail(basename(t)), true
	}
	return extension(t)
}

// spelledPiece is the i-th part of what a call takes apart: os.path.splitext(x)[1], x.split(".")[-1].
func (s *Summary) spelledPiece(call node, i int, name, text string) (string, bool) {
	callee := s.field(call, pyparse.FieldFunction)
	if s.kind(call) != pyparse.Call || s.unpacks(call) {
		return "", false
	}
	switch last := s.lastName(callee); last {
	case "splitext":
		if i == 1 || i == -1 {
			if t, ok := s.spelled(s.positional(call, 0), name, text); ok {
				return extension(t)
			}
		}
	case "split", "rsplit":
		if limited := last == "split" && (s.positional(call, 1) >= 0 || s.keyword(call, "maxsplit") >= 0); i == -1 && !limited {
			return s.lastPiece(callee, s.positional(call, 0), name, text)
		}
	}
	return "", false
}

// lastPiece is what stands behind the last separator of the text whose method is called.
func (s *Summary) lastPiece(callee, separator node, name, text string) (string, bool) {
	sep, ok := s.literal(separator)
	if !ok || sep == "" || s.kind(callee) != pyparse.Attribute {
		return "", false
	}
	t, ok := s.spelled(s.field(callee, pyparse.FieldObject), name, text)
	return tail(nth(strings.Split(t, sep), -1)), ok
}

// spelledCall is x.lower(), str(x), Path(x) or basename(x) for an x that has the text of a name.
func (s *Summary) spelledCall(n node, name, text string) (string, bool) {
	callee := s.field(n, pyparse.FieldFunction)
	of := s.positional(n, 0)
	if s.positional(n, 1) >= 0 {
		return "", false
	}
	last := s.lastName(callee)
	if last == "lower" {
		of = s.field(callee, pyparse.FieldObject)
	}
	if of < 0 {
		return "", false
	}
	switch t, ok := s.spelled(of, name, text); last {
	case "lower":
		return strings.ToLower(t), ok
	case "str", "Path", "PurePath":
		return t, ok
	case "basename":
		return tail(basename(t)), ok
	}
	return "", false
}

// extension is the ending of a path of which parts may not be known; false where it is not known.
func extension(t string) (string, bool) {
	_, ext := splitExt(t)
	if strings.Contains(ext, hole) || ext == "" && strings.Contains(t, hole) {
		return "", false
	}
	return ext, true
}

// tail is the end of a text; where a part of that is not known, only what follows it is sure.
func tail(end string) string {
	if i := strings.LastIndex(end, hole); i >= 0 {
		return end[i:]
	}
	return end
}

// computedOf is the first name in a condition that was computed from the name used at n while that had the value that it
// has there: ext after `ext = os.path.splitext(p)[1]`.
func (s *Summary) computedOf(cond, n node, reach []int32) (*binding, string) {
	switch core, _ := s.positive(cond); {
	case s.kind(n) != pyparse.Identifier:
		return nil, ""
	case s.kind(core) == pyparse.Identifier, s.kind(core) == pyparse.ComparisonOperator:
	case s.kind(core) == pyparse.Call && strings.HasSuffix(s.lastName(s.field(core, pyparse.FieldFunction)), "swith"): // starts, ends
	default: // what would have to be followed to be decided
		return nil, ""
	}
	for i := cond; i >= 0 && i < node(s.tree.Nodes[cond].Next) && i-cond < maxAsked; i++ {
		if s.kind(i) != pyparse.Identifier || s.scope[i] != s.scope[n] {
			continue
		}
		at, in := s.reaching(s.code(i), i, s.scope[i])
		if len(at) != 1 || in != s.scope[n] {
			continue
		}
		if b := &s.binds[at[0]]; (b.kind == bindValue || b.kind == bindUnpack) && s.tests(b.value, n, reach) {
			return b, s.code(i)
		}
	}
	return nil, ""
}

// meetingComputed are the places whose values agree with a condition on what was computed from them.
func (e *evaluator) meetingComputed(fr *frame, name string, b *binding, computed string, p premise, in []place) []place {
	// What a text that is none of the values says costs nothing: where that decides nothing no value will.
	if got, ok := e.computed(fr, b, name, "\x05.\x05"); !ok || e.decide(fr, p.cond, computed, got, 0) == Unsure {
		return in
	}
	return slices.DeleteFunc(slices.Clone(in), func(at place) bool {
		texts := e.textsOf(at)
		return len(texts) > 0 && !slices.ContainsFunc(texts, func(t string) bool {
			got, ok := e.computed(fr, b, name, t)
			return !ok || e.meets(fr, computed, got, []premise{p})
		})
	})
}

// computed is what a binding makes of a name's text: a part of it, or the answer to a question about it.
func (e *evaluator) computed(fr *frame, b *binding, name, text string) (string, bool) {
	s := fr.s
	if b.kind == bindUnpack {
		return s.spelledPiece(b.value, int(b.elem), name, text)
	}
	if got, ok := s.spelled(b.value, name, text); ok {
		return got, true
	}
	switch s.kind(b.value) {
	case pyparse.ComparisonOperator, pyparse.NotOperator, pyparse.Call:
		switch e.decide(fr, b.value, name, text, 0) {
		case Yes:
			return trueText, true
		case No:
			return falseText, true
		}
	}
	return "", false
}
