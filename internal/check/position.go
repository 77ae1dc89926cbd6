package check

import (
	"sort"
	"unicode/utf8"
)

// Lines maps byte offsets of a source to lines and columns.
type Lines struct {
	src    []byte
	starts []int
}

// NewLines finds the lines of src. A line ends with \n, \r\n or \r, as Python's do.
func NewLines(src []byte) *Lines {
	l := &Lines{src: src, starts: []int{0}}
	for i, b := range src {
		if b == '\n' || b == '\r' && (i+1 == len(src) || src[i+1] != '\n') {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// At is the line and the column, both from 1, of a byte offset. Columns count Unicode code points; a
// byte that is not UTF-8 counts as one.
func (l *Lines) At(offset int) (line, column int) {
	offset = min(max(offset, 0), len(l.src))
	line = sort.SearchInts(l.starts, offset+1)
	return line, utf8.RuneCount(l.src[l.starts[line-1]:offset]) + 1
}

// Text is a line's text without its end; line counts from 1.
func (l *Lines) Text(line int) string {
	if line < 1 || line > len(l.starts) {
		return ""
	}
	end := len(l.src)
	if line < len(l.starts) {
		end = l.starts[line]
	}
	start := l.starts[line-1]
	for end > start && (l.src[end-1] == '\n' || l.src[end-1] == '\r') {
		end--
	}
	return string(l.src[start:end])
}
