package pickle

import (
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// An instance that was made without __init__ holds whatever the stream says. Nothing happens until one of its methods
// runs, and a stream needs no call of one by name for that: list(x), ','.join(x) and operator.getitem(x, k) run
// __iter__, __str__ and __getitem__.

// live tells whether v is an instance whose methods are a library's own, over a state that the stream gave.
func (m *machine) live(v value) bool {
	if v.kind() != kInst {
		return false
	}
	g := &m.globals[v.index()]
	return g.entry.uses&armed != 0 || g.entry.uses&mayCall == 0
}

// keyed tells whether v is an instance that is read by key: a defaultdict calls its factory then, a view or a chain
// asks the mapping that it stands for.
func (m *machine) keyed(v value) bool {
	if v.kind() != kInst {
		return false
	}
	g := &m.globals[v.index()]
	return g.entry.uses&(acceptsDict|acceptsList) != 0 || g.name == "MappingProxyType" || m.live(v)
}

// inside finds the first value that is one of these in v and the containers in it.
func (m *machine) inside(v value, left *int, is func(value) bool) (found value, ok bool) {
	if *left--; *left < 0 || !m.matters(v) {
		return 0, false
	}
	if is(v) {
		return v, true
	}
	vs, _ := m.elements(v)
	for _, item := range vs {
		if found, ok = m.inside(item, left, is); ok {
			return found, true
		}
	}
	return 0, false
}

// judgeReads reports an allowed callable that takes its arguments apart, and is given such an instance.
func (m *machine) judgeReads(off int64, g *global, args value) {
	if g.entry.uses&reads == 0 || !m.matters(args) {
		return
	}
	m.judgeParts(off, g, args)
}

// judgeParts reports the live instances among args.
func (m *machine) judgeParts(off int64, g *global, args value) {
	vs, _ := m.elements(args)
	for _, v := range vs {
		found, ok := v, m.live(v)
		if left := maxEvidenceItems; !ok && g.entry.uses&walks != 0 {
			found, ok = m.inside(v, &left, m.live)
		}
		if ok {
			m.accuseRead(off, found, "give it to "+g.String())
		}
	}
}

// judgeGivenTo is judgeReads of a method of plain data: format, translate and % read what they are given by key, and a
// defaultdict calls its factory then.
func (m *machine) judgeGivenTo(id int, method string, args []value) {
	m.judgeKeywords(id)
	for _, v := range args {
		left := maxEvidenceItems
		if found, ok := m.inside(v, &left, m.keyed); ok {
			m.accuseRead(m.calls[id].off, found, "give it to "+clean(method))
		}
	}
}

// judgeKeywords reports what is to be called among the keyword arguments of a call that would call it, as sort(key=f) does.
func (m *machine) judgeKeywords(id int) {
	vs, _ := m.elements(m.calls[id].extra)
	for i := 1; i < len(vs); i += 2 {
		if g := m.asGlobal(vs[i]); g != nil && g.entry.whatever(g.module) || !m.calls1(vs[i]) {
			continue
		}
		m.accuse(rule.PickleUnknownCall, m.calls[id].off, m.render(vs[i]), "would call "+m.render(vs[i])+" as a keyword argument of "+m.renderCall(id))
	}
}

// judgeWrapped looks at the state of collections' classes that stand for the object they hold: to read them reads that.
func (m *machine) judgeWrapped(op *Op, g *global, state []value) {
	if g == nil || root(g.module) != "collections" || !strings.HasPrefix(g.name, "User") && g.name != "ChainMap" {
		return
	}
	for _, v := range state {
		left := 8
		if found, ok := m.inside(v, &left, m.live); ok && (v.kind() == kInst || g.name == "ChainMap") {
			m.accuseRead(op.Pos, found, "have "+g.String()+" stand for it")
		}
	}
}

func (m *machine) accuseRead(off int64, v value, how string) {
	name := m.globals[v.index()].String()
	m.accuse(rule.PickleUnknownCall, off, name, fmt.Sprintf("would make an instance of %s and %s, which runs the class's own code on a state that stands in the file", name, how))
}

// judgeBase looks at copyreg._reconstructor(class, base, state), which calls base.__new__ and base.__init__.
func (m *machine) judgeBase(id int, vs []value) {
	if len(vs) < 2 {
		return
	}
	base := m.asGlobal(vs[1])
	switch {
	case base == nil:
		m.judgeUnknown(id)
	case base.entry.verdict == allowed && base.entry.uses&mayCall != 0:
		m.judgeParts(m.calls[id].off, base, m.calls[id].args)
	case base.entry.verdict == allowed:
		m.accuse(rule.PickleUnknownCall, m.calls[id].off, base.String(), "would run "+base.String()+".__init__ on load: "+m.renderCall(id))
	}
}

// checkOwn is a call that calls its first argument, a class of the same library.
func checkOwn(m *machine, op *Op, id int) value {
	vs, _ := m.args(id)
	if len(vs) == 0 {
		return result(id)
	}
	if cls := m.asGlobal(vs[0]); cls == nil || root(cls.module) != root(m.calleeGlobal(id).module) || !looksLikeClass(cls.name) {
		return checkCalls0(m, op, id)
	}
	return m.instance(op, id, vs[0])
}

// checkData is a constructor that calls what it is given, or may: of functions nothing but methods of patterns is let through.
func checkData(m *machine, _ *Op, id int) value {
	vs, all := m.args(id)
	for _, v := range vs {
		all = all && !m.calls1(v)
	}
	if !all {
		m.judgeUnknown(id)
	}
	return mk(kInst, m.calls[id].callee.index())
}

// calls1 tells whether v can be called with an argument, and is more than a pattern's method.
func (m *machine) calls1(v value) bool {
	switch v.kind() {
	case kGlobal, kExt, kPersist, kUnknown, kMissing:
		return true
	case kInst:
		return m.live(v)
	case kCall:
		vs, _ := m.args(int(v.index()))
		g := m.calleeGlobal(int(v.index()))
		pattern := g != nil && g.entry.check == "getattr" && len(vs) > 0 && vs[0].kind() == kInst && !m.live(vs[0])
		return !pattern
	}
	return false
}
