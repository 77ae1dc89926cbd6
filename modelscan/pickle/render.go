package pickle

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what a message spells out.
const (
	maxText  = 160  // bytes of one string
	maxDepth = 6    // containers in containers
	maxShown = 12   // items of one container
	maxLine  = 1000 // bytes of a whole rendering
)

// render is v as pseudo-Python, bounded and free of control and bidirectional characters.
func (m *machine) render(v value) string {
	var b strings.Builder
	m.write(&b, v, 0)
	return b.String()
}

func (m *machine) renderCall(id int) string {
	var b strings.Builder
	m.writeCall(&b, &m.calls[id], 0)
	return b.String()
}

func (m *machine) write(b *strings.Builder, v value, depth int) {
	if depth > maxDepth || b.Len() > maxLine {
		b.WriteString("…")
		return
	}
	switch v.kind() {
	case kNone, kBool, kInt, kBigInt, kFloat:
		b.WriteString(m.scalar(v))
	case kStr:
		m.writeText(b, v, "")
	case kBytes, kEncoded:
		m.writeText(b, v, "b")
	case kByteArray:
		m.writeText(b, v, "bytearray b")
	case kTuple:
		m.writeItems(b, v, "(", ")", depth)
	case kList:
		m.writeItems(b, v, "[", "]", depth)
	case kDict, kSet, kFrozenSet:
		m.writeItems(b, v, "{", "}", depth)
	case kCall:
		if m.recordAll {
			fmt.Fprintf(b, "_%d", v.index())
			break
		}
		m.writeCall(b, &m.calls[v.index()], depth+1)
	case kPersist:
		b.WriteString("persistent")
		m.writeItems(b, v, "(", ")", depth)
	default:
		b.WriteString(m.named(v))
	}
}

// scalar spells None, a truth value or a number.
func (m *machine) scalar(v value) string {
	switch v.kind() {
	case kNone:
		return "None"
	case kBool:
		return map[int64]string{0: "False", 1: "True"}[v.index()]
	case kInt:
		return strconv.FormatInt(v.int(), 10)
	case kFloat:
		return m.float(v)
	}
	return "int(…)"
}

// named spells what goes by a name.
func (m *machine) named(v value) string {
	switch v.kind() {
	case kGlobal:
		return m.globals[v.index()].String()
	case kInst:
		return m.globals[v.index()].String() + "(…)"
	case kStorage:
		return "storage"
	case kExt:
		return fmt.Sprintf("extension(%d)", v.int())
	}
	return "…"
}

func (m *machine) writeCall(b *strings.Builder, c *call, depth int) {
	m.write(b, c.callee, depth)
	if c.args.kind() != kTuple {
		b.WriteString("(*")
		m.write(b, c.args, depth)
		b.WriteString(")")
		return
	}
	b.WriteString("(")
	vs, all := m.elements(c.args)
	m.writeList(b, vs, all, depth)
	if c.extra != 0 {
		b.WriteString(", **")
		m.write(b, c.extra, depth+1)
	}
	b.WriteString(")")
}

func (m *machine) writeItems(b *strings.Builder, v value, open, shut string, depth int) {
	vs, all := m.elements(v)
	b.WriteString(open)
	if v.kind() == kDict {
		m.writePairs(b, vs, all, depth)
	} else {
		m.writeList(b, vs, all, depth)
		if v.kind() == kTuple && len(vs) == 1 && all {
			b.WriteString(",")
		}
	}
	b.WriteString(shut)
}

func (m *machine) writeList(b *strings.Builder, vs []value, all bool, depth int) {
	for i, v := range vs {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == maxShown {
			all = false
			break
		}
		m.write(b, v, depth+1)
	}
	if !all {
		b.WriteString("…")
	}
}

func (m *machine) writePairs(b *strings.Builder, vs []value, all bool, depth int) {
	for i := 0; i+1 < len(vs) && i < 2*maxShown; i += 2 {
		if i > 0 {
			b.WriteString(", ")
		}
		m.write(b, vs[i], depth+1)
		b.WriteString(": ")
		m.write(b, vs[i+1], depth+1)
	}
	if !all || len(vs) > 2*maxShown {
		b.WriteString(", …")
	}
}

func (m *machine) writeText(b *strings.Builder, v value, prefix string) {
	text, all := m.text(v, maxText)
	b.WriteString(prefix)
	b.WriteString(quote(text, prefix == ""))
	if !all {
		b.WriteString("…")
	}
}

// float spells a FLOAT or BINFLOAT.
func (m *machine) float(v value) string {
	head, err := m.dec.w.bytesAt(v.index(), min(9, m.dec.w.size-v.index()))
	if err != nil || len(head) < 9 || head[0] != opBinFloat {
		return "float(…)"
	}
	var bits uint64
	for _, c := range head[1:] {
		bits = bits<<8 | uint64(c)
	}
	return strconv.FormatFloat(math.Float64frombits(bits), 'g', -1, 64)
}

// quote writes a Python literal. Characters that don't show, or that change the direction of what is
// around them, are escaped.
func quote(s string, isText bool) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == utf8.RuneError && n == 1 || !isText && r >= utf8.RuneSelf || r < ' ' || r == 0x7f:
			for _, c := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		case !visible(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += n
	}
	b.WriteByte('\'')
	return b.String()
}

// visible characters print and stay where they are put.
func visible(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.Is(unicode.Cf, r) && (r == ' ' || !unicode.IsSpace(r))
}

// clean makes a name safe to print; an ordinary name is unchanged.
func clean(name string) string {
	for _, r := range name {
		if !visible(r) || r == utf8.RuneError {
			q := quote(name, true)
			return q[1 : len(q)-1]
		}
	}
	return name
}
