package pickle

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// finding is one accusation, kept until the stream ends.
type finding struct {
	rule    rule.ID
	off     int64
	subject string
	message string
}

// accuse keeps a finding. Of one rule about one subject the first few are kept: the rest say nothing new.
func (m *machine) accuse(id rule.ID, off int64, subject, message string) {
	key := string(id) + subject
	if m.said[key]++; m.said[key] > maxRepeats || len(m.findings) >= maxFindings && id.Severity() < rule.High {
		m.unsaid++
		return
	}
	m.findings = append(m.findings, finding{rule: id, off: off, subject: subject, message: message})
}

const (
	maxRepeats  = 4
	maxFindings = 1000
)

// judgeCall looks at a call that was just recorded and returns what it evaluates to.
func (m *machine) judgeCall(op *Op, id, hops int) value {
	c := &m.calls[id]
	switch c.callee.kind() {
	case kGlobal:
		return m.judgeGlobalCall(op, id)
	case kCall:
		return m.callResult(op, id, hops)
	case kUnknown, kInst, kPersist, kStorage, kExt:
		return m.callUnknownResult(id)
	}
	m.refuse(op, "the value can't be called")
	return result(id)
}

func (m *machine) judgeGlobalCall(op *Op, id int) value {
	c := &m.calls[id]
	g := m.calleeGlobal(id)
	g.reported = true
	isNew := c.op == opNewObj || c.op == opNewObjEx
	m.judgeReads(c.off, g, c.args)
	switch {
	case g.entry.verdict == dangerous && !(isNew && g.entry.coarse):
		if m.forgiven(id, g) {
			return result(id)
		}
		m.accuse(g.entry.rule, c.off, g.String(), "would call "+m.renderCall(id)+" on load")
		m.looksNested(id)
		m.takesModule(id, g)
		return m.evaluate(op, id)
	case g.entry.verdict == allowed && isNew && g.entry.uses&mayNew != 0 && g.entry.uses&(sized|lazy) == 0:
		return mk(kInst, c.callee.index())
	case g.entry.verdict == allowed && g.entry.uses&mayCall != 0:
		if check := checkNamed(g.entry.check); check != nil {
			return check(m, op, id)
		}
		if m.grows(g, c.args) {
			m.accuseGrowth(id, g.String())
		}
		if m.endless(result(id)) {
			m.iterators = true
			return result(id)
		}
		return mk(kInst, c.callee.index())
	}
	m.judgeUnknown(id)
	m.looksNested(id)
	return result(id)
}

// forgiven tells whether a dangerous callable does nothing dangerous with these arguments, or has been told of.
func (m *machine) forgiven(id int, g *global) bool {
	return m.traced(id, g) || m.setsOwnName(id, g) || m.evaluatesLiteral(id, g)
}

// judgeUnknown decides how bad a call of something unknown is, by what it is and what it is given. The
// callee may be the result of another call: then it has no name to go by.
func (m *machine) judgeUnknown(id int) {
	c, g := &m.calls[id], m.calleeGlobal(id)
	if g == nil {
		m.callUnknownResult(id)
		return
	}
	_, all := m.args(id)
	m.missed = m.missed || !all && m.dropped
	isNew := c.op == opNewObj || c.op == opNewObjEx
	isClass := isNew || looksLikeClass(g.name)
	switch e := m.evidenceIn(id); {
	case e == codeOrShell, e == pathOrURL && !isClass:
		m.accuse(rule.PickleUnknownCallEvidence, c.off, g.String(), "would call "+m.renderCall(id)+" on load: not known here, and its arguments look like code, a command or an address")
	case isClass && !(m.load.stdlib[root(g.module)] && !isNew && g.entry.verdict == unknown):
		m.accuse(rule.PickleUnknownClass, c.off, g.String(), "would make an instance of "+m.renderCall(id)+", a class that is not known here")
	default:
		m.accuse(rule.PickleUnknownCall, c.off, g.String(), "would call "+m.renderCall(id)+" on load, which is not known here")
	}
}

func root(module string) string {
	top, _, _ := strings.Cut(module, ".")
	return top
}

// looksLikeClass goes by PEP 8: the last component begins with a capital, after underscores.
func looksLikeClass(name string) bool {
	last := strings.TrimLeft(name[strings.LastIndexByte(name, '.')+1:], "_")
	return last != "" && unicode.IsUpper([]rune(last)[0])
}

// judgeBuild looks at BUILD. An instance of a class takes its state; a class, module or function has
// its attributes overwritten, which changes what later calls do.
func (m *machine) judgeBuild(op *Op, target, state value) {
	switch target.kind() {
	case kGlobal:
		g := m.asGlobal(target)
		g.reported = true
		m.accuse(rule.PicklePatches, op.Pos, g.String(), "would set attributes of "+g.String()+" itself on load: "+m.render(state))
	case kInst:
		g := &m.globals[target.index()]
		if g.entry.uses&shared != 0 && state.kind() != kNone {
			m.accuse(rule.PicklePatches, op.Pos, g.String(), "would set attributes of what the loading program has as "+g.String()+": "+m.render(state))
		}
		m.judgeState(op, g, g.String(), state)
	case kCall:
		m.judgeState(op, m.classOf(target), m.render(m.calls[target.index()].callee), state)
	case kUnknown, kPersist, kExt, kStorage:
	default:
		if state.kind() != kNone {
			m.refuse(op, "the value takes no state")
		}
	}
}

func (m *machine) judgeItems(op *Op, target value, use uint16) {
	switch target.kind() {
	case kInst:
		if g := &m.globals[target.index()]; g.entry.uses&use == 0 {
			m.accuse(rule.PickleNotContainer, op.Pos, g.String(), fmt.Sprintf("would store items in an instance of %s, which is no such container", g))
		}
	case kGlobal:
		g := m.asGlobal(target)
		g.reported = true
		m.accuse(rule.PicklePatches, op.Pos, g.String(), fmt.Sprintf("would store items in %s itself on load", g))
	case kStorage:
		m.accuse(rule.PickleNotContainer, op.Pos, "storage", "would store items in a tensor's storage")
	case kUnknown, kCall, kPersist, kExt:
	case kByteArray: // takes numbers, by append, extend and index
		m.changed = true
	case kList: // takes an item by index
	default:
		m.refuse(op, "the value takes no items")
	}
}

// extension is EXT1, EXT2, EXT4: a global that only the loading program's registry names.
func (m *machine) extension(op *Op) value {
	m.accuse(rule.PickleExtensionCode, op.Pos, fmt.Sprintf("extension %d", op.Int), fmt.Sprintf("would load whatever extension code %d of copyreg stands for", op.Int))
	return mk(kExt, op.Int)
}

// persistent is PERSID and BINPERSID.
func (m *machine) persistent(op *Op) value {
	id := mk(kStr, op.Pos)
	if op.Code == opBinPersID {
		id = m.pop(op)
	}
	if m.isStorage(id) {
		m.noteStorage(id)
		return mk(kStorage, 0)
	}
	if cls, ok := m.moduleClass(id); ok {
		return cls
	}
	v := m.container(kPersist, id)
	m.accuse(rule.PicklePersistentId, op.Pos, "persistent id", "would ask the loading program for the persistent object "+m.render(id))
	return v
}

// moduleClass is the class in torch's ('module', class, source file or None, source or None), by which old
// files name the class of a torch.nn.Module. torch.load compares the sources, may warn, and calls nothing.
func (m *machine) moduleClass(id value) (cls value, ok bool) {
	if m.opts.Dialect != Torch || id.kind() != kTuple {
		return 0, false
	}
	vs, all := m.elements(id)
	if !all || len(vs) != 4 || vs[1].kind() != kGlobal {
		return 0, false
	}
	word, _ := m.text(vs[0], 16)
	isText := func(v value) bool { return v.kind() == kStr || v.kind() == kNone }
	return vs[1], word == "module" && isText(vs[2]) && isText(vs[3])
}

// Bounds of the storages whose class is kept.
const (
	maxStorages   = 1 << 17
	maxStorageKey = 64 // bytes; torch writes an address in decimal
)

// noteStorage keeps the class of a storage, and of a view of it under the view's key, where their keys are
// new: so does torch.load.
func (m *machine) noteStorage(id value) {
	if m.opts.Dialect != Torch {
		return
	}
	vs, _ := m.elements(id)
	class := ""
	if g := m.asGlobal(vs[1]); !g.computed {
		class = g.name
	}
	keys := []value{vs[2]}
	if len(vs) == 6 && vs[5].kind() == kTuple {
		view, _ := m.elements(vs[5])
		keys = append(keys, view[:min(len(view), 1)]...)
	}
	for _, v := range keys {
		key, ok := m.text(v, maxStorageKey)
		if _, known := m.storages[key]; !ok || known || len(m.storages) == maxStorages {
			continue
		}
		if m.storages == nil {
			m.storages = map[string]string{}
		}
		m.storages[key] = class
	}
}

// isStorage: torch's ('storage', storage type, key, location, numel), in old files with a view behind it.
func (m *machine) isStorage(id value) bool {
	if id.kind() != kTuple {
		return false
	}
	vs, all := m.elements(id)
	if !all || len(vs) < 5 || len(vs) > 6 {
		return false
	}
	word, _ := m.text(vs[0], 16)
	return word == "storage" && vs[1].kind() == kGlobal && vs[2].kind() == kStr && vs[3].kind() == kStr && vs[4].kind() == kInt
}

// finish reports, at the end of a stream, names that were never called.
func (m *machine) finish() {
	for i := range m.globals {
		g := &m.globals[i]
		switch {
		case g.reported, g.entry.verdict == allowed, g.name == "":
		case g.entry.rule == rule.PickleIntrospection || g.entry.rule == rule.PickleCarriesCode:
			m.accuse(g.entry.rule, g.off, g.String(), "names "+g.String())
		case g.entry.verdict == dangerous && !g.entry.coarse:
			m.accuse(rule.PickleDangerousReference, g.off, g.String(), "names "+g.String()+" without calling it here")
		case m.load.quiet(g):
		default:
			m.accuse(rule.PickleUnknownImport, g.off, g.String(), "imports "+g.String()+", which is not known here")
		}
	}
}

// Sizes that no pickler writes: a container whose copy would have so many values, and a memo index for
// which CPython allocates an array of twice as many pointers.
const (
	expansion = 1 << 30
	memoIndex = 1 << 24
)

// judgeSize reports a stream that is small in the file and huge when it is loaded or walked.
func (m *machine) judgeSize(off int64) {
	if w := m.heaviest; w > expansion && w > 64*float32(m.src.Size) {
		m.accuse(rule.PickleExpansion, off, "shared containers", fmt.Sprintf("holds containers of shared containers that come to %.0g values when they are walked or copied", w))
	}
	if top := m.memo.top; top > memoIndex && top > 64*m.memo.count {
		m.accuse(rule.PickleExpansion, off, "memo", fmt.Sprintf("uses memo index %d for %d entries: the unpickler would allocate %d MiB", top, m.memo.count, min(top, 1<<40)>>16))
	}
}

func (g *global) String() string { return clean(joinName(g.module, g.name)) }

func (f finding) at(path string) modelscan.Finding {
	return modelscan.Finding{Rule: f.rule, Path: path, Offset: f.off, Subject: f.subject, Message: f.message}
}
