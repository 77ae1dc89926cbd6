// Package pickleasm turns readable pickle programs into bytes, so that hostile pickles need not lie in the
// repository. It is for tests only.
//
// A program has one instruction a line, named as in CPython's pickletools; "#" begins a comment:
//
//	PROTO 2
//	GLOBAL posix system          module, a space, the name
//	BINUNICODE "echo pwned"      counted texts and bytes are quoted as in Go
//	LONG1 -5                     numbers are decimal, or 0x…
//	STRING 'echo'                arguments of protocol 0 stand as they are written
//	BINUNICODE8 len=0xffff "x"   a length other than the true one
//	BINBYTES {                   the bytes of an inner program, up to the brace alone on its line;
//	  …                          "base64 {" and "hex {" write those as text; FRAME { counts them
//	}
//	REPEAT 1000 {                the inner program so many times
//	  NONE
//	}
//	RAW 80 02 "text"*3           bytes, in the notation of modeltest.Bytes
//	CALL posix system "echo" 5   GLOBAL, MARK, the arguments (texts, numbers, None, True, False, (), [], {}), TUPLE, REDUCE
//	CALL4 random _os.system "x"  the same with STACK_GLOBAL, which takes dotted names
package pickleasm

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/internal/modeltest"
)

// opcode is its byte and how its argument is written.
type opcode struct {
	code byte
	arg  string
}

// opcodes: "" no argument, u1 u2 i4 u4 u8 f8 fixed, c1 c4 c8 counted, n1 n4 counted numbers, line, lines.
var opcodes = map[string]opcode{
	"MARK": {'(', ""}, "STOP": {'.', ""}, "POP": {'0', ""}, "POP_MARK": {'1', ""}, "DUP": {'2', ""}, "FLOAT": {'F', "line"}, "INT": {'I', "line"},
	"BININT": {'J', "i4"}, "BININT1": {'K', "u1"}, "LONG": {'L', "line"}, "BININT2": {'M', "u2"}, "NONE": {'N', ""}, "PERSID": {'P', "line"}, "BINPERSID": {'Q', ""},
	"REDUCE": {'R', ""}, "STRING": {'S', "line"}, "BINSTRING": {'T', "c4"}, "SHORT_BINSTRING": {'U', "c1"}, "UNICODE": {'V', "line"}, "BINUNICODE": {'X', "c4"},
	"APPEND": {'a', ""}, "BUILD": {'b', ""}, "GLOBAL": {'c', "lines"}, "DICT": {'d', ""}, "EMPTY_DICT": {'}', ""}, "APPENDS": {'e', ""}, "GET": {'g', "line"},
	"BINGET": {'h', "u1"}, "INST": {'i', "lines"}, "LONG_BINGET": {'j', "u4"}, "LIST": {'l', ""}, "EMPTY_LIST": {']', ""}, "OBJ": {'o', ""}, "PUT": {'p', "line"},
	"BINPUT": {'q', "u1"}, "LONG_BINPUT": {'r', "u4"}, "SETITEM": {'s', ""}, "TUPLE": {'t', ""}, "EMPTY_TUPLE": {')', ""}, "SETITEMS": {'u', ""}, "BINFLOAT": {'G', "f8"},
	"PROTO": {0x80, "u1"}, "NEWOBJ": {0x81, ""}, "EXT1": {0x82, "u1"}, "EXT2": {0x83, "u2"}, "EXT4": {0x84, "i4"}, "TUPLE1": {0x85, ""}, "TUPLE2": {0x86, ""},
	"TUPLE3": {0x87, ""}, "NEWTRUE": {0x88, ""}, "NEWFALSE": {0x89, ""}, "LONG1": {0x8a, "n1"}, "LONG4": {0x8b, "n4"}, "BINBYTES": {'B', "c4"},
	"SHORT_BINBYTES": {'C', "c1"}, "SHORT_BINUNICODE": {0x8c, "c1"}, "BINUNICODE8": {0x8d, "c8"}, "BINBYTES8": {0x8e, "c8"}, "EMPTY_SET": {0x8f, ""},
	"ADDITEMS": {0x90, ""}, "FROZENSET": {0x91, ""}, "NEWOBJ_EX": {0x92, ""}, "STACK_GLOBAL": {0x93, ""}, "MEMOIZE": {0x94, ""}, "FRAME": {0x95, "u8"},
	"BYTEARRAY8": {0x96, "c8"}, "NEXT_BUFFER": {0x97, ""}, "READONLY_BUFFER": {0x98, ""},
}

// Assemble turns a program into bytes.
func Assemble(text string) ([]byte, error) {
	a := &assembler{lines: strings.Split(text, "\n")}
	return a.block(false)
}

type assembler struct {
	lines []string
	next  int
}

// block assembles up to the brace that closes it, or to the end.
func (a *assembler) block(closed bool) ([]byte, error) {
	var out []byte
	for a.next < len(a.lines) {
		line := strings.TrimSpace(a.lines[a.next])
		a.next++
		if line == "" || line[0] == '#' {
			continue
		}
		if line == "}" && closed {
			return out, nil
		}
		at := a.next
		b, err := a.line(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", at, line, err)
		}
		out = append(out, b...)
	}
	if closed {
		return nil, fmt.Errorf("a brace is not closed")
	}
	return out, nil
}

func (a *assembler) line(line string) ([]byte, error) {
	name, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch name {
	case "RAW":
		return modeltest.Bytes(rest)
	case "CALL", "CALL4":
		return call(name, rest)
	case "REPEAT":
		n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(rest, "{")))
		if err != nil {
			return nil, err
		}
		b, err := a.block(true)
		return []byte(strings.Repeat(string(b), n)), err
	}
	op, ok := opcodes[name]
	if !ok {
		return nil, fmt.Errorf("no such opcode")
	}
	arg, err := a.argument(op.arg, rest)
	return append([]byte{op.code}, arg...), err
}

func (a *assembler) argument(kind, text string) ([]byte, error) {
	switch kind {
	case "":
		if text != "" && text[0] != '#' {
			return nil, fmt.Errorf("takes no argument")
		}
		return nil, nil
	case "line":
		return []byte(text + "\n"), nil
	case "lines":
		module, name, ok := strings.Cut(text, " ")
		if !ok {
			return nil, fmt.Errorf("wants a module and a name")
		}
		return []byte(module + "\n" + name + "\n"), nil
	case "f8":
		f, err := strconv.ParseFloat(text, 64)
		return binary.BigEndian.AppendUint64(nil, math.Float64bits(f)), err
	case "n1", "n4":
		n, ok := new(big.Int).SetString(text, 0)
		if !ok {
			return nil, fmt.Errorf("wants a number")
		}
		return counted(kind[1:], twosComplement(n), -1)
	case "c1", "c4", "c8":
		return a.counted(kind[1:], text)
	}
	if kind == "u8" && text == "{" {
		b, err := a.block(true)
		return append(binary.LittleEndian.AppendUint64(nil, uint64(len(b))), b...), err
	}
	n, err := strconv.ParseInt(text, 0, 64)
	return fixed(kind[1:], n), err
}

// counted reads a quoted text or an inner program, and a length that need not be the true one.
func (a *assembler) counted(size, text string) ([]byte, error) {
	claimed := int64(-1)
	if rest, ok := strings.CutPrefix(text, "len="); ok {
		number, after, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseUint(number, 0, 64)
		if err != nil {
			return nil, err
		}
		claimed, text = int64(n), strings.TrimSpace(after)
	}
	if how, ok := strings.CutSuffix(text, "{"); ok {
		b, err := a.block(true)
		if err != nil {
			return nil, err
		}
		switch strings.TrimSpace(how) {
		case "base64":
			b = []byte(base64.StdEncoding.EncodeToString(b))
		case "hex":
			b = []byte(hex.EncodeToString(b))
		}
		return counted(size, b, claimed)
	}
	s, err := strconv.Unquote(text)
	if err != nil {
		return nil, fmt.Errorf("wants a quoted text: %w", err)
	}
	return counted(size, []byte(s), claimed)
}

func counted(size string, b []byte, claimed int64) ([]byte, error) {
	n := int64(len(b))
	if claimed >= 0 || claimed < -1 {
		n = claimed
	} else if size == "1" && n > 255 {
		return nil, fmt.Errorf("%d bytes do not fit", n)
	}
	return append(fixed(size, n), b...), nil
}

// fixed is n in so many little-endian bytes.
func fixed(size string, n int64) []byte {
	width, _ := strconv.Atoi(size) // one of this file's own literals
	return binary.LittleEndian.AppendUint64(nil, uint64(n))[:width]
}

// twosComplement is n in as few little-endian bytes as hold it; zero in none.
func twosComplement(n *big.Int) []byte {
	if n.Sign() == 0 {
		return nil
	}
	width := uint(n.BitLen()/8 + 1)
	m := n
	if n.Sign() < 0 {
		m = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), 8*width))
	}
	b := m.FillBytes(make([]byte, width))
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return b
}

// call writes a whole call.
func call(how, text string) ([]byte, error) {
	module, rest, _ := strings.Cut(text, " ")
	name, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if name == "" {
		return nil, fmt.Errorf("wants a module and a name")
	}
	out := []byte("c" + module + "\n" + name + "\n")
	if how == "CALL4" {
		out = append([]byte{0x8c, byte(len(module))}, module...)
		out = append(append(out, 0x8c, byte(len(name))), name...)
		out = append(out, 0x93)
	}
	out = append(out, '(')
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		b, n, err := value(rest)
		if err != nil {
			return nil, err
		}
		out, rest = append(out, b...), rest[n:]
	}
	return append(out, 't', 'R'), nil
}

var words = map[string]string{"None": "N", "True": "\x88", "False": "\x89", "()": ")", "[]": "]", "{}": "}"}

// value writes one argument of a call and tells how long its text is.
func value(text string) ([]byte, int, error) {
	if text[0] == '"' {
		q, err := strconv.QuotedPrefix(text)
		if err != nil {
			return nil, 0, err
		}
		s, _ := strconv.Unquote(q) // checked above
		b, err := counted("4", []byte(s), -1)
		return append([]byte{'X'}, b...), len(q), err
	}
	word, _, _ := strings.Cut(text, " ")
	if op, ok := words[word]; ok {
		return []byte(op), len(word), nil
	}
	n, err := strconv.ParseInt(word, 0, 32)
	return append([]byte{'J'}, fixed("4", n)...), len(word), err
}
