package pickle

import "strings"

// setsOwnName is builtins.setattr(class, '__qualname__', text), which dill writes behind each class that it makes
// anew. It changes nothing but the name of a class of this stream's own, as long as that class brings nothing that
// loading calls: what is made of it would run the stream's code now. Source: dill/_dill.py, save_type.
func (m *machine) setsOwnName(id int, g *global) bool {
	if g.name != "setattr" || g.module != "builtins" && g.module != "__builtin__" {
		return false
	}
	vs, all := m.args(id)
	if !all || len(vs) != 3 || vs[0].kind() != kCall {
		return false
	}
	name, ok := m.text(vs[1], maxName)
	_, named := m.text(vs[2], maxName)
	return ok && named && name == "__qualname__" && m.quietClass(vs[0], maxHops)
}

// quietClass tells whether a class is dill's _create_type(type, name, bases, attributes) of bases that are known, with
// attributes of which loading calls none.
func (m *machine) quietClass(class value, hops int) bool {
	if class.kind() == kGlobal {
		return m.asGlobal(class).entry.verdict == allowed
	}
	if class.kind() != kCall || hops == 0 {
		return false
	}
	vs := m.createdType(int(class.index()))
	if vs == nil {
		return false
	}
	bases, all := m.elements(vs[2])
	if !all || vs[2].kind() != kTuple {
		return false
	}
	for _, base := range bases {
		if !m.quietClass(base, hops-1) {
			return false
		}
	}
	return m.quietAttributes(vs[3])
}

// createdType are the arguments of a call of dill's _create_type with the plain metaclass; nil for any other call.
func (m *machine) createdType(id int) []value {
	g := m.calleeGlobal(id)
	vs, all := m.args(id)
	if g == nil || g.module != "dill._dill" || g.name != "_create_type" || !all || len(vs) != 4 || vs[3].kind() != kDict || m.calls[id].state != 0 {
		return nil
	}
	if meta := m.asGlobal(vs[0]); meta == nil || meta.module != "builtins" || meta.name != "type" {
		return nil
	}
	return vs
}

// quietAttributes: names that neither unpickling nor making a class or an instance looks up, with values that are no
// descriptors which a class tells their name (__set_name__).
func (m *machine) quietAttributes(dict value) bool {
	items, all := m.elements(dict)
	if !all || len(items)%2 != 0 {
		return false
	}
	for i := 0; i < len(items); i += 2 {
		name, ok := m.text(items[i], maxName)
		switch {
		case !ok, name == "append", name == "extend", name == "add":
			return false
		case strings.HasPrefix(name, "__") && !neverCalled[name]:
			return false
		}
		if !m.quietAttribute(items[i+1]) {
			return false
		}
	}
	return true
}

// quietAttribute: plain data, or a function that the stream carries and the class only keeps, as a method or in
// one of the builtin wrappers.
func (m *machine) quietAttribute(v value) bool {
	var g *global
	switch v.kind() {
	case kCall:
		g = m.calleeGlobal(int(v.index()))
	case kInst:
		g = &m.globals[v.index()]
	default:
		return v.kind() != kUnknown && v.kind() != kExt && v.kind() != kPersist
	}
	switch {
	case g == nil:
		return false
	case g.module == "builtins":
		return g.name == "staticmethod" || g.name == "classmethod" || g.name == "property"
	}
	return v.kind() == kCall && g.module == "dill._dill" && g.name == "_create_function"
}

// initializes tells whether calling a class of dill's may run an __init__ that the stream carries.
func (m *machine) initializes(inner int) bool {
	vs, all := m.args(inner)
	if !all || len(vs) != 4 || vs[3].kind() != kDict {
		return true
	}
	items, all := m.elements(vs[3])
	for i := 0; i < len(items); i += 2 {
		name, ok := m.text(items[i], maxName)
		all = all && ok && name != "__init__" && name != "__new__"
	}
	return !all
}

// neverCalled are special names of a class that only its users call (and __init__ whoever calls the class, which is
// seen), or that hold plain values.
var neverCalled = words(`__init__ __module__ __qualname__ __doc__ __slotnames__ __annotations__ __firstlineno__ __static_attributes__ __match_args__ __repr__ __str__ __len__ __call__ __getstate__
	__iter__ __next__ __contains__ __getitem__ __enter__ __exit__ __format__ __add__ __sub__ __mul__ __lt__ __le__ __gt__ __ge__ __bool__ __int__ __float__ __reduce__ __reduce_ex__ __getnewargs__`)
