package analyzers

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

var codingLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)`) })

// Coding is the encoding that a source declares in its first two lines (PEP 263), in lower case, or
// "utf-8".
func Coding(src []byte) string {
	rest := bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	for range 2 {
		line := rest[:min(len(rest), 4096)]
		if i := bytes.IndexAny(line, "\r\n"); i >= 0 {
			line = line[:i]
		}
		if m := codingLine().FindSubmatch(line); m != nil {
			return strings.ToLower(string(m[1]))
		}
		if t := bytes.TrimSpace(line); len(t) > 0 && t[0] != '#' {
			break
		}
		rest = bytes.TrimPrefix(rest[len(line):], []byte("\r"))
		rest = bytes.TrimPrefix(rest, []byte("\n"))
	}
	return "utf-8"
}

// Encoded returns the encoding of a source in which code cannot be read byte for byte, such as UTF-16 or
// UTF-7: Python decodes it, and what it runs then is not what stands in the bytes.
func Encoded(src []byte) (string, bool) {
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		return "utf-16", true
	}
	name := Coding(src)
	return name, widths(name) == nil
}

// Readable returns src in a form that the parser reads as Python would, of the same length byte for
// byte: NUL bytes and the bytes of encodings other than UTF-8 are masked. When nothing has to be
// masked it is src itself.
func Readable(src []byte) []byte {
	valid := utf8.Valid(src)
	if valid && bytes.IndexByte(src, 0) < 0 {
		return src
	}
	out := bytes.Clone(src)
	var width func([]byte) int
	if !valid {
		width = widths(Coding(src))
	}
	for i := 0; i < len(out); i++ {
		switch {
		case out[i] == 0:
			out[i] = ' '
		case out[i] >= utf8.RuneSelf && !valid:
			n := 1
			if width != nil {
				n = width(src[i:])
			}
			for range n {
				out[i] = masked
				i++
			}
			i--
		}
	}
	return out
}

// masked replaces a byte that is not UTF-8: it may stand in a name as well as in a string.
const masked = '_'

// Characters returns what counts the characters of a part of src, which begins and ends between two of them. A
// source that is UTF-8 is taken for that, whatever it declares: editors hand every source over so.
func Characters(src []byte) func(part []byte) int {
	if utf8.Valid(src) {
		return utf8.RuneCount
	}
	width := widths(Coding(src))
	if width == nil {
		return utf8.RuneCount
	}
	return func(part []byte) int {
		n := 0
		for i := 0; i < len(part); n++ {
			if part[i] < utf8.RuneSelf {
				i++
			} else {
				i += width(part[i:])
			}
		}
		return n
	}
}
