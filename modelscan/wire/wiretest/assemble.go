// Package wiretest assembles protobuf messages from text, so that tests need no hostile bytes and no
// generated code. The notation is a part of protoscope's:
//
//	1: 8                       varint
//	7: {1: {4: "PyOp"}}        message
//	9: "a\x00b"                string, with Go's escapes
//	5: 0x1p3                   fixed64 (a float) – 5: 1i32 and 5: 1i64 are fixed integers
//	# a comment
package wiretest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"text/scanner"

	"google.golang.org/protobuf/encoding/protowire"
)

// Assemble turns text into bytes. A mistake in the text fails the test.
func Assemble(t testing.TB, text string) []byte {
	t.Helper()
	b, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Parse is Assemble for those who have no test.
func Parse(text string) ([]byte, error) {
	a := &assembler{}
	a.s.Init(strings.NewReader(text))
	a.s.Mode = scanner.ScanInts | scanner.ScanFloats | scanner.ScanStrings | scanner.ScanRawStrings | scanner.ScanIdents
	a.s.Error = func(_ *scanner.Scanner, msg string) { a.err = fmt.Errorf("%s: %s", a.s.Pos(), msg) }
	a.next()
	b := a.message(scanner.EOF)
	return b, a.err
}

type assembler struct {
	s   scanner.Scanner
	tok rune
	err error
}

func (a *assembler) next() {
	a.tok = a.s.Scan()
	for a.tok == '#' {
		for a.s.Peek() != '\n' && a.s.Peek() != scanner.EOF {
			a.s.Next()
		}
		a.tok = a.s.Scan()
	}
}

func (a *assembler) fail(want string) {
	if a.err == nil {
		a.err = fmt.Errorf("%s: %q where %s should be", a.s.Pos(), a.s.TokenText(), want)
	}
	a.tok = scanner.EOF
}

func (a *assembler) message(end rune) []byte {
	b := []byte{}
	for a.tok != end && a.err == nil {
		num, err := strconv.Atoi(a.s.TokenText())
		if a.next(); err != nil || a.tok != ':' {
			a.fail("a field number and a colon")
			return nil
		}
		a.next()
		b = a.value(b, protowire.Number(num))
	}
	return b
}

func (a *assembler) value(b []byte, num protowire.Number) []byte {
	text := a.s.TokenText()
	switch a.tok {
	case '{':
		a.next()
		body := a.message('}')
		a.next()
		return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), body)
	case scanner.String, scanner.RawString:
		s, err := strconv.Unquote(text)
		if err != nil {
			a.fail("a string")
		}
		a.next()
		return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
	case scanner.Float:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			a.fail("a number")
		}
		a.next()
		return protowire.AppendFixed64(protowire.AppendTag(b, num, protowire.Fixed64Type), math.Float64bits(f))
	}
	return a.integer(b, num)
}

func (a *assembler) integer(b []byte, num protowire.Number) []byte {
	negative := a.tok == '-'
	if negative {
		a.next()
	}
	v, err := strconv.ParseUint(a.s.TokenText(), 0, 64)
	if err != nil {
		a.fail("a value")
		return nil
	}
	if negative {
		v = -v
	}
	a.next()
	switch {
	case a.tok == scanner.Ident && a.s.TokenText() == "i32":
		a.next()
		return protowire.AppendFixed32(protowire.AppendTag(b, num, protowire.Fixed32Type), uint32(v))
	case a.tok == scanner.Ident && a.s.TokenText() == "i64":
		a.next()
		return protowire.AppendFixed64(protowire.AppendTag(b, num, protowire.Fixed64Type), v)
	}
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
}
