package pickle

import (
	"regexp"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// What dill and cloudpickle write in place of plain pickle's own ways, for values that carry no code.

// checkArray is dill's _create_array(f, args, state, attributes): f(*args), then __setstate__(state).
// Source: dill/_dill.py.
func checkArray(m *machine, op *Op, id int) value {
	vs, all := m.args(id)
	if !all || len(vs) < 3 {
		m.judgeUnknown(id)
		return result(id)
	}
	vs = append([]value{}, vs...)
	v := m.callHop(op, vs[0], vs[1], 0)
	m.build(op, v, vs[2])
	if len(vs) > 3 && vs[3].kind() != kNone {
		m.build(op, v, vs[3])
	}
	return v
}

// checkNamedType is dill's _load_type(name) and cloudpickle's _builtin_type(name): one of the interpreter's
// own types. What makes code or functions carries code.
func checkNamedType(m *machine, op *Op, id int) value {
	vs, all := m.args(id)
	name := ""
	if all && len(vs) == 1 {
		name, _ = m.text(vs[0], maxName)
	}
	switch name {
	case "CodeType", "FunctionType", "LambdaType", "ModuleType":
		m.accuse(rule.PickleCarriesCode, m.calls[id].off, m.calleeGlobal(id).String(), "would make code or functions: "+m.renderCall(id))
	case "PartialType":
		return m.global(op, "functools", "partial", true)
	case strings.ToLower(name):
		return m.global(op, "builtins", name, true)
	}
	if m.load.lookup("types", name).verdict == allowed {
		return m.global(op, "types", name, true)
	}
	return result(id)
}

// checkNamedtuple is dill's _create_namedtuple(name, fields, module): it imports module and takes name from
// it, or else makes the class anew. Source: dill/_dill.py.
func checkNamedtuple(m *machine, op *Op, id int) value {
	if vs, all := m.args(id); all && len(vs) >= 3 {
		name, ok1 := m.text(vs[0], maxName)
		module, ok2 := m.text(vs[2], maxName)
		if ok1 && ok2 {
			return m.global(op, module, name, true)
		}
	}
	m.judgeUnknown(id)
	return result(id)
}

// checkInstance is fsspec's make_instance(class, args, kwargs): it calls the class. Source: fsspec/spec.py.
func checkInstance(m *machine, op *Op, id int) value {
	vs, all := m.args(id)
	if !all || len(vs) != 3 || vs[1].kind() != kTuple {
		m.judgeUnknown(id)
		return result(id)
	}
	if class := m.asGlobal(vs[0]); class == nil || class.entry.check != "" { // no calls within calls without end
		m.judgeUnknown(id)
		return result(id)
	}
	m.calls = append(m.calls, call{callee: vs[0], args: vs[1], extra: vs[2], off: op.Pos, op: opReduce})
	return m.judgeCall(op, len(m.calls)-1, 0)
}

// literal is the text of a range, as dill writes it.
var literal = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(x?range|slice)\((-?\d{1,8}|None)(, (-?\d{1,8}|None)){0,2}\)$`)
})

// evaluatesLiteral is dill's _eval_repr('range(0, 3)'), which evaluates the text that it is given. Source: dill/_dill.py, save_xrange.
func (m *machine) evaluatesLiteral(id int, g *global) bool {
	vs, all := m.args(id)
	if g.module != "dill._dill" || g.name != "_eval_repr" || !all || len(vs) != 1 {
		return false
	}
	text, ok := m.text(vs[0], 64)
	return ok && literal().MatchString(text)
}

// takesModule: the globals of a function that dill writes as code are the dictionary of the function's module, by name.
// Handing it over reads nothing of it. Source: dill/_dill.py, save_function.
func (m *machine) takesModule(id int, g *global) {
	vs, _ := m.args(id)
	if root(g.module) != "dill" || g.name != "_create_function" || len(vs) < 2 {
		return
	}
	if globals := m.asGlobal(vs[1]); globals != nil && globals.name == "__dict__" {
		globals.reported = true
	}
}
