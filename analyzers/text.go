package analyzers

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

var codingLine = regexp.MustCompile(`^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)`)

// Coding is the encoding that a source declares in its first two lines (PEP 263), in lower case, or
// "utf-8".
func Coding(src []byte) string {
	rest := bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	for range 2 {
		line, after, _ := bytes.Cut(rest[:min(len(rest), 4096)], []byte("\n"))
		if m := codingLine.FindSubmatch(line); m != nil {
			return strings.ToLower(string(m[1]))
		}
		if t := bytes.TrimSpace(line); len(t) > 0 && t[0] != '#' {
			break
		}
		rest = after
	}
	return "utf-8"
}

// doubleByte are the encodings whose second byte may be an ASCII character such as a backslash.
var doubleByte = map[string]bool{"shift_jis": true, "shift-jis": true, "sjis": true, "cp932": true, "ms932": true, "mskanji": true,
	"shift_jis_2004": true, "shift_jisx0213": true, "gbk": true, "cp936": true, "936": true, "gb18030": true, "big5": true, "big5-hkscs": true,
	"big5hkscs": true, "cp950": true, "johab": true, "cp949": true, "uhc": true}

// Readable returns src in a form that the parser reads as Python would, of the same length byte for
// byte: NUL bytes and the bytes of encodings other than UTF-8 are masked. When nothing has to be
// masked it is src itself.
func Readable(src []byte) []byte {
	valid := utf8.Valid(src)
	if valid && bytes.IndexByte(src, 0) < 0 {
		return src
	}
	out := bytes.Clone(src)
	double := doubleByte[Coding(src)]
	for i := 0; i < len(out); i++ {
		switch {
		case out[i] == 0:
			out[i] = ' '
		case out[i] >= 0x80 && !valid:
			out[i] = masked
			if double && i+1 < len(out) && out[i+1] >= 0x40 && out[i+1] != 0x7f {
				i++
				out[i] = masked
			}
		}
	}
	return out
}

// masked replaces a byte that is not UTF-8: it may stand in a name as well as in a string.
const masked = '_'
