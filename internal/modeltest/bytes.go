package modeltest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Bytes reads the notation of ".hex" sections: white space separates items, "#" starts a comment.
//
//	00 80ff        bytes
//	00*100         a byte so many times; "text"*3 a text
//	"a\x00b"       a text, quoted as in Go
//	u16=1 u32=1 u64=1 i64=-1   little-endian numbers; b32=1 is big-endian
//	len64{ … }     what stands in the braces, after its length: len8, len16, len32, len64
//	pad64 { … }    what stands in the braces, filled with zeros to a multiple of 64
func Bytes(text string) ([]byte, error) {
	var plain strings.Builder
	for l := range strings.Lines(text) {
		if i := strings.IndexByte(l, '#'); i >= 0 && !strings.Contains(l[:i], `"`) {
			l = l[:i] + "\n"
		}
		plain.WriteString(l)
	}
	fields, err := splitQuoted(plain.String())
	if err != nil {
		return nil, err
	}
	b, rest, err := items(fields)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%q closes nothing", rest[0].text)
	}
	return b, err
}

// items reads up to the brace that closes them.
func items(fields []field) (out []byte, rest []field, err error) {
	for len(fields) > 0 {
		f := fields[0]
		fields = fields[1:]
		switch {
		case f.text == "}" && !f.quoted:
			return out, append([]field{f}, fields...), nil
		case strings.HasSuffix(f.text, "{") && !f.quoted:
			var inner []byte
			if inner, fields, err = items(fields); err != nil {
				return nil, nil, err
			}
			if len(fields) == 0 {
				return nil, nil, fmt.Errorf("%q is not closed", f.text)
			}
			fields = fields[1:]
			if out, err = wrap(out, strings.TrimSuffix(f.text, "{"), inner); err != nil {
				return nil, nil, err
			}
		default:
			b, err := item(f)
			if err != nil {
				return nil, nil, err
			}
			out = append(out, b...)
		}
	}
	return out, nil, nil
}

// wrap appends inner with what the word before its brace asks for.
func wrap(out []byte, word string, inner []byte) ([]byte, error) {
	if n, ok := strings.CutPrefix(word, "pad"); ok {
		size, err := strconv.Atoi(n)
		if err != nil || size < 1 {
			return nil, fmt.Errorf("%q{", word)
		}
		return append(append(out, inner...), make([]byte, (size-len(inner)%size)%size)...), nil
	}
	n, ok := strings.CutPrefix(word, "len")
	if !ok {
		return nil, fmt.Errorf("%q{", word)
	}
	out, err := number(out, "u"+n, strconv.Itoa(len(inner)))
	return append(out, inner...), err
}

func item(f field) ([]byte, error) {
	text := f.text
	if f.quoted {
		return []byte(strings.Repeat(text, max(f.times, 1))), nil
	}
	if key, value, ok := strings.Cut(text, "="); ok {
		return number(nil, key, value)
	}
	text, times, ok := strings.Cut(text, "*")
	b, err := hex.DecodeString(text)
	if err != nil || !ok {
		return b, err
	}
	n, err := strconv.Atoi(times)
	if err != nil || n < 0 || n*len(b) > 64<<20 {
		return nil, fmt.Errorf("%q", f.text)
	}
	return []byte(strings.Repeat(string(b), n)), nil
}

// number appends value as kind says: u or i little-endian, b big-endian, then the bits.
func number(out []byte, kind, value string) ([]byte, error) {
	v, err := strconv.ParseUint(value, 0, 64)
	if err != nil {
		signed, serr := strconv.ParseInt(value, 0, 64)
		if serr != nil {
			return nil, err
		}
		v = uint64(signed)
	}
	switch kind {
	case "u8", "i8":
		return append(out, byte(v)), nil
	case "u16", "i16":
		return binary.LittleEndian.AppendUint16(out, uint16(v)), nil
	case "u32", "i32":
		return binary.LittleEndian.AppendUint32(out, uint32(v)), nil
	case "u64", "i64":
		return binary.LittleEndian.AppendUint64(out, v), nil
	case "b16":
		return binary.BigEndian.AppendUint16(out, uint16(v)), nil
	case "b32":
		return binary.BigEndian.AppendUint32(out, uint32(v)), nil
	case "b64":
		return binary.BigEndian.AppendUint64(out, v), nil
	}
	return nil, fmt.Errorf("%q is no kind of number", kind)
}

// field is a word; the quotes of a wholly quoted one are taken off.
type field struct {
	text   string
	quoted bool
	times  int // of "text"*3; 0 where it is not given
}

// splitQuoted cuts at white space outside quotes.
func splitQuoted(text string) ([]field, error) {
	var fields []field
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		n := 0
		for n < len(text) && !strings.ContainsRune(" \t\r\n", rune(text[n])) {
			if text[n] != '"' {
				n++
				continue
			}
			q, err := strconv.QuotedPrefix(text[n:])
			if err != nil {
				return nil, fmt.Errorf("quoted text: %.40q", text[n:])
			}
			n += len(q)
		}
		f := field{text: text[:n]}
		if text[0] == '"' {
			q, _ := strconv.QuotedPrefix(text) // checked above
			f.quoted = true
			f.text, _ = strconv.Unquote(q)
			if times, ok := strings.CutPrefix(text[len(q):n], "*"); ok {
				var err error
				if f.times, err = strconv.Atoi(times); err != nil || f.times < 1 || f.times > 1<<24 {
					return nil, fmt.Errorf("%q", text[:n])
				}
			}
		}
		fields, text = append(fields, f), text[n:]
	}
	return fields, nil
}

func unquote(value string) (string, error) {
	if strings.HasPrefix(value, `"`) {
		return strconv.Unquote(value)
	}
	return value, nil
}
