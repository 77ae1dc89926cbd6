package analyzers

import (
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// parametrized are the values that pytest.mark.parametrize runs a test with.
func (e *evaluator) parametrized(fr *frame, fn node, param string) []place {
	s := fr.s
	var out []place
	for d := range s.decorators(fn) {
		if s.kind(d) != pyparse.Call || s.lastName(s.field(d, pyparse.FieldFunction)) != "parametrize" {
			continue
		}
		at, many := s.parametrizes(s.positional(d, 0), param)
		if at < 0 {
			continue
		}
		whole := -1
		lists, _ := e.places(fr, s.positional(d, 1))
		for _, l := range lists {
			items, _ := e.loopItems(l, &whole)
			for _, it := range items[:min(len(items), maxAlts)] {
				out = append(out, e.valueIn(it, at, many)...)
			}
		}
	}
	return lower(out, ref.Guess)
}

// valueIn is the value of one parameter in one case: the case itself, a part of it, an argument of pytest.param.
func (e *evaluator) valueIn(it place, at int, many bool) []place {
	s := it.fr.s
	var ps []place
	switch {
	case s.kind(it.n) == pyparse.Call && s.lastName(s.field(it.n, pyparse.FieldFunction)) == "param":
		ps, _ = e.places(it.fr, s.positional(it.n, at))
	case many:
		ps, _ = e.element(it.fr, it.n, at)
	default:
		ps, _ = e.places(it.fr, it.n)
	}
	return ps
}

// parametrizes is a parameter's place among the names of a parametrize: "a, b" or ["a", "b"]; -1 when it is none of
// them. Where there is one name only, its values stand alone.
func (s *Summary) parametrizes(names node, param string) (at int, many bool) {
	var all []string
	if t, ok := s.literal(names); ok {
		all = strings.Split(t, ",")
	} else {
		for c := range s.children(names) {
			t, _ := s.literal(c)
			all = append(all, t)
		}
		many = len(all) > 0
	}
	for i, name := range all {
		if strings.TrimSpace(name) == param {
			return i, many || len(all) > 1
		}
	}
	return -1, false
}

// hparams is self.hparams.NAME, which Lightning's save_hyperparameters takes from the parameters of __init__.
func (e *evaluator) hparams(fr *frame, object node, attr string) (ps []place, why string, ok bool) {
	s := fr.s
	if s.kind(object) != pyparse.Attribute || s.code(s.field(object, pyparse.FieldAttribute)) != "hparams" || len(s.callsOf("save_hyperparameters")) == 0 {
		return nil, "", false
	}
	class := s.selfClass(s.field(object, pyparse.FieldObject))
	if class < 0 {
		return nil, "", false
	}
	inits, _ := e.member(place{fr, class, ref.Exact}, nil, "__init__", 0)
	for _, init := range inits {
		in, opened := init.fr.s.opened[init.n]
		if !opened || init.fr.s.kind(init.n) != pyparse.FunctionDefinition {
			continue
		}
		for _, i := range init.fr.s.bound(in, attr) {
			if b := &init.fr.s.binds[i]; b.kind == bindParam {
				got, w := e.param(init.fr, in, b, attr)
				ps, why, ok = append(ps, got...), w, true
			}
		}
	}
	return ps, why, ok
}

// loadedFrom is what an object that from_pretrained made knows of where it comes from: tokenizer.name_or_path,
// model.config._name_or_path.
func (e *evaluator) loadedFrom(o place, attr string) ([]place, string) {
	s := o.fr.s
	switch attr {
	case "config":
		return []place{o}, ""
	case "name_or_path", "_name_or_path":
		arg := s.positional(o.n, 0)
		for _, name := range hubArg.Names {
			if arg < 0 {
				arg = s.keyword(o.n, name)
			}
		}
		return e.places(o.fr, arg)
	}
	return nil, ""
}
