package analyzers

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// oneByte matches the encodings in which every ASCII byte means itself and every other byte another character. The
// other code pages that Python knows by a number are EBCDIC or, as 864, move an ASCII character; those of
// the Mac for Arabic and Persian have ASCII twice.
var oneByte = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^((us-?)?ascii|646|ansi-x3\.4-19(68|86)|iso646-us|(iso-)?(l|latin)-?([1-9]|10)(-(unix|dos|mac))?|(cs)?iso-?(latin-?[1-6]|8859-?([1-9]|1[013-6])?)(-(unix|dos|mac|19\d\d|2001))?|latin|us|arabic|cyrillic|greek8?|hebrew|thai|` +
		`(cp|ibm|windows-|cs?ibm)?(125[0-8]|437|720|737|775|819|85[025678]|86[0123569]|874)|cp(1006|1125)|koi8-[rtu]|mac-?(croatian|cyrillic|greek|iceland|latin2|roman|romanian|turkish|intosh|centeuro|centraleurope)|` +
		`kz-?1048|ptcp154|cp154|pt154|tis-?620(-0|-2529-[01])?|iso-ir-(6|100|101|109|110|126|127|138|144|148|157|166|199|226)|hp-?roman8|roman8|r8)$`)
})

var utf8Name = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(utf-?8(-(sig|unix|dos|mac|emacs|ucs[24]))?|u8|utf|cp65001)$`)
})

func isUTF8(name string) bool {
	return name == "utf-8" || utf8Name().MatchString(strings.ReplaceAll(name, "_", "-"))
}

// families are the encodings of several bytes a character in which the ASCII bytes that begin none mean themselves,
// with the function that knows how long a character is. Shift JIS of 2000 and later is not one: its
// backslash is a yen sign, and strings end elsewhere than it seems.
func families(name string) func([]byte) int {
	switch name {
	case "shift-jis", "shiftjis", "sjis", "s-jis", "csshiftjis", "cp932", "932", "ms932", "mskanji", "ms-kanji", "windows-31j":
		return kanjiWidth
	case "gbk", "cp936", "936", "ms936", "big5", "big5-tw", "csbig5", "big5-hkscs", "big5hkscs", "hkscs", "cp950", "950", "ms950", "cp949", "949", "ms949", "uhc":
		return hanziWidth
	case "gb18030", "gb18030-2000":
		return gb18030Width
	case "johab", "cp1361", "ms1361":
		return johabWidth
	case "euc-jp", "eucjp", "ujis", "u-jis", "euc-jis-2004", "euc-jis2004", "eucjis2004", "jisx0213", "euc-jisx0213", "eucjisx0213",
		"gb2312", "chinese", "csiso58gb231280", "euc-cn", "euccn", "eucgb2312-cn", "gb2312-1980", "gb2312-80", "iso-ir-58":
		return eucWidth
	case "euc-kr", "euckr", "korean", "ks-c-5601", "ks-c-5601-1987", "ksc5601", "ksx1001", "ks-x-1001":
		return koreanWidth
	}
	return nil
}

// widths returns what tells how many bytes the character has that a text of an encoding begins with, and whose
// first byte is no ASCII; nil for an encoding in which code cannot be read without decoding.
func widths(name string) func([]byte) int {
	if isUTF8(name) {
		return func(text []byte) int {
			_, n := utf8.DecodeRune(text)
			return n
		}
	}
	name = strings.ReplaceAll(name, "_", "-")
	if oneByte().MatchString(name) {
		return func([]byte) int { return 1 }
	}
	return families(name)
}

// pair is 2 when a byte follows that may end a character, which none below a bound does.
func pair(text []byte, from byte) int {
	if len(text) > 1 && text[1] >= from && text[1] != 0x7f {
		return 2
	}
	return 1
}

// kanjiWidth is that of Shift JIS, whose small kana are one byte.
func kanjiWidth(text []byte) int {
	if c := text[0]; c == 0x80 || c >= 0xa0 && c < 0xe0 || c > 0xfc {
		return 1
	}
	return pair(text, 0x40)
}

func hanziWidth(text []byte) int { return pair(text, 0x40) }

func gb18030Width(text []byte) int {
	if len(text) > 3 && text[1] >= '0' && text[1] <= '9' {
		return 4
	}
	return pair(text, 0x40)
}

func johabWidth(text []byte) int { return pair(text, 0x31) }

// koreanWidth is that of EUC-KR, which spells rare syllables as a filler and three letters.
func koreanWidth(text []byte) int {
	if len(text) > 7 && text[0] == 0xa4 && text[1] == 0xd4 && text[2] == 0xa4 && text[4] == 0xa4 && text[6] == 0xa4 {
		return 8
	}
	return pair(text, 0xa1)
}

func eucWidth(text []byte) int {
	if text[0] == 0x8f && len(text) > 2 && text[1] > 0xa0 && text[2] > 0xa0 {
		return 3
	}
	return pair(text, 0xa1)
}
