package pickle

import (
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// check decides, by its arguments, about a call of an allowed name, and returns what it evaluates to.
type check func(m *machine, op *Op, id int) value

// checkNamed returns the check that the lists call by this name, or nil.
func checkNamed(name string) check {
	switch name {
	case "bytes":
		return checkBytes
	case "calls0":
		return checkCalls0
	case "calls1":
		return checkCalls1
	case "encode":
		return checkEncode
	case "getattr":
		return checkGetattr
	case "keep":
		return keep
	case "reconstruct":
		return checkReconstruct
	case "reduce":
		return checkReduce
	case "type":
		return checkType
	case "typed":
		return checkTyped
	case "ufunc":
		return checkUfunc
	}
	if c := checkOfOperator(name); c != nil {
		return c
	}
	return checkOfLibrary(name)
}

// checkOfOperator is for the functions of the module operator.
func checkOfOperator(name string) check {
	switch name {
	case "attrgetter":
		return checkAttrgetter
	case "flags":
		return checkFlags
	case "getitem":
		return checkGetitem
	case "methodcaller":
		return checkMethodcaller
	}
	return nil
}

// checkOfNested is for what unpickles one of its arguments, or nil.
func checkOfNested(name string) check {
	switch name {
	case "nested":
		return checkNested
	case "nested1":
		return checkNested1
	case "nested4":
		return checkNested4
	}
	return nil
}

// checkOfLibrary is for what libraries other than NumPy and torch write their own way.
func checkOfLibrary(name string) check {
	switch name {
	case "array":
		return checkArray
	case "curry":
		return checkCurry
	case "data":
		return checkData
	case "instance":
		return checkInstance
	case "local":
		return checkLocal
	case "named":
		return checkNamedType
	case "namedtuple":
		return checkNamedtuple
	case "own":
		return checkOwn
	case "symbols":
		return checkSymbols
	}
	return checkOfNested(name)
}

// args are the positional arguments kept of a call; all is false where some may be missing.
func (m *machine) args(id int) (vs []value, all bool) { return m.elements(m.calls[id].args) }

func result(id int) value { return mk(kCall, int64(id)) }

// keep allows the call and keeps it, because what it evaluates to may be called in its turn.
func keep(_ *machine, _ *Op, id int) value { return result(id) }

// calleeGlobal is the global that a call names, or nil.
func (m *machine) calleeGlobal(id int) *global { return m.asGlobal(m.calls[id].callee) }

func (m *machine) asGlobal(v value) *global {
	if v.kind() != kGlobal {
		return nil
	}
	return &m.globals[v.index()]
}

// checkGetattr is getattr(object, name[, default]).
func checkGetattr(m *machine, op *Op, id int) value {
	vs, all := m.args(id)
	if !all || len(vs) < 2 {
		m.judgeUnknown(id)
		return result(id)
	}
	name, ok := m.text(vs[1], maxName)
	if !ok {
		m.judgeUnknown(id)
		return result(id)
	}
	return m.attribute(op, id, vs[0], name)
}

// attribute is what object.name evaluates to; reading it may already be an accusation.
func (m *machine) attribute(op *Op, id int, object value, name string) value {
	if g := m.asGlobal(object); g != nil {
		g.reported = g.reported || g.entry.verdict == allowed
		v := m.global(op, g.module, strings.TrimPrefix(g.name+"."+name, "."), true)
		return v
	}
	for _, part := range strings.Split(name, ".") {
		if introspective[part] {
			m.accuse(rule.PickleIntrospection, m.calls[id].off, name, "would reach into the interpreter through "+m.renderCall(id)+" on load")
		}
		if object.kind() == kInst && m.load.evaluates(&m.globals[object.index()], part) {
			m.accuseRead(m.calls[id].off, object, "read its property "+clean(part))
		}
	}
	return result(id)
}

func checkAttrgetter(m *machine, op *Op, id int) value {
	vs, all := m.args(id)
	for _, v := range vs {
		name, ok := m.text(v, maxName)
		all = all && ok
		m.laterAttribute(op, id, name)
	}
	if !all {
		m.judgeUnknown(id)
	}
	return result(id)
}

// laterAttribute is the name of an attribute or method of an object that isn't known yet.
func (m *machine) laterAttribute(op *Op, id int, name string) {
	m.attribute(op, id, 0, name)
	if m.load.leaf(name) {
		m.accuse(rule.PickleDangerousReference, m.calls[id].off, name, "would look up "+clean(name)+" in whatever it is given: "+m.renderCall(id))
	}
}

// checkMethodcaller is operator.methodcaller(name, *args): nothing happens until it is called.
func checkMethodcaller(m *machine, op *Op, id int) value {
	if vs, _ := m.args(id); len(vs) > 0 {
		name, ok := m.text(vs[0], maxName)
		m.laterAttribute(op, id, name)
		if !ok {
			m.judgeUnknown(id)
		}
	}
	return result(id)
}

// checkFlags is operator.or_(Class.A, Class.B): Python 3.11 writes several flags of an enum.Flag so. What __or__ runs
// is the class's own, as making one is; of anything else nobody knows.
func checkFlags(m *machine, _ *Op, id int) value {
	vs, all := m.args(id)
	if !all || len(vs) != 2 || !m.flag(vs[0]) || !m.flag(vs[1]) {
		m.judgeUnknown(id)
	}
	return result(id)
}

// flag tells whether a value can be an enum's member: a class's attribute, what calling a class or operator.or_ gives,
// or a number.
func (m *machine) flag(v value) bool {
	switch v.kind() {
	case kInt, kInst:
		return true
	case kGlobal:
		return strings.Contains(m.asGlobal(v).name, ".")
	case kCall:
		g := m.calleeGlobal(int(v.index()))
		return g != nil && (looksLikeClass(g.name) || g.name == "or_" && strings.HasSuffix(g.module, "operator"))
	}
	return false
}

// checkGetitem is operator.getitem: typing.List[int] is written so.
func checkGetitem(m *machine, op *Op, id int) value {
	vs, _ := m.args(id)
	if len(vs) == 2 {
		return m.item(op, id, vs[0], vs[1])
	}
	return result(id)
}

// item is what object[key] evaluates to.
func (m *machine) item(op *Op, id int, object, key value) value {
	if object.kind() == kInst {
		m.accuseRead(m.calls[id].off, object, "take an item of it")
	}
	g := m.asGlobal(object)
	if g == nil {
		return result(id)
	}
	if g.module == "sys" && g.name == "modules" {
		name, _ := m.text(key, maxName)
		return m.module(op, name)
	}
	if g.entry.verdict != allowed {
		m.judgeUnknown(id)
	}
	return result(id)
}

// module is the module object of that name.
func (m *machine) module(op *Op, name string) value { return m.global(op, name, "", true) }

// checkEncode is _codecs.encode(text, 'latin1'), which is how protocols below 3 write bytes.
func checkEncode(m *machine, _ *Op, id int) value {
	vs, all := m.args(id)
	if !all || len(vs) == 0 || len(vs) > 2 || vs[0].kind() != kStr {
		m.judgeUnknown(id)
		return result(id)
	}
	if len(vs) == 2 {
		codec, _ := m.text(vs[1], 64)
		switch strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(codec)) {
		case "latin1", "iso88591", "ascii", "utf8", "raw unicodeescape":
		default:
			m.judgeUnknown(id)
			return result(id)
		}
	}
	return mk(kEncoded, vs[0].index())
}

// checkReconstruct makes an instance of its first argument without calling __init__.
func checkReconstruct(m *machine, op *Op, id int) value {
	vs, _ := m.args(id)
	if len(vs) == 0 {
		return result(id)
	}
	if m.calleeGlobal(id).name == "_reconstructor" {
		m.judgeBase(id, vs)
	}
	return m.instance(op, id, vs[0])
}

// instance is what making an instance of cls, by the recorded call, evaluates to.
func (m *machine) instance(op *Op, id int, cls value) value {
	g := m.asGlobal(cls)
	if g == nil {
		if cls.kind() != kNone {
			m.accuse(rule.PickleUnknownCall, m.calls[id].off, m.render(cls), "would make an instance of a computed class: "+m.renderCall(id))
		}
		return result(id)
	}
	g.reported = true
	switch {
	case g.entry.verdict == dangerous && !g.entry.coarse:
		m.accuse(g.entry.rule, m.calls[id].off, g.String(), "would make an instance of "+g.String()+" on load: "+m.renderCall(id))
	case g.entry.verdict == allowed && (g.entry.uses&mayNew != 0 || g.entry.check == "symbols" && m.plain(id)):
		if m.grows(g, m.calls[id].args) {
			m.accuseGrowth(id, g.String())
		}
		return mk(kInst, cls.index())
	default:
		m.accuse(rule.PickleUnknownClass, m.calls[id].off, g.String(), "would make an instance of "+g.String()+", a class that is not known here")
	}
	return result(id)
}

// checkReduce is functools.reduce(operator.or_, types): how `int | str` is written.
func checkReduce(m *machine, op *Op, id int) value {
	vs, _ := m.args(id)
	if len(vs) > 0 {
		if g := m.asGlobal(vs[0]); g != nil && (g.module == "operator" || g.module == "_operator") && g.name == "or_" {
			for _, v := range vs[1:] {
				m.judgeParts(m.calls[id].off, g, v)
			}
			return result(id)
		}
	}
	return checkCalls0(m, op, id)
}

// checkCalls0 is a call that calls its first argument in its turn, now or later.
func checkCalls0(m *machine, op *Op, id int) value { return m.callsArgument(op, id, 0) }

// checkCalls1 is a call that calls its second argument in its turn.
func checkCalls1(m *machine, op *Op, id int) value { return m.callsArgument(op, id, 1) }

// computes are the modules whose functions, where a list allows to name them, only compute.
var computes = map[string]bool{"builtins": true, "__builtin__": true, "math": true, "cmath": true}

// whatever tells whether an allowed name of the module may be called with arguments that nobody can tell.
func (e entry) whatever(module string) bool {
	if e.check != "" && e.check != "bytes" {
		return module == "numpy.random._pickle" // its constructors look a name up in a table
	}
	return e.verdict == allowed && (e.uses&mayCall != 0 || computes[root(module)])
}

func (m *machine) callsArgument(_ *Op, id, i int) value {
	m.judgeKeywords(id)
	vs, all := m.args(id)
	if i >= len(vs) {
		if !all {
			m.judgeUnknown(id)
		}
		return result(id)
	}
	g := m.asGlobal(vs[i])
	switch {
	case g == nil:
		m.callsComputed(id, vs[i], len(vs) == 1)
	case g.entry.verdict == dangerous:
		g.reported = true
		m.accuse(g.entry.rule, m.calls[id].off, g.String(), "would call "+g.String()+" through "+m.renderCall(id))
	case !g.entry.whatever(g.module):
		g.reported = true
		m.accuse(rule.PickleUnknownCall, m.calls[id].off, g.String(), "would call "+g.String()+" through "+m.renderCall(id))
	case m.grows(g, m.calls[id].args):
		m.accuseGrowth(id, g.String())
	}
	return result(id)
}

// callsComputed judges a call that calls v, which no name stands for. iter(v) alone calls nothing.
func (m *machine) callsComputed(id int, v value, alone bool) {
	switch v.kind() {
	case kInst:
		if alone || m.live(v) && m.calleeGlobal(id).entry.uses&reads != 0 { // told of by judgeReads
			return
		}
		m.accuse(rule.PickleUnknownCall, m.calls[id].off, m.render(v), "would call an instance through "+m.renderCall(id))
	case kUnknown, kCall, kExt, kPersist:
		if !m.endless(v) {
			m.accuse(rule.PickleUnknownCall, m.calls[id].off, m.render(v), "would call a computed value through "+m.renderCall(id))
		}
	}
}

// checkCurry is toolz's _restore_curry(class, function or "module:name", …): the function is kept.
// Source: toolz/functoolz.py.
func checkCurry(m *machine, op *Op, id int) value {
	vs, all := m.args(id)
	if !all || len(vs) < 2 {
		m.judgeUnknown(id)
		return result(id)
	}
	if text, ok := m.text(vs[1], maxName); ok {
		module, name, _ := strings.Cut(text, ":")
		m.global(op, module, name, true)
	}
	m.instance(op, id, vs[0])
	return result(id)
}

// checkLocal is pyarrow's FileSystem._from_uri(uri): the file system of this machine opens nothing by being made, others connect.
func checkLocal(m *machine, _ *Op, id int) value {
	vs, all := m.args(id)
	uri, ok := "", false
	if all && len(vs) == 1 {
		uri, ok = m.text(vs[0], maxName)
	}
	if !ok || !strings.HasPrefix(uri, "file:///") {
		m.judgeUnknown(id)
	}
	return result(id)
}

// checkSymbols makes an instance of a class of sympy's, whose __new__ evaluates text as Python where it is
// no plain symbol or number. Source: sympy/core/sympify.py.
func checkSymbols(m *machine, op *Op, id int) value {
	if !m.plain(id) {
		m.accuse(rule.PickleCodeExecution, m.calls[id].off, m.calleeGlobal(id).String(), "would evaluate text as Python on load: "+m.renderCall(id))
		return result(id)
	}
	return mk(kInst, m.calls[id].callee.index())
}

// plain tells whether no argument of the call has text that could be code.
func (m *machine) plain(id int) bool {
	left := maxEvidenceItems
	return m.symbols(m.calls[id].args, &left)
}

// symbols tells whether all text in v is a name, a number or spaces.
func (m *machine) symbols(v value, left *int) bool {
	if *left--; *left < 0 {
		return false
	}
	switch v.kind() {
	case kStr, kBytes, kByteArray, kEncoded:
		text, ok := m.text(v, maxName)
		return ok && !strings.ContainsAny(text, "()[]{}=:;\"'@") && !strings.Contains(text, "__")
	case kTuple, kList, kDict, kSet, kFrozenSet:
		vs, all := m.elements(v)
		for _, item := range vs {
			all = all && m.symbols(item, left)
		}
		return all
	}
	return true
}

// checkTyped is torch._tensor._rebuild_from_type_v2(func, type, args, state): func(*args) is called.
func checkTyped(m *machine, op *Op, id int) value {
	vs, all := m.args(id)
	if !all || len(vs) < 3 {
		m.judgeUnknown(id)
		return result(id)
	}
	v := m.callHop(op, vs[0], vs[2], 0)
	if g := m.asGlobal(vs[1]); g != nil && g.entry.verdict == unknown {
		m.instance(op, id, vs[1])
	}
	return v
}

// checkType is type(None) and the like; with three arguments it makes a class.
func checkType(m *machine, _ *Op, id int) value {
	vs, all := m.args(id)
	if !all || len(vs) != 1 {
		m.judgeUnknown(id)
	}
	return result(id)
}

// checkUfunc is numpy's _ufunc_reconstruct(module, name): an import and a getattr.
func checkUfunc(m *machine, op *Op, id int) value {
	vs, all := m.args(id)
	if all && len(vs) == 2 {
		module, ok1 := m.text(vs[0], maxName)
		name, ok2 := m.text(vs[1], maxName)
		if ok1 && ok2 {
			return m.global(op, module, name, true)
		}
	}
	m.judgeUnknown(id)
	return result(id)
}

// checkBytes is bytes or bytearray: of text or other bytes it makes bytes that are known here.
func checkBytes(m *machine, _ *Op, id int) value {
	if m.grows(m.calleeGlobal(id), m.calls[id].args) {
		m.accuseGrowth(id, m.calleeGlobal(id).String())
	}
	vs, all := m.args(id)
	switch {
	case !all || len(vs) == 0:
	case len(vs) == 1 && (vs[0].kind() == kBytes || vs[0].kind() == kByteArray || vs[0].kind() == kEncoded):
		return vs[0]
	case len(vs) == 2 && vs[0].kind() == kStr:
		if codec, _ := m.text(vs[1], 16); codec == "latin-1" || codec == "latin1" {
			return mk(kEncoded, vs[0].index())
		}
	}
	return mk(kInst, m.calls[id].callee.index())
}

// checkNested unpickles, or torch.loads, the bytes it is given: they are scanned as a file of their own.
func checkNested(m *machine, _ *Op, id int) value { return m.nestedArgument(id, 0) }

// checkNested1 and checkNested4 unpickle their second and their fifth argument.
func checkNested1(m *machine, _ *Op, id int) value { return m.nestedArgument(id, 1) }
func checkNested4(m *machine, _ *Op, id int) value {
	before := len(m.inner)
	v := m.nestedArgument(id, 4)
	for i := range m.inner[before:] {
		m.inner[before+i].only = ownGetters
	}
	return v
}

// ownGetters are the packages whose functions a vocabulary of spaCy's applies to the text of each word, as soon as a
// document is read with it.
var ownGetters = words("spacy functools builtins __builtin__ thinc")

func (m *machine) nestedArgument(id, i int) value {
	vs, all := m.args(id)
	if !all || len(vs) <= i || !m.descend(vs[i], m.calls[id].off) {
		m.judgeUnknown(id)
	}
	return result(id)
}
