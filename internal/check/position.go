package check

import (
	"bytes"
	"sort"

	"github.com/secure-torch/secure-torch/analyzers"
)

// Lines maps byte offsets of a source to lines and columns.
type Lines struct {
	src    []byte
	starts []int
	count  func([]byte) int // the characters of a part of src
	first  []int            // of a notebook: the line on which each cell begins
	cells  []int            // and which cell of the notebook it is
}

// NewLines finds the lines of src. A line ends with \n, \r\n or \r, as Python's do.
func NewLines(src []byte) *Lines {
	l := &Lines{src: src, starts: make([]int, 1, 1+bytes.Count(src, []byte{'\n'})), count: analyzers.Characters(src)}
	for i, b := range src {
		if b == '\n' || b == '\r' && (i+1 == len(src) || src[i+1] != '\n') {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// OfNotebook makes At and Cell count within a notebook's cells, and Text tell what is written in them.
func (l *Lines) OfNotebook(nb *analyzers.Notebook) *Lines {
	for _, at := range nb.Starts {
		line, _ := l.absolute(at)
		l.first = append(l.first, line)
	}
	l.src, l.cells = nb.Written, nb.Cells
	return l
}

// Cell is the cell of the notebook, from 1, that an offset lies in; 0 outside of notebooks.
func (l *Lines) Cell(offset int) int {
	line, _ := l.absolute(offset)
	if i := sort.SearchInts(l.first, line+1) - 1; i >= 0 {
		return l.cells[i]
	}
	return 0
}

// At is the line and the column, both from 1, of a byte offset. Columns count Unicode code points, in
// the encoding that the source declares; a byte that is none of it counts as one. In a notebook the line is the cell's.
func (l *Lines) At(offset int) (line, column int) {
	line, column = l.absolute(offset)
	if i := sort.SearchInts(l.first, line+1) - 1; i >= 0 {
		line -= l.first[i] - 1
	}
	return line, column
}

func (l *Lines) absolute(offset int) (line, column int) {
	offset = min(max(offset, 0), len(l.src))
	line = sort.SearchInts(l.starts, offset+1)
	return line, l.count(l.src[l.starts[line-1]:offset]) + 1
}

// Text is the text, without its end, of the line that an offset lies on.
func (l *Lines) Text(offset int) string {
	line, _ := l.absolute(offset)
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
