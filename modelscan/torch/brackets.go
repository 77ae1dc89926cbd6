package torch

import "strings"

// maxBrackets that may be open at once: torch's parser is recursive and takes no more.
const maxBrackets = 1 << 16

// brackets follows what TorchScript's parser would stumble over whatever the code means: brackets that do not match, and
// bytes that stand for nothing outside of strings (torch/csrc/jit/frontend/lexer.h).
type brackets struct {
	open  []byte
	at    int64 // of the first fault
	fault string
}

// line takes a line of code, whose strings are blank.
func (b *brackets) line(off int64, code string) {
	code, _, _ = strings.Cut(code, "#")
	for i := 0; i < len(code) && b.fault == ""; i++ {
		switch c := code[i]; {
		case c == '(' || c == '[' || c == '{':
			if b.open = append(b.open, c); len(b.open) > maxBrackets {
				b.at, b.fault = off+int64(i), "too many brackets"
			}
		case c == ')' || c == ']' || c == '}':
			if n := len(b.open); n == 0 || b.open[n-1] != map[byte]byte{')': '(', ']': '[', '}': '{'}[c] {
				b.at, b.fault = off+int64(i), "a bracket that closes nothing"
			} else {
				b.open = b.open[:n-1]
			}
		case c >= 0x80 || c < ' ' && c != '\t':
			b.at, b.fault = off+int64(i), "a byte that is no code"
		}
	}
}

// end tells of what is wrong, "" for nothing.
func (b *brackets) end(off int64) string {
	if b.fault == "" && len(b.open) > 0 {
		b.at, b.fault = off, "a bracket that is not closed"
	}
	return b.fault
}
