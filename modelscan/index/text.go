package index

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/secure-torch/secure-torch/modelscan/pickle"
)

// maxString bounds what is copied out of the pickle at once; longer bytes stay where they are.
const maxString = 64 << 20

func binUnicode(m *machine, op *pickle.Op) error {
	b, err := m.dec.Payload(op, maxString)
	if err != nil {
		return err
	}
	if utf8.Valid(b) {
		m.push(m.g.str(kStr, b))
		return nil
	}
	if !surrogatePass(b) {
		return fmt.Errorf("text is no UTF-8: %w", pickle.ErrMalformed)
	}
	m.push(m.g.str(kSurrogate, b))
	return nil
}

// surrogatePass tells whether b is UTF-8 but for surrogates in three bytes each, as Python's
// "surrogatepass" writes them.
func surrogatePass(b []byte) bool {
	for len(b) > 0 {
		if len(b) >= 3 && b[0] == 0xed && b[1] >= 0xa0 && b[1] <= 0xbf && b[2]&0xc0 == 0x80 {
			b = b[3:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 {
			return false
		}
		b = b[n:]
	}
	return true
}

// lineUnicode reads protocol 0 text: raw-unicode-escape, so Latin-1 with \uXXXX and \UXXXXXXXX.
func lineUnicode(m *machine, op *pickle.Op) error {
	b, err := m.dec.Payload(op, maxString)
	if err != nil {
		return err
	}
	out := make([]byte, 0, len(b))
	k := kStr
	for i := 0; i < len(b); i++ {
		r := rune(b[i])
		if b[i] == '\\' && i+1 < len(b) && (b[i+1] == 'u' || b[i+1] == 'U') && !escaped(b, i) {
			n := 4
			if b[i+1] == 'U' {
				n = 8
			}
			v, ok := hexValue(b, i+2, n)
			if !ok || v > utf8.MaxRune {
				return fmt.Errorf("bad escape in text: %w", pickle.ErrMalformed)
			}
			r, i = rune(v), i+1+n
		}
		if r >= 0xd800 && r <= 0xdfff {
			k = kSurrogate
			out = append(out, 0xed, byte(0x80|r>>6&0x3f), byte(0x80|r&0x3f))
			continue
		}
		out = utf8.AppendRune(out, r)
	}
	m.push(m.g.str(k, out))
	return nil
}

// escaped tells whether an odd number of backslashes stands before b[i].
func escaped(b []byte, i int) bool {
	n := 0
	for i > n && b[i-n-1] == '\\' {
		n++
	}
	return n%2 == 1
}

func hexValue(b []byte, at, n int) (uint32, bool) {
	if at+n > len(b) {
		return 0, false
	}
	var v uint32
	for _, c := range b[at : at+n] {
		d, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		v = v<<4 | d
	}
	return v, true
}

func hexDigit(c byte) (uint32, bool) {
	switch {
	case c >= '0' && c <= '9':
		return uint32(c - '0'), true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return uint32(c|0x20-'a') + 10, true
	}
	return 0, false
}

// lineString reads protocol 0 bytes: a quoted Python 2 literal.
func lineString(m *machine, op *pickle.Op) error {
	b, err := m.dec.Payload(op, maxString)
	if err != nil {
		return err
	}
	b = bytes.TrimRight(b, " \t\r")
	if len(b) < 2 || b[0] != b[len(b)-1] || b[0] != '\'' && b[0] != '"' {
		return fmt.Errorf("string without quotes: %w", pickle.ErrMalformed)
	}
	out, ok := unescape(b[1 : len(b)-1])
	if !ok {
		return fmt.Errorf("bad escape in string: %w", pickle.ErrMalformed)
	}
	m.push(m.python2String(out))
	return nil
}

var simpleEscapes = map[byte]byte{'\\': '\\', '\'': '\'', '"': '"', 'a': 7, 'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11}

// unescape is codecs.escape_decode.
func unescape(b []byte) ([]byte, bool) {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			out = append(out, b[i])
			continue
		}
		if i++; i >= len(b) {
			return nil, false
		}
		c := b[i]
		if s, ok := simpleEscapes[c]; ok {
			out = append(out, s)
			continue
		}
		switch {
		case c == '\n':
		case c == 'x':
			v, ok := hexValue(b, i+1, 2)
			if !ok {
				return nil, false
			}
			out, i = append(out, byte(v)), i+2
		case c >= '0' && c <= '7':
			v, n := 0, 0
			for ; n < 3 && i+n < len(b) && b[i+n] >= '0' && b[i+n] <= '7'; n++ {
				v = v<<3 | int(b[i+n]-'0')
			}
			out, i = append(out, byte(v)), i+n-1
		default:
			out = append(out, '\\', c)
		}
	}
	return out, true
}

func binString(m *machine, op *pickle.Op) error {
	b, err := m.dec.Payload(op, maxString)
	if err != nil {
		return err
	}
	m.push(m.python2String(b))
	return nil
}

// python2String is text if it is UTF-8, as torch.load reads it (encoding="utf-8"), else bytes.
func (m *machine) python2String(b []byte) Ref {
	if utf8.Valid(b) {
		return m.g.str(kRawStr, b)
	}
	return m.g.str(kBytes, b)
}

func binBytes(m *machine, op *pickle.Op) error {
	if off, ok := m.at.file(op.Off); ok && op.Len >= inlineBytes {
		m.push(m.g.span(off, op.Len))
		return nil
	}
	b, err := m.dec.Payload(op, maxString)
	if err != nil {
		return err
	}
	m.push(m.g.str(kBytes, b))
	return nil
}

func byteArray(m *machine, op *pickle.Op) error {
	if err := binBytes(m, op); err != nil {
		return err
	}
	r, err := m.pop()
	if err != nil {
		return err
	}
	m.push(m.g.add(kByteArray, int64(r)))
	return nil
}

// latin1 undoes how Python 3 writes bytes for protocol 2: text that is encoded as Latin-1 on load.
func latin1(text []byte) ([]byte, bool) {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r > 0xff || r == utf8.RuneError && n <= 1 {
			return nil, false
		}
		out = append(out, byte(r))
		i += n
	}
	return out, true
}
