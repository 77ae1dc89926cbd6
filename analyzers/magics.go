package analyzers

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// Magics turns what IPython adds to Python into Python of the same length: lines for a shell, of help and of most
// magics into comments, %time and its like into a statement before the one that they time.
func Magics(text []byte) []byte {
	out := bytes.Clone(text)
	if !bytes.ContainsAny(text, "%!?") {
		return out
	}
	foreign := foreignCell(text)
	at, goesOn := 0, false
	for line := range bytes.Lines(text) {
		part := out[at : at+len(line)]
		at += len(line)
		body := trimRight(bytes.TrimLeft(part, " \t"))
		switch {
		case len(body) == 0:
			goesOn = false
			continue
		case foreign || goesOn:
			comment(body, false)
		default:
			goesOn = lineMagic(body, len(body) < len(trimRight(part)))
		}
		goesOn = goesOn && body[len(body)-1] == '\\'
	}
	return out
}

func trimRight(line []byte) []byte { return bytes.TrimRight(line, " \t\r\n\f") }

// foreignCell says whether a cell begins with a magic that makes it something other than Python here.
func foreignCell(text []byte) bool {
	first := bytes.TrimSpace(text)
	if !bytes.HasPrefix(first, []byte("%%")) {
		return false
	}
	word := string(bytes.Fields(first)[0])
	return !slices.Contains([]string{"%%time", "%%timeit", "%%capture", "%%prun", "%%memit", "%%mprun", "%%lprun", "%%scalene", "%%snakeviz", "%%debug", "%%px",
		"%%python", "%%python3"}, word)
}

// lineMagic masks a line that is not Python. It says whether the lines go with it that follow a backslash.
func lineMagic(line []byte, indented bool) bool {
	magic := line[0] == '%' && len(line) > 1 && (line[1] == '%' || letter(line[1]))
	switch {
	case magic && timed(line) > 0:
		from := timed(line)
		line[0], line[from-1] = '0', ';'
		spaces(line[1 : from-1])
		return false
	case magic || line[0] == '!' && !bytes.HasPrefix(line, []byte("!=")) || line[0] == '?' || helps(line):
		comment(line, indented)
		return true
	}
	at := assigned(line)
	if at == 0 {
		return false
	}
	right := line[at:]
	if from := timed(right); from > 0 {
		spaces(right[:from])
		return false
	}
	comment(right, true)
	return true
}

func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }

func spaces(part []byte) {
	for i := range part {
		part[i] = ' '
	}
}

// comment makes one of a part of a line, behind a value where Python asks for one: in a block, or an assignment.
func comment(part []byte, value bool) {
	if value && len(part) > 1 {
		part[0], part = '0', part[1:]
	}
	_, n := utf8.DecodeRune(part)
	spaces(part[:n])
	part[0] = '#'
}

// timed is where the Python begins that a line magic runs; 0 where there is none.
func timed(line []byte) int {
	word, _, _ := strings.Cut(string(line), " ")
	valued, ok := options(word)
	if !ok {
		return 0
	}
	at := nextWord(line, 0)
	for at+1 < len(line) && line[at] == '-' && (letter(line[at+1]) || line[at+1] == '-') {
		option, _, _ := strings.Cut(string(line[at:]), " ")
		if at = nextWord(line, at); len(option) == 2 && strings.Contains(valued, option[1:]) {
			at = nextWord(line, at)
		}
	}
	if at >= len(line) {
		return 0
	}
	return at
}

// options are the options of a magic that runs Python which take a value.
func options(magic string) (valued string, ok bool) {
	switch magic {
	case "%time":
		return "", true
	case "%timeit":
		return "nrp", true
	case "%prun":
		return "lsTD", true
	case "%memit":
		return "rti", true
	case "%mprun", "%lprun":
		return "fmTDsu", true
	}
	return "", false
}

// nextWord is where the word behind the one at an offset begins.
func nextWord(line []byte, at int) int {
	for at < len(line) && line[at] != ' ' {
		at++
	}
	for at < len(line) && line[at] == ' ' {
		at++
	}
	return at
}

// helps says whether a line asks for help on a name: torch.load?
func helps(line []byte) bool {
	name := bytes.TrimRight(line, "?")
	if len(name) == len(line) || len(line)-len(name) > 2 {
		return false
	}
	return namesOr(name, ".*%")
}

// namesOr says whether a text has nothing in it but letters, digits and some other characters.
func namesOr(text []byte, others string) bool {
	for _, c := range text {
		if !letter(c) && (c < '0' || c > '9') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

// assigned is where the magic or the line for a shell begins whose result is assigned to names; 0 where none is.
func assigned(line []byte) int {
	eq := bytes.IndexByte(line, '=')
	if eq < 1 || !namesOr(line[:eq], "., ") {
		return 0
	}
	at := eq + 1
	for at < len(line) && line[at] == ' ' {
		at++
	}
	if at+1 < len(line) && (line[at] == '!' || line[at] == '%' && letter(line[at+1])) {
		return at
	}
	return 0
}
