package pickle

import (
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// maxHops bounds partials of partials and the like.
const maxHops = 8

// callResult is a call whose callee is itself the result of a call: it is followed as far as it can be told.
func (m *machine) callResult(op *Op, id, hops int) value {
	inner := int(m.calls[id].callee.index())
	g := m.calleeGlobal(inner)
	if g == nil || hops > maxHops {
		return m.callUnknownResult(id)
	}
	if g.entry.rule == rule.PickleCarriesCode {
		return m.callCarried(id, g)
	}
	if v, ok := m.apply(op, id, inner, g, hops); ok {
		return v
	}
	return m.callUnknownResult(id)
}

// apply calls what the inner call, of g, evaluated to; ok is false where that can't be told.
func (m *machine) apply(op *Op, id, inner int, g *global, hops int) (v value, ok bool) {
	vs, _ := m.args(inner)
	args, _ := m.args(id)
	if g.entry.check == "keep" && g.name == "partial" {
		return m.callPartial(op, id, inner, hops), true
	}
	if g.entry.check == "getattr" && len(vs) >= 2 {
		method, _ := m.text(vs[1], maxName)
		return m.callMethod(op, id, vs[0], method, args), true
	}
	if g.entry.check == "keep" && g.name == "_rebuild_undef" {
		return m.callUndef(id), true
	}
	if len(args) != 1 || len(vs) == 0 {
		return 0, false
	}
	name, _ := m.text(vs[0], maxName)
	switch check := g.entry.check; {
	case check == "attrgetter" && len(vs) == 1:
		return m.attribute(op, id, args[0], name), true
	case check == "keep" && g.name == "itemgetter":
		return m.item(op, id, args[0], vs[0]), true
	case check == "methodcaller":
		return m.callMethod(op, id, args[0], name, vs[1:]), true
	}
	return 0, false
}

// callCarried calls what cloudpickle or dill made: a function by value, or one of their type tables.
func (m *machine) callCarried(id int, g *global) value {
	switch g.name {
	case "_make_function", "_create_function", "_make_skel_func", "_make_skeleton_func":
		m.accuse(rule.PickleCodeExecution, m.calls[id].off, g.String(), "would call a function that the pickle carries as code: "+m.renderCall(id))
	case "_create_type":
		if c := m.calls[id]; c.op != opNewObj && c.op != opNewObjEx && m.initializes(int(c.callee.index())) {
			m.accuse(rule.PickleCodeExecution, c.off, g.String(), "would call a class whose __init__ the pickle carries as code: "+m.renderCall(id))
		}
	}
	return result(id)
}

func (m *machine) callUnknownResult(id int) value {
	c := &m.calls[id]
	m.accuse(rule.PickleUnknownCall, c.off, m.render(c.callee), "would call what "+m.render(c.callee)+" evaluates to: "+m.renderCall(id))
	return result(id)
}

// callPartial calls a functools.partial. Its __setstate__ replaces what __new__ was given.
func (m *machine) callPartial(op *Op, id, inner, hops int) value {
	vs, _ := m.args(inner)
	if len(vs) == 0 {
		return m.callUnknownResult(id)
	}
	f, bound, keywords := vs[0], vs[1:], m.calls[id].extra
	if state, _ := m.elements(m.calls[inner].state); len(state) >= 2 {
		f = state[0]
		bound, _ = m.elements(state[1])
		if len(state) >= 3 && state[2].kind() == kDict {
			keywords = state[2]
		}
	}
	args, _ := m.args(id)
	m.calls = append(m.calls, call{callee: f, args: m.container(kTuple, append(append([]value{}, bound...), args...)...), extra: keywords, off: op.Pos, op: opReduce})
	return m.judgeCall(op, len(m.calls)-1, hops+1)
}

// callUndef calls a function of sympy's that is only a name: like sympy's classes it evaluates text.
func (m *machine) callUndef(id int) value {
	if !m.plain(id) {
		m.accuse(rule.PickleCodeExecution, m.calls[id].off, m.render(m.calls[id].callee), "would evaluate text as Python on load: "+m.renderCall(id))
	}
	return result(id)
}

// callMethod calls object.name(*args).
func (m *machine) callMethod(op *Op, id int, object value, name string, args []value) value {
	if object.kind() == kGlobal {
		f := m.attribute(op, id, object, name)
		return m.callHop(op, f, m.container(kTuple, args...), maxHops)
	}
	m.attribute(op, id, 0, name)
	switch object.kind() {
	case kStr, kBytes, kByteArray, kInt, kFloat, kBool, kBigInt, kTuple, kList, kDict, kSet, kFrozenSet, kNone, kEncoded:
		if !m.load.leaf(name) {
			m.judgeGivenTo(id, name, args)
			if m.growsBy(object, args) {
				m.accuseGrowth(id, name)
			}
			return result(id) // a method of plain data
		}
	}
	severity := rule.PickleUnknownCall
	fileSystem := object.kind() == kInst && root(m.globals[object.index()].module) == "fsspec" // harmless until used
	if fileSystem || m.load.leaf(name) {
		severity = rule.PickleSystemAccess
	}
	m.accuse(severity, m.calls[id].off, name, "would call the method "+clean(name)+" on load: "+m.renderCall(id))
	return result(id)
}

// callHop is a call that some other call makes, the hops-th in a row.
func (m *machine) callHop(op *Op, callee, args value, hops int) value {
	m.calls = append(m.calls, call{callee: callee, args: args, off: op.Pos, op: opReduce})
	return m.judgeCall(op, len(m.calls)-1, hops)
}

// evaluate is what a dangerous call evaluates to, where that names a thing: import_module('os') is os.
func (m *machine) evaluate(op *Op, id int) value {
	g := m.calleeGlobal(id)
	vs, _ := m.args(id)
	if len(vs) == 0 {
		return result(id)
	}
	name, ok := m.text(vs[0], maxName)
	switch leaf := g.name; {
	case !ok:
	case leaf == "__import__" || leaf == "import_module" || leaf == "subimport":
		return m.module(op, name)
	case leaf == "resolve_name" || leaf == "locate" || leaf == "_import_module":
		module, attrs, found := strings.Cut(name, ":")
		if !found {
			if i := strings.LastIndexByte(name, '.'); i > 0 {
				module, attrs = name[:i], name[i+1:]
			}
		}
		return m.global(op, module, attrs, true)
	}
	return result(id)
}
