package workspace

import (
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// unknownPart stands in a word for what a shell puts there and the text does not tell.
const unknownPart = "\x00"

// Bounds of the words of one command line, and of what a variable holds.
const (
	maxLine     = 64 << 10
	maxWords    = 4096
	maxVariable = 4 << 10
)

// shell reads command lines as a shell would, out of a text that is not only made of them. It runs nothing: what the shell
// would have to look up, but for a variable that the text itself sets to a literal, is not known.
type shell struct {
	make, comments bool // the text is a Makefile; a # begins a comment
	vars           map[string]string
	line           string
	at             int
	words          []string
	word           strings.Builder
	started        bool
}

// commandsIn passes each simple command of a text to emit, word by word.
func (sh *shell) commandsIn(text string, emit func(words []string)) {
	sh.vars = map[string]string{}
	for line := range logicalLines(text) {
		if sh.make && sh.makeVariable(line) {
			continue
		}
		sh.line, sh.at = line, 0
		for sh.at < len(sh.line) {
			words := sh.command()
			if len(words) > 0 && !sh.assigns(words) {
				emit(words)
			}
		}
	}
}

// logicalLines are the lines of a text, those that end in a backslash with the next. A document may have blanks behind it.
func logicalLines(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		joined := ""
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, " \t\r\n")
			before, more := strings.CutSuffix(line, `\`)
			if joined += before; more && len(joined) < maxLine {
				joined += " "
				continue
			}
			if len(joined) <= maxLine && !yield(joined) {
				return
			}
			joined = ""
		}
		if joined != "" && len(joined) <= maxLine {
			yield(joined)
		}
	}
}

// command is the next simple command of the line.
func (sh *shell) command() []string {
	sh.words = nil
	for ; sh.at < len(sh.line); sh.at++ {
		switch c := sh.line[sh.at]; c {
		case ' ', '\t':
			sh.end()
		case ';', '|', '&', '(', ')', '<', '>', '`':
			sh.end()
			sh.at++
			return sh.words
		case '#':
			if sh.comments && !sh.started {
				sh.at = len(sh.line)
				return sh.words
			}
			sh.put("#")
		case '\'', '"':
			sh.quoted(c)
		case '\\':
			if sh.at++; sh.at < len(sh.line) {
				sh.put(sh.line[sh.at : sh.at+1])
			}
		case '$':
			sh.expansion(false)
		case '*', '?', '[', '{', '~':
			sh.put(unknownPart)
		default:
			sh.put(sh.line[sh.at : sh.at+1])
		}
	}
	sh.end()
	return sh.words
}

func (sh *shell) put(s string) {
	sh.started = true
	sh.word.WriteString(s)
}

// end ends a word.
func (sh *shell) end() {
	if sh.started && len(sh.words) < maxWords {
		sh.words = append(sh.words, sh.word.String())
	}
	sh.started = false
	sh.word.Reset()
}

// quoted reads what stands between two quotes. A quote that the line does not close is an apostrophe of some prose.
func (sh *shell) quoted(quote byte) {
	length := strings.IndexByte(sh.line[sh.at+1:], quote)
	if length < 0 {
		sh.put(unknownPart)
		return
	}
	sh.started = true
	for sh.at++; sh.at < len(sh.line) && sh.line[sh.at] != quote; sh.at++ {
		switch c := sh.line[sh.at]; {
		case quote == '"' && c == '$':
			sh.expansion(true)
		case quote == '"' && c == '`':
			sh.put(unknownPart)
		case quote == '"' && c == '\\' && sh.at+1 < len(sh.line):
			sh.at++
			sh.put(sh.line[sh.at : sh.at+1])
		default:
			sh.put(sh.line[sh.at : sh.at+1])
		}
	}
}

var variable = pattern.Lazy(`^(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\}|\([A-Za-z_]\w*\))`)

// expansion puts in what a $ stands for: a variable that was set to a literal, or what is not known.
func (sh *shell) expansion(quoted bool) {
	name := variable().FindString(sh.line[sh.at+1:])
	inner := strings.Trim(name, "{}()")
	value, known := sh.vars[inner]
	switch {
	case strings.HasPrefix(name, "(") && !sh.make, name == "":
		sh.substitution()
		return
	case !known || sh.word.Len()+len(value) > maxVariable:
		value = unknownPart
	}
	sh.at += len(name)
	if quoted || !strings.ContainsAny(value, " \t") {
		sh.put(value)
		return
	}
	for i, part := range strings.Fields(value) { // a shell parts what no quotes hold together
		if i > 0 {
			sh.end()
		}
		sh.put(part)
	}
}

// substitution passes over $(…), ${…} and the like.
func (sh *shell) substitution() {
	sh.put(unknownPart)
	if sh.at+1 >= len(sh.line) {
		return
	}
	opening := sh.line[sh.at+1]
	closing := map[byte]byte{'(': ')', '{': '}'}[opening]
	if closing == 0 {
		return
	}
	depth := 0
	for i := sh.at + 1; i < len(sh.line); i++ {
		switch sh.line[i] {
		case opening:
			depth++
		case closing:
			depth--
		}
		if depth == 0 {
			sh.at = i
			return
		}
	}
	sh.at = len(sh.line) - 1
}

var assignment = pattern.Lazy(`^([A-Za-z_]\w*)(\+?=)(?s:(.*))$`)

// assigns says whether a command only sets variables, and notes them.
func (sh *shell) assigns(words []string) bool {
	if i := slices.IndexFunc(words, func(w string) bool { return w == "for" || w == "read" }); i >= 0 && i+1 < len(words) && i < 2 {
		sh.set(words[i+1], unknownPart)
		return false
	}
	for len(words) > 0 && slices.Contains([]string{"export", "declare", "local", "readonly", "-x", "-r", "set", "ENV", "ARG", "then", "else", "do", "-", "$"}, words[0]) {
		words = words[1:]
	}
	if len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return !assignment().MatchString(w) }) {
		return false
	}
	for _, w := range words {
		m := assignment().FindStringSubmatch(w)
		if m[2] == "+=" {
			m[3] = unknownPart
		}
		sh.set(m[1], m[3])
	}
	return true
}

func (sh *shell) set(name, value string) {
	if len(value) > maxVariable || value == "" {
		value = unknownPart
	}
	sh.vars[name] = value
}

var makeAssignment = pattern.Lazy(`^(?:export +)?([A-Za-z_]\w*) *(?::{0,3}|\?)= *([^#]*)`)

// makeVariable notes the variable that a line of a Makefile sets.
func (sh *shell) makeVariable(line string) bool {
	m := makeAssignment().FindStringSubmatch(line)
	if m == nil {
		return false
	}
	value := strings.TrimSpace(m[2])
	if strings.ContainsAny(value, "$`*?[{~'\"\\") {
		value = unknownPart
	}
	sh.set(m[1], value)
	return true
}
