package index

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan/pickle"
)

func globalStep(m *machine, op *pickle.Op) error {
	r, err := m.globalOf(op)
	if err == nil {
		m.push(r)
	}
	return err
}

// globalOf reads the two lines of GLOBAL and INST.
func (m *machine) globalOf(op *pickle.Op) (Ref, error) {
	b, err := m.dec.Payload(op, maxText)
	if err != nil {
		return 0, err
	}
	module, name, _ := bytes.Cut(b, []byte("\n"))
	return m.named(string(module), string(name)), nil
}

func stackGlobal(m *machine, _ *pickle.Op) error {
	items, err := m.popN(2)
	if err != nil {
		return err
	}
	module, ok1 := m.g.text(items[0])
	name, ok2 := m.g.text(items[1])
	if !ok1 || !ok2 {
		return fmt.Errorf("module and name are no strings: %w", pickle.ErrMalformed)
	}
	m.push(m.named(module, name))
	return nil
}

// named is the global as today's Python finds it: the names of Python 2 are mapped below protocol 3
// (CPython Lib/_compat_pickle.py), modules that were moved are followed.
func (m *machine) named(module, name string) Ref {
	if m.proto < 3 {
		module, name = pickle.Modern(module, name)
	}
	if moved, ok := movedModules[module]; ok {
		module = moved
	}
	return m.g.global(module, name)
}

// movedModules were renamed by their libraries, which still load the old names.
var movedModules = map[string]string{
	"torch.tensor": "torch._tensor", "numpy._core.multiarray": "numpy.core.multiarray", "numpy._core.numeric": "numpy.core.numeric",
	"numpy._core._internal": "numpy.core._internal", "numpy.ndarray": "numpy", "pathlib._local": "pathlib", "__builtin__": "builtins",
	"copy_reg": "copyreg",
}

// called notes that the stream calls something, whatever becomes of the result.
func (m *machine) called(callee Ref) {
	name := m.g.globalName(callee)
	if name == "" {
		name = "(the result of a call)"
	}
	m.b.calls[name] = true
}

// opaque makes the node that stands for what a call would have made.
func (m *machine) opaque(how string, callee, args, kwargs Ref) Ref {
	m.called(callee)
	return m.g.addRefs(kOpaque, nil, m.g.intern(how), callee, args, kwargs)
}

func reduce(m *machine, op *pickle.Op) error {
	items, err := m.popN(2)
	if err != nil {
		return err
	}
	callee, args := items[0], items[1]
	if m.g.kind(args) != kTuple {
		return fmt.Errorf("arguments are no tuple: %w", pickle.ErrMalformed)
	}
	r, err := m.call("reduce", callee, args)
	if err != nil {
		return err
	}
	m.push(r)
	return nil
}

// call stands for callee(*args): a typed node if the callable is known and the arguments are as its
// library writes them, an inert opaque one otherwise.
func (m *machine) call(how string, callee, args Ref) (Ref, error) {
	m.called(callee)
	name := m.g.globalName(callee)
	run := m.g.run(args)
	if cls, rest, ok := m.instantiates(name, run); ok {
		if rest == nil {
			return m.opaque("newobj", cls, m.g.addRefs(kTuple, nil), 0), nil
		}
		return m.call("newobj", cls, m.g.addRefs(kTuple, refs(rest)))
	}
	if make := m.nested(name); make != nil {
		if r, ok, err := make(m, run); err != nil || ok {
			return r, err
		}
	}
	if how != "newobj" {
		if r, ok, err := m.construct(name, run); err != nil || ok {
			return r, err
		}
	}
	return m.opaque(how, callee, args, 0), nil
}

// instantiates tells whether the call only makes an instance, as protocols 0 and 1 write it, of which class,
// and which arguments it hands on; nil where there can be none.
func (m *machine) instantiates(name string, run []uint32) (cls Ref, rest []uint32, ok bool) {
	switch {
	case name == "copyreg._reconstructor" && len(run) == 3 && m.g.globalName(Ref(run[1])) == "builtins.object":
		return Ref(run[0]), nil, true // object.__new__(cls)
	case name == "copyreg.__newobj__" && len(run) > 0:
		return Ref(run[0]), run[1:], true
	}
	return 0, nil, false
}

// construct makes the node of a known constructor, if the arguments are as many as it takes.
func (m *machine) construct(name string, run []uint32) (Ref, bool, error) {
	known, ok := constructors[name]
	if !ok || len(run) < known.min || len(run) > known.max {
		return 0, false, nil
	}
	if known.make == nil {
		return m.plainCall(name, run), true, nil
	}
	return known.make(m, run)
}

// nested is the constructor of objects that are made of further calls or files.
func (m *machine) nested(name string) func(*machine, []uint32) (Ref, bool, error) {
	switch name {
	case "torch._tensor._rebuild_from_type_v2":
		return rebuildFromType
	case "torch.storage._load_from_bytes":
		return loadFromBytes
	}
	return nil
}

// plainCall is a kCall that Python's table carries out, after checking the arguments' types.
func (m *machine) plainCall(name string, args []uint32) Ref {
	return m.g.addRefs(kCall, []Ref{m.g.intern(name)}, refs(args)...)
}

func refs(run []uint32) []Ref {
	out := make([]Ref, len(run))
	for i, r := range run {
		out[i] = Ref(r)
	}
	return out
}

func newObj(m *machine, op *pickle.Op) error {
	items, err := m.popN(2)
	if err != nil {
		return err
	}
	if m.g.kind(items[1]) != kTuple {
		return fmt.Errorf("arguments are no tuple: %w", pickle.ErrMalformed)
	}
	m.push(m.opaque("newobj", items[0], items[1], 0))
	return nil
}

func newObjEx(m *machine, op *pickle.Op) error {
	items, err := m.popN(3)
	if err != nil {
		return err
	}
	if m.g.kind(items[1]) != kTuple || m.g.kind(items[2]) != kDict {
		return fmt.Errorf("arguments are no tuple and dict: %w", pickle.ErrMalformed)
	}
	m.push(m.opaque("newobj_ex", items[0], items[1], items[2]))
	return nil
}

func inst(m *machine, op *pickle.Op) error {
	callee, err := m.globalOf(op)
	if err != nil {
		return err
	}
	items, err := m.popMark()
	if err != nil {
		return err
	}
	m.push(m.opaque("inst", callee, m.g.addRefs(kTuple, items), 0))
	return nil
}

func obj(m *machine, _ *pickle.Op) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return errStack
	}
	callee := items[0]
	m.push(m.opaque("obj", callee, m.g.addRefs(kTuple, items[1:]), 0))
	return nil
}

func build(m *machine, op *pickle.Op) error {
	items, err := m.popN(2)
	if err != nil {
		return err
	}
	target, state := items[0], items[1]
	m.push(target)
	switch m.g.kind(target) {
	case kCall:
		if stand, ok := m.numpyState(target, state); ok {
			m.g.alias[target] = stand
			return nil
		}
	case kOpaque, kTensor:
	default:
		return fmt.Errorf("the object takes no state: %w", pickle.ErrMalformed)
	}
	m.g.fill(kState, target, []Ref{state})
	if m.inline == nil {
		return nil
	}
	next, err := m.inline(m.ctx, target, state, op.End)
	if err == nil && next != op.End {
		m.dec = pickle.NewDecoder(m.src.R, next, m.src.Size)
	}
	return err
}

func linePersID(m *machine, op *pickle.Op) error {
	b, err := m.dec.Payload(op, maxText)
	if err != nil {
		return err
	}
	return m.persistent(m.g.str(kStr, []byte(strings.ToValidUTF8(string(b), "?"))))
}

func binPersID(m *machine, _ *pickle.Op) error {
	id, err := m.pop()
	if err != nil {
		return err
	}
	return m.persistent(id)
}

func (m *machine) persistent(id Ref) error {
	if m.persist == nil {
		return fmt.Errorf("persistent id in a pickle whose loader knows none: %w", pickle.ErrMalformed)
	}
	r, err := m.persist(id)
	if err == nil {
		m.push(r)
	}
	return err
}
