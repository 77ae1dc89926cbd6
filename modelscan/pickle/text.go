package pickle

import (
	"bytes"
	"strconv"
)

// maxNumber bounds the text of a number that is looked at; longer ones stay opaque.
const maxNumber = 32

// parseInt reads what the INT opcode's argument means: C's strtol with base 0, as far as it fits in 64 bits.
func parseInt(text []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 0, 64)
	return n, err == nil
}

// parseDecimal reads the argument of LONG, GET and PUT: a leading zero means nothing there.
func parseDecimal(text []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	return n, err == nil
}

func trimL(text []byte) []byte { return bytes.TrimSuffix(text, []byte("L")) }

// littleEndian reads a two's complement number of at most eight bytes (LONG1, LONG4).
func littleEndian(b []byte) int64 {
	var n int64
	for i, c := range b {
		n |= int64(c) << (8 * i)
	}
	if len(b) > 0 && len(b) < 8 && b[len(b)-1]&0x80 != 0 {
		n -= 1 << (8 * len(b))
	}
	return n
}

// unescape decodes the text of a STRING opcode as CPython does (PyBytes_DecodeEscape), quotes and
// all. ok is false where CPython refuses it; what could be decoded is returned anyway.
func unescape(line []byte) (text []byte, ok bool) {
	ok = len(line) >= 2 && line[0] == line[len(line)-1] && (line[0] == '\'' || line[0] == '"')
	if ok {
		line = line[1 : len(line)-1]
	}
	out := make([]byte, 0, len(line))
	for i := 0; i < len(line); i++ {
		if line[i] != '\\' {
			out = append(out, line[i])
			continue
		}
		if i++; i == len(line) {
			return out, false
		}
		n, c, good := escape(line[i:])
		ok = ok && good
		i += n - 1
		out = append(out, c...)
	}
	return out, ok
}

var simpleEscapes = map[byte]string{'\n': "", '\\': "\\", '\'': "'", '"': "\"", 'b': "\b", 'f': "\f", 't': "\t", 'n': "\n", 'r': "\r", 'v': "\v", 'a': "\a"}

// escape decodes one escape sequence without its backslash and tells how many bytes it has.
func escape(s []byte) (n int, text string, ok bool) {
	if t, ok := simpleEscapes[s[0]]; ok {
		return 1, t, true
	}
	switch {
	case s[0] >= '0' && s[0] <= '7':
		v := 0
		for n = 0; n < 3 && n < len(s) && s[n] >= '0' && s[n] <= '7'; n++ {
			v = v*8 + int(s[n]-'0')
		}
		return n, string([]byte{byte(v)}), true
	case s[0] == 'x':
		if len(s) < 3 {
			return 1, "", false
		}
		v, err := strconv.ParseUint(string(s[1:3]), 16, 8)
		return 3, string([]byte{byte(v)}), err == nil
	}
	return 1, "\\" + string(s[:1]), true
}

// unraw decodes the text of a UNICODE opcode: Latin-1 with \uXXXX and \UXXXXXXXX (raw-unicode-escape).
func unraw(line []byte) string {
	out := make([]rune, 0, len(line))
	for i := 0; i < len(line); i++ {
		digits := 0
		if line[i] == '\\' && i+1 < len(line) && !oddBackslash(line, i) {
			digits = map[byte]int{'u': 4, 'U': 8}[line[i+1]]
		}
		if digits > 0 && i+2+digits <= len(line) {
			if v, err := strconv.ParseUint(string(line[i+2:i+2+digits]), 16, 32); err == nil {
				out = append(out, rune(v))
				i += 1 + digits
				continue
			}
		}
		out = append(out, rune(line[i]))
	}
	return string(out)
}

// oddBackslash tells whether the backslash at i is itself escaped.
func oddBackslash(line []byte, i int) bool {
	n := 0
	for j := i - 1; j >= 0 && line[j] == '\\'; j-- {
		n++
	}
	return n%2 == 1
}
