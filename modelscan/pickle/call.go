package pickle

// call is the event every call-like opcode comes down to: REDUCE, INST, OBJ, NEWOBJ, NEWOBJ_EX. Its
// value is pushed by the caller; popping it later takes nothing back.
func (m *machine) call(op *Op, callee, args, extra value) value {
	if callee.kind() == kGlobal && !m.recordAll {
		if g := &m.globals[callee.index()]; g.entry.plain() && !m.grows(g, args) {
			g.reported = true
			if g.entry.uses&acceptsDict != 0 {
				m.judgeGiven(op, g, args)
			}
			m.judgeReads(op.Pos, g, args)
			return mk(kInst, callee.index())
		}
	}
	if args.kind() != kTuple {
		if args.kind() != kUnknown && args.kind() != kInst && args.kind() != kCall {
			m.refuse(op, "the arguments are no tuple")
		}
	}
	m.calls = append(m.calls, call{callee: callee, args: args, extra: extra, off: op.Pos, op: op.Code})
	id := len(m.calls) - 1
	if m.recordAll {
		m.events = append(m.events, event{call: id})
		return result(id)
	}
	return m.judgeCall(op, id, 0)
}

// build is BUILD: the target's __setstate__ is called with state, or its __dict__ updated from it.
func (m *machine) build(op *Op, target, state value) {
	m.lastState = state
	m.note(target, "__setstate__", state)
	m.judgeBuild(op, target, state)
	if target.kind() == kCall {
		m.calls[target.index()].state = state
	}
}

func (m *machine) appendTo(op *Op, vs []value) {
	target := m.top(op)
	switch target.kind() {
	case kList:
		m.extend(m.containers.at(int(target.index())), vs)
	default:
		if len(vs) == 0 {
			return // CPython looks at nothing then
		}
		m.noteItems(target, "extend", kList, vs)
		m.judgeItems(op, target, acceptsList)
	}
}

func (m *machine) setItems(op *Op, vs []value) {
	target := m.top(op)
	if len(vs)%2 != 0 {
		m.refuse(op, "a key has no value")
	}
	switch target.kind() {
	case kDict:
		m.extend(m.containers.at(int(target.index())), vs)
	default:
		if len(vs) == 0 {
			return
		}
		m.noteItems(target, "update", kDict, vs)
		m.judgeItems(op, target, acceptsDict)
		if target.kind() == kInst {
			m.judgeSetstate(op, &m.globals[target.index()], vs)
		}
	}
}

func (m *machine) addItems(op *Op, vs []value) {
	target := m.top(op)
	switch target.kind() {
	case kSet:
		m.extend(m.containers.at(int(target.index())), vs)
	default:
		if len(vs) == 0 {
			return
		}
		m.noteItems(target, "update", kSet, vs)
		m.judgeItems(op, target, acceptsSet)
	}
}

// joinName is the dotted name of a thing.
func joinName(module, name string) string {
	if name == "" {
		return module
	}
	if module == "" {
		return name
	}
	return module + "." + name
}
