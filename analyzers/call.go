package analyzers

import (
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// Call is one call of a loader, for the loader to judge.
type Call struct {
	s    *Summary
	n    node
	fn   node   // what is called
	name string // the qualified name that it was recognised by
	l    *linker
	arg  node // the argument that names what is loaded, or none
	skip int  // positional arguments of n that are not the loader's: those of partial(load, …)
	part node // the functools.partial that is called, which gives keyword arguments too; or none
}

// Name is the callee as the source writes it.
func (c *Call) Name() string { return snippet(c.s.code(c.fn)) }

// callee is the span of what is called.
func (c *Call) callee() Span { return c.s.span(c.fn) }

// Version is what the project asks of a package's version.
func (c *Call) Version(pkg string) Constraint {
	if c.l.o.Workspace == nil {
		return Constraint{}
	}
	return c.l.o.Workspace.Version(pkg)
}

// Keyword is the value of a keyword argument, or none.
func (c *Call) Keyword(name string) node {
	if v := c.s.keyword(c.n, name); v >= 0 || c.part <= 0 {
		return v
	}
	return c.s.keyword(c.part, name)
}

// partOf is the functools.partial that a callee stands for, or none.
func (c *Call) partOf() node {
	s := c.s
	if s.kind(c.fn) != pyparse.Identifier {
		return s.partial(c.fn)
	}
	reach, _ := s.reaching(s.code(c.fn), c.fn, s.scope[c.fn])
	if len(reach) != 1 || s.binds[reach[0]].kind != bindValue {
		return none
	}
	return s.partial(s.binds[reach[0]].value)
}

// Arg finds an argument by name or position.
func (c *Call) Arg(a Arg) node {
	for _, name := range a.Names {
		if v := c.Keyword(name); v >= 0 {
			return v
		}
	}
	if a.Pos < 0 {
		return none
	}
	pos := a.Pos
	if c.part > 0 {
		for i := 1; c.s.positional(c.part, i) >= 0; i++ { // partial gives the first ones
			if i == a.Pos+1 {
				return c.s.positional(c.part, i)
			}
			pos--
		}
	}
	return c.s.positional(c.n, pos+c.skip)
}

// unpacked is what a dictionary that is unpacked into the call, f(**kwargs), gives for an argument.
func (c *Call) unpacked(a Arg) value {
	e := c.evaluator()
	for _, name := range a.Names {
		if ps := e.argument(place{e.frame(c.s, fromSource), c.n, ref.Exact}, name, -1); len(ps) > 0 {
			return e.valueOf(ps, "")
		}
	}
	return value{}
}

// HasSplat says whether arguments are unpacked from something (*args, **kwargs).
func (c *Call) HasSplat() bool { return c.s.unpacks(c.n) }

func (c *Call) splat() string { return c.s.code(c.s.splat(c.n)) }

// unpacks says whether a call's arguments are unpacked from something.
func (s *Summary) unpacks(call node) bool { return s.splat(call) >= 0 }

// splat is the first argument of a call that is unpacked; none where none is.
func (s *Summary) splat(call node) node {
	for a := range s.children(s.field(call, pyparse.FieldArguments)) {
		if k := s.kind(a); k == pyparse.ListSplat || k == pyparse.DictionarySplat {
			return a
		}
	}
	return none
}

// Eval works out what an expression in the call may be.
func (c *Call) Eval(n node) value {
	e := c.evaluator()
	fr := e.frame(c.s, fromSource)
	return e.byCases(fr, n, e.eval(fr, n))
}

func (c *Call) evaluator() *evaluator {
	return &evaluator{w: c.l.o.Workspace, frames: map[*Summary]*frame{}, active: map[key]bool{}}
}

// Bool is the truth of an expression: Unsure when it is absent or not a known literal.
func (c *Call) Bool(n node) Tri {
	if n < 0 {
		return Unsure
	}
	e := c.evaluator()
	places, why := e.places(e.frame(c.s, fromSource), n)
	answer := Unsure
	for i, p := range places {
		got := Unsure
		switch p.fr.s.kind(p.n) {
		case pyparse.True:
			got = Yes
		case pyparse.False, pyparse.None:
			got = No
		}
		if i > 0 && got != answer {
			return Unsure
		}
		answer = got
	}
	if why != "" {
		return Unsure
	}
	for _, p := range places { // a default that a caller may change is not certain
		if p.sure == 0 || p.sure == 1 {
			return Unsure
		}
	}
	return answer
}

// isObject says whether an expression is certainly what a call of a model's class or of a loader gives, and no name.
func (c *Call) isObject(n node) bool {
	e := c.evaluator()
	ps, why := e.places(e.frame(c.s, fromSource), n)
	for _, p := range ps {
		if p.fr.s.kind(p.n) != pyparse.Call || !strings.HasPrefix(p.fr.s.lastName(p.fr.s.field(p.n, pyparse.FieldFunction)), "from_") {
			return false
		}
	}
	return len(ps) > 0 && why == ""
}

// onlyLocal says whether the call is told not to ask the hub, or names what can only be a local path.
func (c *Call) onlyLocal() bool {
	if c.Bool(c.Keyword("local_files_only")) == Yes {
		return true
	}
	v := c.Eval(c.arg)
	if len(v.alts) == 0 {
		return false
	}
	for _, a := range v.alts {
		if !localOnly(a.text) {
			return false
		}
	}
	return true
}

func localOnly(t string) bool {
	return strings.HasPrefix(t, "/") || strings.HasPrefix(t, "./") || strings.HasPrefix(t, "../") || strings.HasPrefix(t, "~") ||
		strings.HasPrefix(t, fromSource) || strings.Count(t, "/") > 1 && !strings.Contains(t, "://")
}
