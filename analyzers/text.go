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
		line, after, _ := bytes.Cut(rest[:min(len(rest), 4096)], []byte("\n"))
		if m := codingLine().FindSubmatch(line); m != nil {
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

// superset matches the encodings in which every ASCII byte that is not the second of two means itself,
// so that code can be read without decoding.
var superset = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(utf[-_]?8([-_](sig|unix|dos|mac|emacs))?|u8|(us[-_]?)?ascii|646|l(atin)?[-_]?\d+([-_](unix|dos|mac))?|iso[-_]?(ir[-_]?)?8859[-_]?\d*([-_](unix|dos|mac))?|windows[-_]125\d|cp(125\d|437|7[27]\d|8\d\d|65001|1006|1125)|\d{3}|koi8[-_][rtu]|mac[-_]?\w+|kz1048|ptcp154|tis[-_]?620|hp[-_]roman8|euc[-_]?(jp|kr|jis_2004|jisx0213)|ujis|gb2312|ks_c[-_]5601\w*)$`)
})

// Encoded returns the encoding of a source in which code cannot be read byte for byte, such as UTF-16 or
// UTF-7: Python decodes it, and what it runs then is not what stands in the bytes.
func Encoded(src []byte) (string, bool) {
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		return "utf-16", true
	}
	name := Coding(src)
	return name, !superset().MatchString(name) && !doubleByte[name]
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
