package pickle

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
)

// inner is a run of bytes that a call in the stream unpickles in its turn.
type inner struct {
	name   string
	data   string // decoded; empty where the bytes stand in the source as they are
	off, n int64
	only   map[string]bool // packages that it may name things of, where those will be called; nil for any
}

// Bounds of what one stream may have scanned in its turn.
const (
	maxInner      = 100_000
	maxInnerBytes = 64 << 20 // of decoded text
)

// descend queues the bytes that v stands for; false where it can't be told which bytes these are.
func (m *machine) descend(v value, off int64) bool {
	if len(m.inner) >= maxInner {
		m.limited = fmt.Errorf("more than %d nested pickles: %w", maxInner, modelscan.ErrLimit)
		return true
	}
	name := fmt.Sprintf("nested@%#x", off)
	switch v.kind() {
	case kByteArray:
		if m.changed {
			return false
		}
		fallthrough
	case kBytes:
		code, at, n, ok := m.extent(v, m.src.Size)
		if ok && ops[code].arg != argLine {
			m.inner = append(m.inner, inner{name: name, off: at, n: n})
		}
		return ok
	case kStr, kEncoded:
		text, ok := m.text(v, maxInnerBytes-m.innerBytes)
		if !ok {
			m.limited = fmt.Errorf("nested pickle at %#x: %w", off, modelscan.ErrLimit)
			return true
		}
		if v.kind() == kStr {
			text = latin1(text)
		}
		m.queue(name, text)
		return true
	case kCall:
		text, ok := m.decoded(int(v.index()))
		if ok {
			m.queue(name, text)
		}
		return ok
	}
	return false
}

func (m *machine) queue(name, data string) {
	m.innerBytes += int64(len(data))
	m.inner = append(m.inner, inner{name: name, data: data})
}

// decoded is what base64.b64decode(text), binascii.unhexlify(text), bytes.fromhex(text) and their like evaluate to.
func (m *machine) decoded(id int) (string, bool) {
	g := m.calleeGlobal(id)
	vs, _ := m.args(id)
	if g == nil || len(vs) == 0 {
		return "", false
	}
	text, ok := m.text(vs[0], maxInnerBytes-m.innerBytes)
	if !ok {
		return "", false
	}
	if g.name == "decompress" {
		return text, true // the formats of compressed files go on from there
	}
	return decodeText(g.name, text)
}

func decodeText(name, text string) (string, bool) {
	var data []byte
	var err error
	switch {
	case strings.Contains(name, "b64") || strings.Contains(name, "base64") || name == "decode":
		data, err = base64.StdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(text))
	case strings.Contains(name, "hex"):
		data, err = hex.DecodeString(strings.TrimSpace(text))
	default:
		return "", false
	}
	return string(data), err == nil
}

// looksNested finds pickles, bare or in base64, in the arguments of a callable that is not known to
// be harmless, and queues them.
func (m *machine) looksNested(id int) {
	if g := m.calleeGlobal(id); g != nil && g.name == "_create_code" {
		return // bytecode and tables of lines, which may begin like one
	}
	vs, _ := m.args(id)
	for _, v := range vs {
		switch v.kind() {
		case kBytes, kByteArray, kEncoded, kStr:
		case kCall:
			if text, ok := m.decoded(int(v.index())); ok && (isPickle(text) || m.calleeGlobal(int(v.index())).name == "decompress") {
				m.queue(fmt.Sprintf("nested@%#x", m.calls[id].off), text)
			}
			continue
		default:
			continue
		}
		head, _ := m.text(v, 64)
		if isPickle(head) {
			m.descend(v, m.calls[id].off)
			continue
		}
		if strings.HasPrefix(head, "gA") { // base64 of a PROTO opcode
			if text, ok := m.text(v, maxInnerBytes-m.innerBytes); ok {
				if data, ok := decodeText("b64", text); ok && isPickle(data) {
					m.queue(fmt.Sprintf("nested@%#x", m.calls[id].off), data)
				}
			}
		}
	}
}

func isPickle(s string) bool { return len(s) > 2 && s[0] == opProto && s[1] <= HighestProtocol }
