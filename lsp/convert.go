package lsp

import (
	"bytes"
	"sort"
	"unicode/utf8"

	"go.lsp.dev/protocol"

	"github.com/secure-torch/secure-torch/analyzers"
)

// This file is the only place where byte offsets and the editor's positions meet.

// units returns how many code units of enc the rune r takes.
func units(enc protocol.PositionEncodingKind, r rune, size int) uint32 {
	switch {
	case enc == protocol.PositionEncodingKindUTF8:
		return uint32(size)
	case enc == protocol.PositionEncodingKindUTF32 || r < 0x10000:
		return 1
	}
	return 2
}

// negotiate picks the position encoding: UTF-8 when the client offers it, since then nothing is
// converted, else the first known one it names, else UTF-16, the protocol's default.
func negotiate(offered []protocol.PositionEncodingKind) protocol.PositionEncodingKind {
	best := protocol.PositionEncodingKindUTF16
	for i := len(offered) - 1; i >= 0; i-- {
		switch offered[i] {
		case protocol.PositionEncodingKindUTF8:
			return offered[i]
		case protocol.PositionEncodingKindUTF16, protocol.PositionEncodingKindUTF32:
			best = offered[i]
		}
	}
	return best
}

// lineStarts returns the offset at which each line begins. A line ends with \n, \r\n or \r, as the protocol says.
func lineStarts(text []byte) []int {
	starts := make([]int, 1, 1+bytes.Count(text, []byte{'\n'}))
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\n':
		case text[i] == '\r' && (i+1 == len(text) || text[i+1] != '\n'):
		default:
			continue
		}
		starts = append(starts, i+1)
	}
	return starts
}

// mapper converts between offsets in one text and positions in one encoding.
type mapper struct {
	text   []byte
	starts []int
	enc    protocol.PositionEncodingKind
}

func newMapper(text []byte, enc protocol.PositionEncodingKind) *mapper {
	return &mapper{text: text, starts: lineStarts(text), enc: enc}
}

// line returns the bounds of a line without its terminator.
func (m *mapper) line(n int) (start, end int) {
	start, end = m.starts[n], len(m.text)
	if n+1 < len(m.starts) {
		end = m.starts[n+1]
	}
	for end > start && (m.text[end-1] == '\n' || m.text[end-1] == '\r') {
		end--
	}
	return start, end
}

// offset returns the byte offset of a position. A position after the end of its line is the end of the
// line, one after the last line the end of the text; one inside a character is that character's begin.
func (m *mapper) offset(pos protocol.Position) int {
	if int64(pos.Line) >= int64(len(m.starts)) {
		return len(m.text)
	}
	off, end := m.line(int(pos.Line))
	for left := pos.Character; off < end && left > 0; {
		r, size := utf8.DecodeRune(m.text[off:end])
		n := units(m.enc, r, size)
		if n > left {
			break
		}
		left -= n
		off += size
	}
	return off
}

// position returns the position of a byte offset, which is clamped to the text and to its line's end.
func (m *mapper) position(off int) protocol.Position {
	off = max(0, min(off, len(m.text)))
	line := sort.SearchInts(m.starts, off+1) - 1
	start, end := m.line(line)
	pos := protocol.Position{Line: uint32(line)}
	for at := start; at < min(off, end); {
		r, size := utf8.DecodeRune(m.text[at:end])
		if at+size > off {
			break // inside a character
		}
		pos.Character += units(m.enc, r, size)
		at += size
	}
	return pos
}

func (m *mapper) toRange(s analyzers.Span) protocol.Range {
	return protocol.Range{Start: m.position(s.Start), End: m.position(max(s.Start, s.End))}
}

func (m *mapper) toSpan(r protocol.Range) analyzers.Span {
	start := m.offset(r.Start)
	return analyzers.Span{Start: start, End: max(start, m.offset(r.End))}
}

// toEdits converts the edits of a fix.
func (m *mapper) toEdits(edits []analyzers.Edit) []protocol.TextEdit {
	out := make([]protocol.TextEdit, len(edits))
	for i, e := range edits {
		out[i] = protocol.TextEdit{Range: m.toRange(e.Span), NewText: e.New}
	}
	return out
}

// apply makes the changes of one didChange, in order: each refers to the text the one before it left.
func apply(text []byte, enc protocol.PositionEncodingKind, changes []protocol.TextDocumentContentChangeEvent) []byte {
	for _, change := range changes {
		switch c := change.(type) {
		case *protocol.TextDocumentContentChangeWholeDocument:
			text = []byte(c.Text)
		case *protocol.TextDocumentContentChangePartial:
			at := newMapper(text, enc).toSpan(c.Range)
			next := make([]byte, 0, len(text)-(at.End-at.Start)+len(c.Text))
			text = append(append(append(next, text[:at.Start]...), c.Text...), text[at.End:]...)
		}
	}
	return text
}
