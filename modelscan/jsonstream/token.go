// Package jsonstream reads JSON and Universal Binary JSON piece by piece: a model of trees may be larger than memory. Both
// readers take what the libraries take that keep their models so, XGBoost and CatBoost, and say where each piece stands.
package jsonstream

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Kind of a token. The zero Kind is invalid.
type Kind uint8

// Kinds of tokens.
const (
	_ Kind = iota
	OpenObject
	CloseObject
	OpenArray
	CloseArray
	Key
	Text
	Number
	Other // true, false, null
)

// Token of either encoding.
type Token struct {
	Kind Kind
	Text []byte // of a key or text, valid until the next token
	Num  float64
	Off  int64
}

// Reader reads a document. Next fails with io.ErrUnexpectedEOF where the document ends too early; Offset is that of
// the first byte behind the last token.
type Reader interface {
	Next() (Token, error)
	Offset() int64
}

// maxText bounds a text: XGBoost's scikit-learn wrapper keeps a whole JSON document in one.
const maxText = 16 << 20

// maxDepth is more than any model's; XGBoost itself recurses until its stack ends.
const maxDepth = 128

var (
	errDepth  = fmt.Errorf("nested deeper than %d: %w", maxDepth, modelscan.ErrLimit)
	errText   = fmt.Errorf("text longer than %d bytes: %w", maxText, modelscan.ErrLimit)
	errSyntax = errors.New("not what the encoding allows")
)

// source counts what is read.
type source struct {
	b   *bufio.Reader
	off int64
	buf []byte
}

func newSource(r io.Reader) source { return source{b: bufio.NewReaderSize(r, 64<<10)} }

// Offset is that of the first byte not read yet.
func (s *source) Offset() int64 { return s.off }

func (s *source) byte() (byte, error) {
	c, err := s.b.ReadByte()
	if err != nil {
		return 0, ended(err)
	}
	s.off++
	return c, nil
}

func (s *source) unread() {
	if s.b.UnreadByte() == nil {
		s.off--
	}
}

// take reads n bytes, valid until the next call.
func (s *source) take(n int64) ([]byte, error) {
	if n > maxText {
		return nil, errText
	}
	if int64(cap(s.buf)) < n {
		s.buf = make([]byte, n)
	}
	got, err := io.ReadFull(s.b, s.buf[:n])
	s.off += int64(got)
	if err != nil {
		return nil, ended(err)
	}
	return s.buf[:n], nil
}

func ended(err error) error {
	if err == io.EOF { //nolint:errorlint // bufio returns it bare
		return io.ErrUnexpectedEOF
	}
	return err
}

// TextReader reads JSON, as strictly as XGBoost's own parser (src/common/json.cc).
type TextReader struct {
	source
	open   []bool // whether each open container is an object
	first  bool   // nothing has come yet in the innermost
	member bool   // a key has come, its value has not

	// Control is where the first control character stands that a text holds as it is, 0 where none does. CatBoost
	// ends the document there; XGBoost takes all of them but ends of lines.
	Control int64
}

// NewText reads JSON.
func NewText(r io.Reader) *TextReader { return &TextReader{source: newSource(r)} }

func (r *TextReader) space() (byte, error) {
	for {
		c, err := r.byte()
		if err != nil || c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c, err
		}
	}
}

// Next reads one token.
func (r *TextReader) Next() (Token, error) {
	c, err := r.space()
	if err != nil {
		return Token{}, err
	}
	if n := len(r.open); n > 0 && !r.member {
		if c == '}' && r.open[n-1] || c == ']' && !r.open[n-1] {
			r.open, r.first = r.open[:n-1], false
			return Token{Kind: map[bool]Kind{true: CloseObject, false: CloseArray}[c == '}'], Off: r.off - 1}, nil
		}
		if !r.first {
			if c != ',' {
				return Token{}, r.fail(c)
			}
			if c, err = r.space(); err != nil {
				return Token{}, err
			}
		}
		r.first = false
		if r.open[n-1] {
			return r.key(c)
		}
	}
	r.member = false
	return r.value(c)
}

func (r *TextReader) fail(c byte) error { return fmt.Errorf("%q at %#x: %w", c, r.off-1, errSyntax) }

func (r *TextReader) key(c byte) (Token, error) {
	if c != '"' {
		return Token{}, r.fail(c)
	}
	t, err := r.text()
	if err != nil {
		return t, err
	}
	t.Kind, r.member = Key, true
	if c, err = r.space(); err == nil && c != ':' {
		err = r.fail(c)
	}
	return t, err
}

func (r *TextReader) value(c byte) (Token, error) {
	switch {
	case c == '{' || c == '[':
		if len(r.open) >= maxDepth {
			return Token{}, errDepth
		}
		r.open, r.first = append(r.open, c == '{'), true
		return Token{Kind: map[bool]Kind{true: OpenObject, false: OpenArray}[c == '{'], Off: r.off - 1}, nil
	case c == '"':
		return r.text()
	}
	return r.scalar(c)
}

// text reads to the closing quote.
func (r *TextReader) text() (Token, error) {
	t := Token{Kind: Text, Off: r.off - 1}
	r.buf = r.buf[:0]
	escaped := false
	for {
		c, err := r.byte()
		if err != nil {
			return t, err
		}
		if c == '"' {
			break
		}
		if c < ' ' {
			if c == '\n' || c == '\r' {
				return t, r.fail(c)
			}
			r.Control = cmp.Or(r.Control, r.off-1)
		}
		r.buf = append(r.buf, c)
		if c == '\\' {
			escaped = true
			if c, err = r.byte(); err != nil {
				return t, err
			}
			r.buf = append(r.buf, c)
		}
		if len(r.buf) > maxText {
			return t, errText
		}
	}
	t.Text = r.buf
	if escaped {
		if plain, err := strconv.Unquote(`"` + string(r.buf) + `"`); err == nil {
			t.Text = []byte(plain)
		}
	}
	return t, nil
}

// scalar reads a number or a word.
func (r *TextReader) scalar(c byte) (Token, error) {
	t := Token{Kind: Number, Off: r.off - 1}
	if strings.IndexByte("-+0123456789tfnNI", c) < 0 {
		return t, r.fail(c)
	}
	r.buf = append(r.buf[:0], c)
	for {
		c, err := r.byte()
		if err == io.ErrUnexpectedEOF && len(r.open) == 0 { //nolint:errorlint // made above
			break
		}
		if err != nil {
			return t, err
		}
		if c == ',' || c == ']' || c == '}' || c <= ' ' || len(r.buf) > 400 {
			r.unread()
			break
		}
		r.buf = append(r.buf, c)
	}
	t.Text = r.buf
	switch string(r.buf) {
	case "true", "false", "null":
		t.Kind = Other
		return t, nil
	}
	v, err := strconv.ParseFloat(string(r.buf), 64)
	if t.Num = v; err != nil && !errors.Is(err, strconv.ErrRange) {
		return t, fmt.Errorf("%.20q at %#x: %w", r.buf, t.Off, errSyntax)
	}
	return t, nil
}

// UBJReader reads what XGBoost knows of UBJSON (https://ubjson.org): lengths are always of 64 bits.
type UBJReader struct {
	source
	size int64
	open []container
}

// container that is open: how many items a counted array still has, and of which type; -1 where a bracket ends it.
type container struct {
	object bool
	left   int64
	typed  byte
	member bool
}

// NewUBJ reads Universal Binary JSON of the given size.
func NewUBJ(r io.Reader, size int64) *UBJReader {
	return &UBJReader{source: newSource(r), size: size}
}

// Next reads one token.
func (r *UBJReader) Next() (Token, error) {
	t := Token{Off: r.off}
	if len(r.open) == 0 {
		return r.value()
	}
	in := &r.open[len(r.open)-1]
	switch {
	case in.left == 0:
		r.open = r.open[:len(r.open)-1]
		t.Kind = CloseArray
		return t, nil
	case in.left > 0:
		in.left--
		if in.typed != 0 {
			return r.typed(in.typed)
		}
		return r.value()
	case in.object && in.member:
		in.member = false
		return r.value()
	}
	c, err := r.byte()
	if err != nil {
		return t, err
	}
	if c == '}' && in.object || c == ']' && !in.object {
		t.Kind = map[bool]Kind{true: CloseObject, false: CloseArray}[in.object]
		r.open = r.open[:len(r.open)-1]
		return t, nil
	}
	r.unread()
	if !in.object {
		return r.value()
	}
	in.member = true
	t.Kind = Key
	t.Text, err = r.text()
	return t, err
}

func (r *UBJReader) value() (Token, error) {
	t := Token{Off: r.off}
	c, err := r.byte()
	if err != nil {
		return t, err
	}
	switch c {
	case '{', '[':
		if len(r.open) >= maxDepth {
			return t, errDepth
		}
		if t.Kind = OpenObject; c == '[' {
			t.Kind = OpenArray
		}
		return t, r.push(c)
	case 'Z', 'T', 'F':
		t.Kind = Other
		return t, nil
	case 'S':
		t.Kind = Text
		t.Text, err = r.text()
		return t, err
	}
	return r.typed(c)
}

// push opens a container.
func (r *UBJReader) push(c byte) error {
	in := container{object: c == '{', left: -1}
	if !in.object {
		if err := r.array(&in); err != nil {
			return err
		}
	}
	r.open = append(r.open, in)
	return nil
}

// array reads the type and count that an array may begin with.
func (r *UBJReader) array(in *container) error {
	c, err := r.byte()
	if err != nil {
		return err
	}
	if c == '$' {
		if in.typed, err = r.byte(); err == nil {
			c, err = r.byte()
		}
		if err == nil && (c != '#' || widths[in.typed] == 0) {
			err = fmt.Errorf("array of type %q at %#x: %w", in.typed, r.off, errSyntax)
		}
	}
	if err != nil || c != '#' {
		r.unread()
		return err
	}
	n, err := r.length()
	if err == nil && n > (r.size-r.off)/max(1, widths[in.typed]) {
		err = fmt.Errorf("%d items at %#x: %w", n, r.off, io.ErrUnexpectedEOF)
	}
	in.left = n
	return err
}

// widths of the types of numbers, in bytes.
var widths = [256]int64{'i': 1, 'U': 1, 'C': 1, 'I': 2, 'l': 4, 'L': 8, 'd': 4, 'D': 8}

func (r *UBJReader) typed(c byte) (Token, error) {
	t := Token{Kind: Number, Off: r.off}
	if widths[c] == 0 {
		return t, fmt.Errorf("%q at %#x: %w", c, r.off, errSyntax)
	}
	b, err := r.take(widths[c])
	if err != nil {
		return t, err
	}
	switch c {
	case 'i', 'C':
		t.Num = float64(int8(b[0]))
	case 'U':
		t.Num = float64(b[0])
	case 'I':
		t.Num = float64(int16(binary.BigEndian.Uint16(b)))
	case 'l':
		t.Num = float64(int32(binary.BigEndian.Uint32(b)))
	case 'L':
		t.Num = float64(int64(binary.BigEndian.Uint64(b)))
	case 'd':
		t.Num = float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
	case 'D':
		t.Num = math.Float64frombits(binary.BigEndian.Uint64(b))
	}
	return t, nil
}

// length reads 'L' and a count.
func (r *UBJReader) length() (int64, error) {
	b, err := r.take(9)
	if err != nil {
		return 0, err
	}
	n := int64(binary.BigEndian.Uint64(b[1:]))
	if b[0] != 'L' || n < 0 {
		return 0, fmt.Errorf("length at %#x: %w", r.off-9, errSyntax)
	}
	return n, nil
}

// text: XGBoost copies as many bytes as its length says, out of the file or not.
func (r *UBJReader) text() ([]byte, error) {
	n, err := r.length()
	if err != nil {
		return nil, err
	}
	if n > r.size-r.off {
		return nil, fmt.Errorf("text of %d bytes at %#x: %w", n, r.off, io.ErrUnexpectedEOF)
	}
	return r.take(n)
}
