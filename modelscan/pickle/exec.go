package pickle

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"
)

// exec performs one opcode. What has no step pushes nothing (STOP), or is no opcode and was refused before.
func (m *machine) exec(op *Op) {
	if do := steps[op.Code]; do != nil {
		do(m, op)
	}
}

// steps are what the opcodes do, by opcode.
var steps = [256]func(m *machine, op *Op){
	opMark:     func(m *machine, _ *Op) { m.marks = append(m.marks, len(m.stack)) },
	opPop:      (*machine).popOne,
	opPopMark:  func(m *machine, op *Op) { m.popMark(op) },
	opDup:      func(m *machine, op *Op) { m.push(m.top(op)) },
	opNone:     func(m *machine, _ *Op) { m.push(mk(kNone, 0)) },
	opNewTrue:  func(m *machine, _ *Op) { m.push(mk(kBool, 1)) },
	opNewFalse: func(m *machine, _ *Op) { m.push(mk(kBool, 0)) },

	opInt: (*machine).pushInt, opLong: (*machine).pushLong, opLong1: (*machine).pushLong, opLong4: (*machine).pushLong,
	opBinInt: pushFixed, opBinInt1: pushFixed, opBinInt2: pushFixed,
	opFloat: pushFloat, opBinFloat: pushFloat,
	opUnicode: pushRaw, opBinUnicode: pushUnicode, opShortBinUnicode: pushUnicode, opBinUnicode8: pushUnicode,
	opString: pushText, opBinString: pushText, opShortBinString: pushText,
	opBinBytes: pushBytes, opShortBinBytes: pushBytes, opBinBytes8: pushBytes,
	opByteArray8:     pushBytes,
	opNextBuffer:     func(m *machine, _ *Op) { m.push(mk(kBuffer, 0)) },
	opReadOnlyBuffer: func(m *machine, op *Op) { m.top(op) },

	opPut:    func(m *machine, op *Op) { m.memo.put(m.lineIndex(op), m.top(op)) },
	opBinPut: putFixed, opLongBinPut: putFixed,
	opMemoize: func(m *machine, op *Op) { m.memo.put(m.memo.count, m.top(op)) },
	opGet:     func(m *machine, op *Op) { m.get(op, m.lineIndex(op)) },
	opBinGet:  getFixed, opLongBinGet: getFixed,

	opEmptyTuple: func(m *machine, _ *Op) { m.push(m.container(kTuple)) },
	opTuple1:     pushTuple, opTuple2: pushTuple, opTuple3: pushTuple,
	opTuple:     func(m *machine, op *Op) { m.push(m.container(kTuple, m.popMark(op)...)) },
	opEmptyList: func(m *machine, _ *Op) { m.push(m.container(kList)) },
	opList:      func(m *machine, op *Op) { m.push(m.container(kList, m.popMark(op)...)) },
	opEmptyDict: func(m *machine, _ *Op) { m.push(m.container(kDict)) },
	opDict:      (*machine).pushDict,
	opEmptySet:  func(m *machine, _ *Op) { m.push(m.container(kSet)) },
	opFrozenSet: func(m *machine, op *Op) { m.push(m.container(kFrozenSet, m.popMark(op)...)) },
	opAppend:    func(m *machine, op *Op) { m.appendTo(op, m.popN(op, 1)) },
	opAppends:   func(m *machine, op *Op) { m.appendTo(op, m.popMark(op)) },
	opSetItem:   func(m *machine, op *Op) { m.setItems(op, m.popN(op, 2)) },
	opSetItems:  func(m *machine, op *Op) { m.setItems(op, m.popMark(op)) },
	opAddItems:  func(m *machine, op *Op) { m.addItems(op, m.popMark(op)) },

	opProto: (*machine).protocol,
	opFrame: (*machine).frame,

	opGlobal:      func(m *machine, op *Op) { m.push(m.globalOp(op)) },
	opStackGlobal: func(m *machine, op *Op) { vs := m.popN(op, 2); m.push(m.stackGlobal(op, vs[0], vs[1])) },
	opExt1:        pushExtension, opExt2: pushExtension, opExt4: pushExtension,
	opPersID:    func(m *machine, op *Op) { m.push(m.persistent(op)) },
	opBinPersID: func(m *machine, op *Op) { m.push(m.persistent(op)) },
	opReduce:    func(m *machine, op *Op) { vs := m.popN(op, 2); m.push(m.call(op, vs[0], vs[1], 0)) },
	opNewObj:    func(m *machine, op *Op) { vs := m.popN(op, 2); m.push(m.call(op, vs[0], vs[1], 0)) },
	opNewObjEx:  func(m *machine, op *Op) { vs := m.popN(op, 3); m.push(m.call(op, vs[0], vs[1], vs[2])) },
	opInst:      (*machine).inst,
	opObj:       (*machine).obj,
	opBuild:     func(m *machine, op *Op) { state := m.pop(op); m.build(op, m.top(op), state) },
}

func pushFixed(m *machine, op *Op)     { m.push(mk(kInt, op.Int)) }
func pushText(m *machine, op *Op)      { m.push(mk(kStr, op.Pos)) }
func pushExtension(m *machine, op *Op) { m.push(m.extension(op)) }
func putFixed(m *machine, op *Op)      { m.memo.put(op.Int, m.top(op)) }
func getFixed(m *machine, op *Op)      { m.get(op, op.Int) }

func pushFloat(m *machine, op *Op) {
	if op.Code == opFloat { // BINFLOAT's eight bytes are a number whatever they are
		if text, err := m.dec.Payload(op, maxNumber); err == nil && len(bytes.Trim(text, "0123456789.eE_+-infatyINFATY \t\r\v\f")) > 0 {
			m.refuse(op, "the number is none")
		}
	}
	m.push(mk(kFloat, op.Pos))
}

// maxChecked bounds the text whose encoding is looked at, in bytes.
const maxChecked = 1 << 20

// pushUnicode pushes a str. Python refuses what is not UTF-8, surrogates let through.
func pushUnicode(m *machine, op *Op) {
	if b, err := m.dec.Payload(op, maxChecked); err == nil && !utf8.Valid(b) && !utf8.Valid(withoutSurrogates(b)) {
		m.refuse(op, "the text is not UTF-8")
	}
	pushText(m, op)
}

// pushRaw pushes a str written by UNICODE. Python refuses an escape that is cut or beyond the last character.
func pushRaw(m *machine, op *Op) {
	b, err := m.dec.Payload(op, maxChecked)
	for i := 0; err == nil && i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) || oddBackslash(b, i) {
			continue
		}
		digits := map[byte]int{'u': 4, 'U': 8}[b[i+1]]
		if v, bad := strconv.ParseUint(string(b[i+2:min(i+2+digits, len(b))]), 16, 32); digits > 0 && (bad != nil || i+2+digits > len(b) || v > utf8.MaxRune) {
			m.refuse(op, "the text has an escape that is none")
			break
		}
	}
	pushText(m, op)
}

// withoutSurrogates puts other runes of three bytes in the place of encoded surrogates.
func withoutSurrogates(b []byte) []byte {
	b = bytes.Clone(b)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == 0xed && b[i+1] >= 0xa0 && b[i+1] <= 0xbf {
			b[i] = 0xee
		}
	}
	return b
}

func pushBytes(m *machine, op *Op) {
	if m.opts.Bytes != nil {
		m.opts.Bytes(op.Off, op.Len)
	}
	kind := kBytes
	if op.Code == opByteArray8 {
		kind = kByteArray
	}
	m.push(mk(kind, op.Pos))
}

func pushTuple(m *machine, op *Op) {
	m.push(m.container(kTuple, m.popN(op, int(op.Code-opTuple1)+1)...))
}

func (m *machine) pushDict(op *Op) {
	vs := m.popMark(op)
	if len(vs)%2 != 0 {
		m.refuse(op, "a key has no value")
	}
	m.push(m.container(kDict, vs...))
}

func (m *machine) protocol(op *Op) {
	if m.proto = op.Int; op.Int > HighestProtocol {
		m.refuse(op, "there is no such protocol")
	}
}

// inst is INST: the class is named in the instruction, its arguments reach down to the mark.
func (m *machine) inst(op *Op) {
	cls := m.globalOp(op)
	m.push(m.call(op, cls, m.container(kTuple, m.popMark(op)...), 0))
}

// obj is OBJ: the class lies on the mark, its arguments above it.
func (m *machine) obj(op *Op) {
	vs := m.popMark(op)
	if len(vs) == 0 {
		m.refuse(op, "there is no class")
		vs = []value{0}
	}
	m.push(m.call(op, vs[0], m.container(kTuple, vs[1:]...), 0))
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
		m.decimal(op, text)
		m.push(mk(kBigInt, op.Pos))
	default:
		m.push(intValue(n, op.Pos))
	}
}

// decimal refuses a number with a byte that no number has, as Python does.
func (m *machine) decimal(op *Op, text []byte) {
	if len(bytes.Trim(text, "0123456789abcdefABCDEFxXoO_+- \t\r\v\f")) > 0 {
		m.refuse(op, "the number is none")
	}
}

func (m *machine) pushLong(op *Op) {
	text, err := m.dec.Payload(op, maxNumber)
	if op.Code == opLong {
		if n, ok := parseDecimal(trimL(text)); ok && err == nil {
			m.push(intValue(n, op.Pos))
			return
		}
		if err == nil {
			m.decimal(op, trimL(text))
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
