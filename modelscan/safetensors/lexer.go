package safetensors

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/secure-torch/secure-torch/modelscan"
)

// lexer reads strict JSON (RFC 8259) as a stream, in memory that does not grow with it.
type lexer struct {
	r   *bufio.Reader
	off int64 // of the next byte, in the file
	buf []byte
}

// maxString bounds a name or value that is kept.
const maxString = 1 << 20

var errSyntax = errors.New("not valid JSON")

func (l *lexer) fail(format string, args ...any) error {
	return fmt.Errorf("%w at %#x: %s", errSyntax, l.off, fmt.Sprintf(format, args...))
}

// next returns the next byte that is no white space.
func (l *lexer) next() (byte, error) {
	for {
		c, err := l.byte()
		if err != nil {
			return 0, err
		}
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c, nil
		}
	}
}

func (l *lexer) byte() (byte, error) {
	c, err := l.r.ReadByte()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return 0, l.fail("the header ends within a value")
		}
		return 0, err
	}
	l.off++
	return c, nil
}

func (l *lexer) back() {
	l.off--
	_ = l.r.UnreadByte() // only after a successful byte: cannot fail
}

// expect reads the given byte.
func (l *lexer) expect(want byte) error {
	c, err := l.next()
	if err == nil && c != want {
		err = l.fail("%q where %q belongs", c, want)
	}
	return err
}

// list calls item for each element between open and end, and reads the commas between them.
func (l *lexer) list(open, end byte, item func() error) error {
	if err := l.expect(open); err != nil {
		return err
	}
	c, err := l.next()
	if err != nil || c == end {
		return err
	}
	l.back()
	for {
		if err := item(); err != nil {
			return err
		}
		c, err := l.next()
		switch {
		case err != nil:
			return err
		case c == end:
			return nil
		case c != ',':
			return l.fail("%q where a comma belongs", c)
		}
	}
}

// object calls value for each key of an object.
func (l *lexer) object(value func(key string) error) error {
	return l.list('{', '}', func() error {
		key, err := l.text()
		if err != nil {
			return err
		}
		if err := l.expect(':'); err != nil {
			return err
		}
		return value(key)
	})
}

// text reads a string.
func (l *lexer) text() (string, error) {
	if err := l.expect('"'); err != nil {
		return "", err
	}
	l.buf = l.buf[:0]
	for {
		c, err := l.byte()
		switch {
		case err != nil:
			return "", err
		case c == '"':
			if !utf8.Valid(l.buf) {
				return "", l.fail("a string is not UTF-8")
			}
			return string(l.buf), nil
		case c < ' ':
			return "", l.fail("control byte in a string")
		case len(l.buf) >= maxString:
			return "", fmt.Errorf("string at %#x: %w (%d bytes)", l.off, modelscan.ErrLimit, maxString)
		case c != '\\':
			l.buf = append(l.buf, c)
		default:
			if err := l.escape(); err != nil {
				return "", err
			}
		}
	}
}

// escape reads what follows a backslash. A surrogate that stands alone becomes U+FFFD.
func (l *lexer) escape() error {
	c, err := l.byte()
	if err != nil {
		return err
	}
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	for i := range len(from) {
		if c == from[i] {
			l.buf = append(l.buf, to[i])
			return nil
		}
	}
	if c != 'u' {
		return l.fail(`\%c is no escape`, c)
	}
	var hex [4]byte
	for i := range hex {
		if hex[i], err = l.byte(); err != nil {
			return err
		}
	}
	v, err := strconv.ParseUint(string(hex[:]), 16, 16)
	if err != nil {
		return l.fail(`\u%s is no escape`, hex[:])
	}
	l.buf = utf8.AppendRune(l.buf, rune(v))
	return nil
}

// natural reads a number without sign, fraction or exponent: lengths and offsets have none.
func (l *lexer) natural() (int64, error) {
	c, err := l.next()
	if err != nil {
		return 0, err
	}
	var digits []byte
	for c >= '0' && c <= '9' && len(digits) < 20 {
		digits = append(digits, c)
		if c, err = l.byte(); err != nil {
			return 0, err
		}
	}
	l.back()
	n, perr := strconv.ParseInt(string(digits), 10, 64)
	if perr != nil || len(digits) > 1 && digits[0] == '0' || c == '.' || c == 'e' || c == 'E' {
		return 0, l.fail("no natural number below 2^63")
	}
	return n, nil
}
