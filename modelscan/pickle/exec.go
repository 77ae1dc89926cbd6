package pickle

import "math"

// exec performs one opcode other than STOP.
func (m *machine) exec(op *Op) {
	switch op.Code {
	case opMark:
		m.marks = append(m.marks, len(m.stack))
	case opNone:
		m.push(mk(kNone, 0))
	case opNewTrue:
		m.push(mk(kBool, 1))
	case opNewFalse:
		m.push(mk(kBool, 0))
	case opBinInt, opBinInt1, opBinInt2:
		m.push(mk(kInt, op.Int))
	case opBinFloat, opFloat:
		m.push(mk(kFloat, op.Pos))
	case opBinUnicode, opShortBinUnicode, opBinUnicode8, opUnicode, opString, opBinString, opShortBinString:
		m.push(mk(kStr, op.Pos))
	case opBinBytes, opShortBinBytes, opBinBytes8:
		m.push(mk(kBytes, op.Pos))
	case opByteArray8:
		m.push(mk(kByteArray, op.Pos))
	case opBinPut, opLongBinPut:
		m.memo.put(op.Int, m.top(op))
	case opMemoize:
		m.memo.put(m.memo.count, m.top(op))
	case opBinGet, opLongBinGet:
		m.get(op, op.Int)
	case opAppend:
		m.appendTo(op, m.popN(op, 1))
	case opAppends:
		m.appendTo(op, m.popMark(op))
	case opSetItem:
		m.setItems(op, m.popN(op, 2))
	case opSetItems:
		m.setItems(op, m.popMark(op))
	case opAddItems:
		m.addItems(op, m.popMark(op))
	case opEmptyTuple:
		m.push(m.container(kTuple))
	case opTuple1, opTuple2, opTuple3:
		m.push(m.container(kTuple, m.popN(op, int(op.Code-opTuple1)+1)...))
	case opTuple:
		m.push(m.container(kTuple, m.popMark(op)...))
	case opEmptyList:
		m.push(m.container(kList))
	case opEmptyDict:
		m.push(m.container(kDict))
	default:
		m.execRare(op)
	}
}

func (m *machine) execRare(op *Op) {
	switch op.Code {
	case opList:
		m.push(m.container(kList, m.popMark(op)...))
	case opDict:
		vs := m.popMark(op)
		if len(vs)%2 != 0 {
			m.refuse(op, "a key has no value")
		}
		m.push(m.container(kDict, vs...))
	case opEmptySet:
		m.push(m.container(kSet))
	case opFrozenSet:
		m.push(m.container(kFrozenSet, m.popMark(op)...))
	case opInt:
		m.pushInt(op)
	case opLong, opLong1, opLong4:
		m.pushLong(op)
	case opPop:
		m.popOne(op)
	case opPopMark:
		m.popMark(op)
	case opDup:
		m.push(m.top(op))
	case opPut:
		m.memo.put(m.lineIndex(op), m.top(op))
	case opGet:
		m.get(op, m.lineIndex(op))
	case opProto:
		if m.proto = op.Int; op.Int > HighestProtocol {
			m.refuse(op, "there is no such protocol")
		}
	case opFrame:
		m.frame(op)
	case opNextBuffer:
		m.push(mk(kBuffer, 0))
	case opReadOnlyBuffer:
		m.top(op)
	default:
		m.execCall(op)
	}
}

// execCall performs the opcodes that import or call.
func (m *machine) execCall(op *Op) {
	switch op.Code {
	case opGlobal:
		m.push(m.globalOp(op))
	case opStackGlobal:
		vs := m.popN(op, 2)
		m.push(m.stackGlobal(op, vs[0], vs[1]))
	case opExt1, opExt2, opExt4:
		m.push(m.extension(op))
	case opPersID, opBinPersID:
		m.push(m.persistent(op))
	case opReduce:
		vs := m.popN(op, 2)
		m.push(m.call(op, vs[0], vs[1], 0))
	case opNewObj:
		vs := m.popN(op, 2)
		m.push(m.call(op, vs[0], vs[1], 0))
	case opNewObjEx:
		vs := m.popN(op, 3)
		m.push(m.call(op, vs[0], vs[1], vs[2]))
	case opInst:
		cls := m.globalOp(op)
		m.push(m.call(op, cls, m.container(kTuple, m.popMark(op)...), 0))
	case opObj:
		vs := m.popMark(op)
		if len(vs) == 0 {
			m.refuse(op, "there is no class")
			vs = []value{0}
		}
		m.push(m.call(op, vs[0], m.container(kTuple, vs[1:]...), 0))
	case opBuild:
		state := m.pop(op)
		m.build(op, m.top(op), state)
	}
}

// popN takes the n top values, lowest first. The slice is valid until the next push.
func (m *machine) popN(op *Op, n int) []value {
	if at := len(m.stack) - n; at >= m.fence() {
		vs := m.stack[at:]
		m.stack = m.stack[:at]
		return vs
	}
	vs := make([]value, n)
	for i := n - 1; i >= 0; i-- {
		vs[i] = m.pop(op)
	}
	return vs
}

// popOne is POP: where a mark is on top, it takes that.
func (m *machine) popOne(op *Op) {
	if n := len(m.marks); n > 0 && m.marks[n-1] == len(m.stack) {
		m.marks = m.marks[:n-1]
		return
	}
	m.pop(op)
}

func (m *machine) get(op *Op, i int64) {
	v, ok := m.memo.get(i)
	if !ok {
		m.refuse(op, "the memo has no such entry")
		v = 0
	}
	m.push(v)
}

// lineIndex is the decimal argument of PUT and GET.
func (m *machine) lineIndex(op *Op) int64 {
	text, err := m.dec.Payload(op, maxNumber)
	n, ok := parseDecimal(text)
	if err != nil || !ok || n < 0 {
		m.refuse(op, "the index is no number")
		return math.MaxInt64
	}
	return n
}

// pushInt is INT: "01" and "00" are True and False.
func (m *machine) pushInt(op *Op) {
	text, err := m.dec.Payload(op, maxNumber)
	n, ok := parseInt(text)
	switch {
	case err != nil:
		m.push(mk(kBigInt, op.Pos))
	case string(text) == "00" || string(text) == "01":
		m.push(mk(kBool, n))
	case !ok:
		m.push(mk(kBigInt, op.Pos))
	default:
		m.push(intValue(n, op.Pos))
	}
}

func (m *machine) pushLong(op *Op) {
	text, err := m.dec.Payload(op, maxNumber)
	if op.Code == opLong {
		if n, ok := parseDecimal(trimL(text)); ok && err == nil {
			m.push(intValue(n, op.Pos))
			return
		}
		m.push(mk(kBigInt, op.Pos))
		return
	}
	if err != nil || len(text) > 7 {
		m.push(mk(kBigInt, op.Pos))
		return
	}
	m.push(mk(kInt, littleEndian(text)))
}
