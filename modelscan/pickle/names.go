package pickle

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds a module or qualified name, in bytes. No importable thing has a longer one.
const maxName = 4096

// globalOp is GLOBAL and INST: two lines name the thing.
func (m *machine) globalOp(op *Op) value {
	text, err := m.dec.Payload(op, 2*maxName)
	if err != nil {
		return m.global(op, "?", "?", false)
	}
	if g, ok := m.byName[string(text)]; ok {
		return mk(kGlobal, int64(g))
	}
	module, name, _ := bytes.Cut(text, []byte("\n"))
	switch {
	case len(module) == 0 || len(name) == 0:
		m.refuse(op, "an empty name")
	case !utf8.Valid(text):
		m.refuse(op, "a name that is not UTF-8")
	}
	return m.global(op, string(module), string(name), false)
}

// stackGlobal is STACK_GLOBAL: two strings name the thing. CPython refuses anything but strings.
func (m *machine) stackGlobal(op *Op, module, name value) value {
	mod, ok1 := m.text(module, maxName)
	qual, ok2 := m.text(name, maxName)
	if !ok1 || !ok2 {
		m.refuse(op, "module or name is no string")
		return 0
	}
	return m.global(op, mod, qual, false)
}

// global interns a name. A newline can't be part of a name written by GLOBAL; in one written by
// STACK_GLOBAL it makes no difference that matters: no such module can be imported.
func (m *machine) global(op *Op, module, name string, computed bool) value {
	key := module + "\n" + name
	if g, ok := m.byName[key]; ok {
		return mk(kGlobal, int64(g))
	}
	if strings.ContainsFunc(module+name, unicode.IsControl) { // damaged: nothing that can be imported is called so
		m.refuse(op, "a name with a control character")
	}
	g := len(m.globals)
	m.globals = append(m.globals, global{module: module, name: name, computed: computed, off: op.Pos, entry: m.load.lookup(module, name)})
	m.byName[key] = g
	return mk(kGlobal, int64(g))
}

// text is the decoded text of a string, or of bytes that stand for one. It is cut, and ok is false,
// above limit bytes.
func (m *machine) text(v value, limit int64) (text string, ok bool) {
	switch v.kind() {
	case kStr, kBytes, kByteArray, kEncoded:
	default:
		return "", false
	}
	code, off, n, ok := m.extent(v, limit)
	raw, err := m.dec.w.bytesAt(off, n)
	if err != nil {
		return "", false
	}
	switch code {
	case opString:
		raw, _ = unescape(raw)
		text = string(raw)
	case opUnicode:
		text = unraw(raw)
	default:
		text = string(raw)
	}
	if v.kind() == kEncoded {
		text = latin1(text)
	}
	return text, ok
}

// extent is where the argument of the string or bytes opcode behind v stands: at most limit bytes of
// it, whole tells whether that is all.
func (m *machine) extent(v value, limit int64) (code byte, off, n int64, whole bool) {
	off = v.index()
	head, err := m.dec.w.bytesAt(off, min(9, m.dec.w.size-off))
	if err != nil || len(head) < 2 {
		return 0, 0, 0, false
	}
	code = head[0]
	switch ops[code].arg {
	case argLen1:
		off, n = off+2, int64(head[1])
	case argLen4, argLen4s:
		off, n = off+5, int64(binary.LittleEndian.Uint32(head[1:]))
	case argLen8:
		off, n = off+9, int64(binary.LittleEndian.Uint64(head[1:]))
	default:
		off++
		line, err := m.dec.w.bytesAt(off, min(limit+1, m.dec.w.size-off))
		if n = int64(bytes.IndexByte(line, '\n')); err != nil || n < 0 {
			return code, off, min(limit, int64(len(line))), false
		}
	}
	return code, off, min(n, limit), n <= limit
}

// latin1 turns a str whose code points are below 256 into the bytes it encodes to.
func latin1(s string) string {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		out = append(out, byte(r))
	}
	return string(out)
}
