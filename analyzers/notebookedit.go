package analyzers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrNotebookEdit says that an edit cannot be made in a notebook's file.
var ErrNotebookEdit = errors.New("the notebook cannot be changed there")

// Edits turns edits of a notebook's source into edits of its file, which stays byte for byte what it was
// around them. A source that is a list of lines stays one.
func (nb *Notebook) Edits(file []byte, edits []Edit) ([]Edit, error) {
	cells, err := rawCells(file)
	if err != nil {
		return nil, err
	}
	var out []Edit
	for _, e := range edits {
		raw, err := nb.rawEdit(file, cells, e)
		if err != nil {
			return nil, err
		}
		out = append(out, raw)
	}
	slices.SortStableFunc(out, func(a, b Edit) int { return a.Span.Start - b.Span.Start })
	return out, nil
}

// rawEdit is one edit, in the file.
func (nb *Notebook) rawEdit(file []byte, cells map[int]rawCell, e Edit) (Edit, error) {
	i := 0
	for i+1 < len(nb.Starts) && nb.Starts[i+1] <= e.Span.Start {
		i++
	}
	if i >= len(nb.Starts) {
		return Edit{}, ErrNotebookEdit
	}
	start, end := e.Span.Start-nb.Starts[i], e.Span.End-nb.Starts[i]
	if start == 0 && end == 0 && i > 0 && strings.HasSuffix(e.New, "\n") {
		// Behind the last line of the cell before: the cell that follows may begin with a magic.
		i--
		start = nb.Starts[i+1] - nb.Starts[i]
		end = start
	}
	cell, ok := cells[nb.Cells[i]]
	if !ok || !nb.holds(i, cell.text) {
		return Edit{}, ErrNotebookEdit
	}
	if start == 0 && strings.HasPrefix(strings.TrimSpace(cell.text), "%%") {
		return Edit{}, fmt.Errorf("%w: cell %d begins with a magic", ErrNotebookEdit, nb.Cells[i])
	}
	text := e.New
	if start > len(cell.text) { // the line break that the notebook leaves out
		start, end = len(cell.text), len(cell.text)
		text = "\n" + strings.TrimSuffix(text, "\n")
	}
	if end > len(cell.text) {
		return Edit{}, ErrNotebookEdit
	}
	return cell.edit(file, start, end, text)
}

// holds says whether the i-th code cell was made of the text.
func (nb *Notebook) holds(i int, text string) bool {
	end := len(nb.Source)
	if i+1 < len(nb.Starts) {
		end = nb.Starts[i+1]
	}
	return strings.TrimSuffix(string(nb.Source[nb.Starts[i]:end]), "\n") == strings.TrimSuffix(string(Magics([]byte(text))), "\n")
}

// rawCell is the source of one cell as the file has it: a string, or a list of them.
type rawCell struct {
	text   string
	pieces []rawPiece
	list   bool
}

// rawPiece is one JSON string.
type rawPiece struct {
	from       int // in the cell's text
	text       string
	start, end int // in the file, within the quotes
}

// at is the place in the file of an offset in the cell's text. Where one piece ends and the next begins it
// is the end of the first, or the start of the next.
func (c *rawCell) at(file []byte, offset int, next bool) (int, error) {
	for i, p := range c.pieces {
		if last := p.from + len(p.text); offset < last || offset == last && (!next || i == len(c.pieces)-1) {
			return p.raw(file, offset-p.from)
		}
	}
	return 0, ErrNotebookEdit
}

// raw is the place in the file of an offset in a piece's text.
func (p rawPiece) raw(file []byte, offset int) (int, error) {
	at, have := p.start, 0
	for at < p.end && have < offset {
		var n int
		switch {
		case file[at] != '\\':
			_, n = utf8.DecodeRune(file[at:p.end])
			have += n
		case file[at+1] == 'u':
			n = 6
			if at+12 <= p.end && isSurrogate(file[at:at+12]) {
				n = 12
			}
			var s string
			if json.Unmarshal(append(append([]byte{'"'}, file[at:at+n]...), '"'), &s) != nil {
				return 0, ErrNotebookEdit
			}
			have += len(s)
		default:
			n = 2
			have++
		}
		at += n
	}
	if have != offset {
		return 0, ErrNotebookEdit
	}
	return at, nil
}

// isSurrogate says whether two \u escapes are the halves of one character.
func isSurrogate(pair []byte) bool {
	high, low := bytes.ToLower(pair[:6]), bytes.ToLower(pair[6:])
	return high[2] == 'd' && bytes.IndexByte([]byte("89ab"), high[3]) >= 0 && bytes.HasPrefix(low, []byte(`\ud`)) && bytes.IndexByte([]byte("cdef"), low[3]) >= 0
}

// edit replaces a part of the cell's text.
func (c *rawCell) edit(file []byte, start, end int, text string) (Edit, error) {
	from, err := c.at(file, start, true)
	if err != nil {
		return Edit{}, err
	}
	to := from
	if end > start {
		if to, err = c.at(file, end, false); err != nil {
			return Edit{}, err
		}
	}
	var b strings.Builder
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		var quoted bytes.Buffer
		enc := json.NewEncoder(&quoted)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(line); err != nil {
			return Edit{}, err
		}
		b.Write(bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSpace(quoted.Bytes()), []byte{'"'}), []byte{'"'}))
		more := i+1 < len(lines) && (lines[i+1] != "" || file[to] != '"')
		if more && c.list {
			b.WriteString(`"` + c.separator(file) + `"`)
		}
	}
	return Edit{Span{from, to}, b.String()}, nil
}

// separator is what stands between two lines of a list: between its first two, or a comma and what stands
// before the only one.
func (c *rawCell) separator(file []byte) string {
	if len(c.pieces) > 1 {
		return string(file[c.pieces[0].end+1 : c.pieces[1].start-1])
	}
	open := bytes.LastIndexByte(file[:c.pieces[0].start-1], '[')
	if space := string(file[open+1 : c.pieces[0].start-1]); open >= 0 && strings.TrimSpace(space) == "" {
		return "," + space
	}
	return ", "
}

// rawCells finds the sources of the cells, by the cell's number, from 1.
func rawCells(file []byte) (map[int]rawCell, error) {
	skip := len(file) - len(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")))
	w := &cellWalk{file: file, skip: skip, d: json.NewDecoder(bytes.NewReader(file[skip:])), cells: map[int]rawCell{}}
	for {
		before := int(w.d.InputOffset()) + skip
		token, err := w.d.Token()
		if errors.Is(err, io.EOF) {
			return w.cells, nil
		}
		if err != nil {
			return nil, fmt.Errorf("notebook: %w", err)
		}
		w.take(token, before)
	}
}

// cellWalk is where in a notebook's JSON its reader stands.
type cellWalk struct {
	file  []byte
	skip  int
	d     *json.Decoder
	cells map[int]rawCell
	stack []level
}

// level is one object or list that is open.
type level struct {
	list bool
	key  string // of an object: the key whose value comes next
	wait bool   // of an object: a value comes next
	n    int    // of a list: elements so far
}

func (w *cellWalk) take(token json.Token, before int) {
	if d, ok := token.(json.Delim); ok && (d == ']' || d == '}') {
		w.stack = w.stack[:len(w.stack)-1]
		w.done()
		return
	}
	if top := w.top(); top != nil && !top.list && !top.wait {
		top.key, top.wait = token.(string), true
		return
	}
	if top := w.top(); top != nil && top.list {
		top.n++
	}
	switch v := token.(type) {
	case json.Delim:
		w.stack = append(w.stack, level{list: v == '['})
		return
	case string:
		w.text(v, before)
	}
	w.done()
}

func (w *cellWalk) top() *level {
	if len(w.stack) == 0 {
		return nil
	}
	return &w.stack[len(w.stack)-1]
}

// done is the end of a value.
func (w *cellWalk) done() {
	if top := w.top(); top != nil {
		top.wait = false
	}
}

// text takes a string that is cells[i].source, or an element of it.
func (w *cellWalk) text(v string, before int) {
	s := w.stack
	if len(s) < 3 || len(s) > 4 || s[0].key != "cells" || !s[1].list || s[2].key != "source" || len(s) == 4 && !s[3].list {
		return
	}
	open := bytes.IndexByte(w.file[before:], '"') + before
	c := w.cells[s[1].n]
	c.pieces = append(c.pieces, rawPiece{from: len(c.text), text: v, start: open + 1, end: int(w.d.InputOffset()) + w.skip - 1})
	c.text += v
	c.list = len(s) == 4
	w.cells[s[1].n] = c
}
