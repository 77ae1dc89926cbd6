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
func (m *machine) judgeCall(op *Op, id int) value {
	c := &m.calls[id]
	result := mk(kCall, int64(id))
	switch c.callee.kind() {
	case kGlobal:
		return m.judgeGlobalCall(op, id, result)
	case kUnknown, kInst, kCall, kPersist, kStorage, kExt:
		m.accuse(rule.PickleUnknownCall, c.off, m.render(c.callee), "would call the result of "+m.render(c.callee)+": "+m.renderCall(c))
	default:
		m.refuse(op, "the value can't be called")
	}
	return result
}

func (m *machine) judgeGlobalCall(op *Op, id int, result value) value {
	c := &m.calls[id]
	g := &m.globals[c.callee.index()]
	switch g.entry.verdict {
	case dangerous:
		g.reported = true
		m.accuse(g.entry.rule, c.off, g.String(), "would call "+m.renderCall(c)+" on load")
	case allowed:
		g.reported = true
		switch {
		case g.entry.check != "":
			return checks[g.entry.check](m, op, id)
		case g.entry.uses&mayCall != 0, g.entry.uses&mayNew != 0 && (c.op == opNewObj || c.op == opNewObjEx):
			return mk(kInst, c.callee.index())
		}
		m.judgeUnknown(c, g)
	default:
		g.reported = true
		m.judgeUnknown(c, g)
	}
	return result
}

// judgeUnknown decides how bad a call of something unknown is, by what it is and what it is given.
func (m *machine) judgeUnknown(c *call, g *global) {
	if (c.op == opNewObj || c.op == opNewObjEx || looksLikeClass(g.name)) && !m.evidence(c) {
		m.accuse(rule.PickleUnknownClass, c.off, g.String(), "would make an instance of "+m.renderCall(c)+", a class that is not known here")
		return
	}
	m.accuse(rule.PickleUnknownCall, c.off, g.String(), "would call "+m.renderCall(c)+" on load, which is not known here")
}

// looksLikeClass goes by PEP 8: the last component begins with a capital, after underscores.
func looksLikeClass(name string) bool {
	last := strings.TrimLeft(name[strings.LastIndexByte(name, '.')+1:], "_")
	return last != "" && unicode.IsUpper([]rune(last)[0])
}

func (m *machine) evidence(*call) bool { return false }

func (m *machine) judgeBuild(op *Op, target, state value) {
	switch target.kind() {
	case kGlobal:
		g := &m.globals[target.index()]
		m.accuse(rule.PickleDangerousReference, op.Pos, g.String(), fmt.Sprintf("would set attributes of %s itself on load: %s", g, m.render(state)))
	case kInst, kCall, kUnknown, kPersist, kExt, kStorage:
	default:
		m.refuse(op, "the value takes no state")
	}
}

func (m *machine) judgeItems(op *Op, target value, use uint8) {
	switch target.kind() {
	case kInst:
		if g := &m.globals[target.index()]; g.entry.uses&use == 0 {
			m.accuse(rule.PickleUnknownCall, op.Pos, g.String(), fmt.Sprintf("would store items in an instance of %s, which is no such container", g))
		}
	case kGlobal:
		g := &m.globals[target.index()]
		m.accuse(rule.PickleDangerousReference, op.Pos, g.String(), fmt.Sprintf("would store items in %s itself on load", g))
	case kUnknown, kCall, kPersist, kExt:
	default:
		m.refuse(op, "the value takes no items")
	}
}

// extension is EXT1, EXT2, EXT4: a global that only the loading program's registry names.
func (m *machine) extension(op *Op) value {
	m.accuse(rule.PickleDangerousReference, op.Pos, fmt.Sprintf("extension %d", op.Int), fmt.Sprintf("would load whatever extension code %d of copyreg stands for", op.Int))
	return mk(kExt, op.Int)
}

// persistent is PERSID and BINPERSID.
func (m *machine) persistent(op *Op) value {
	id := mk(kStr, op.Pos)
	if op.Code == opBinPersID {
		id = m.pop(op)
	}
	if m.isStorage(id) {
		return mk(kStorage, 0)
	}
	v := m.container(kPersist, id)
	m.accuse(rule.PickleUnknownClass, op.Pos, "persistent id", "would ask the loading program for the persistent object "+m.render(id))
	return v
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
		case g.reported, g.entry.verdict == allowed:
		case g.entry.verdict == dangerous:
			m.accuse(rule.PickleDangerousReference, g.off, g.String(), "names "+g.String()+" without calling it here")
		default:
			m.accuse(rule.PickleUnknownClass, g.off, g.String(), "imports "+g.String()+", which is not known here")
		}
	}
}

func (g *global) String() string { return joinName(g.module, g.name) }

func (f finding) at(path string) modelscan.Finding {
	return modelscan.Finding{Rule: f.rule, Path: path, Offset: f.off, Subject: f.subject, Message: f.message}
}
