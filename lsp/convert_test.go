package lsp

import (
	"math/rand/v2"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"go.lsp.dev/protocol"
)

func TestPositions(t *testing.T) {
	const text = "a\r\nb\u00e9\U0001F600c\rd\n\ne"
	for _, tc := range []struct {
		enc  protocol.PositionEncodingKind
		off  int
		want protocol.Position
	}{
		{"utf-16", 0, protocol.Position{Line: 0, Character: 0}},
		{"utf-16", 1, protocol.Position{Line: 0, Character: 1}},
		{"utf-16", 2, protocol.Position{Line: 0, Character: 1}}, // between \r and \n: the end of the line
		{"utf-16", 3, protocol.Position{Line: 1, Character: 0}},
		{"utf-16", 10, protocol.Position{Line: 1, Character: 4}},
		{"utf-8", 10, protocol.Position{Line: 1, Character: 7}},
		{"utf-32", 10, protocol.Position{Line: 1, Character: 3}},
		{"utf-16", 8, protocol.Position{Line: 1, Character: 2}}, // inside the emoji: before it
		{"utf-16", 12, protocol.Position{Line: 2, Character: 0}},
		{"utf-16", 14, protocol.Position{Line: 3, Character: 0}},
		{"utf-16", 15, protocol.Position{Line: 4, Character: 0}},
		{"utf-16", 99, protocol.Position{Line: 4, Character: 1}},
	} {
		if got := newMapper([]byte(text), tc.enc).position(tc.off); got != tc.want {
			t.Errorf("%s offset %d: %v, want %v", tc.enc, tc.off, got, tc.want)
		}
	}
	m := newMapper([]byte(text), "utf-16")
	for _, tc := range []struct {
		pos  protocol.Position
		want int
	}{
		{protocol.Position{Line: 0, Character: 99}, 1},
		{protocol.Position{Line: 1, Character: 3}, 6}, // inside the emoji: before it
		{protocol.Position{Line: 99, Character: 0}, 16},
		{protocol.Position{Line: 4294967295, Character: 4294967295}, 16},
	} {
		if got := m.offset(tc.pos); got != tc.want {
			t.Errorf("%v: offset %d, want %d", tc.pos, got, tc.want)
		}
	}
}

// reference holds a document as an editor does: UTF-16 units.
type reference []uint16

func (r reference) pos(at int) protocol.Position {
	var p protocol.Position
	for i := 0; i < at; i++ {
		if r[i] == '\n' || r[i] == '\r' && (i+1 == len(r) || r[i+1] != '\n') {
			p = protocol.Position{Line: p.Line + 1}
		} else {
			p.Character++
		}
	}
	return p
}

// boundary moves at back to where an editor's cursor can stand.
func (r reference) boundary(at int) int {
	for at > 0 && at < len(r) && (utf16.IsSurrogate(rune(r[at])) && r[at] >= 0xdc00 || r[at] == '\n' && r[at-1] == '\r') {
		at--
	}
	return at
}

// Random edits through positions leave the same text as the same edits on the editor's own units.
func TestRandomEdits(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	pieces := []string{"", "x", "\n", "\r\n", "\r", "\u00e9", "\U0001F600", "torch.load(", "\U0001F680\n", "日本"}
	for range 200 {
		ref, text := reference{}, []byte{}
		for step := range 60 {
			from := ref.boundary(rnd.IntN(len(ref) + 1))
			to := ref.boundary(min(len(ref), from+rnd.IntN(6)))
			to = max(from, to)
			add := pieces[rnd.IntN(len(pieces))]
			change := &protocol.TextDocumentContentChangePartial{
				Range: protocol.Range{Start: ref.pos(from), End: ref.pos(to)}, Text: add,
			}
			next := append(reference{}, ref[:from]...)
			next = append(next, utf16.Encode([]rune(add))...)
			ref = append(next, ref[to:]...)
			text = apply(text, "utf-16", []protocol.TextDocumentContentChangeEvent{change})
			if want := string(utf16.Decode(ref)); want != string(text) {
				t.Fatalf("step %d, %+v: %q, want %q", step, change.Range, text, want)
			}
		}
	}
}

func FuzzPosition(f *testing.F) {
	f.Add("a\r\nb\u00e9\U0001F600c\rd\n\ne", 7)
	f.Add("\xff\xfe\r", 1)
	f.Fuzz(func(t *testing.T, text string, off int) {
		for _, enc := range []protocol.PositionEncodingKind{"utf-8", "utf-16", "utf-32"} {
			m := newMapper([]byte(text), enc)
			back := m.offset(m.position(off))
			if back > max(0, min(off, len(text))) {
				t.Fatalf("%s: offset %d comes back as %d", enc, off, back)
			}
			if again := m.offset(m.position(back)); again != back {
				t.Fatalf("%s: %d is not stable: %d", enc, back, again)
			}
			if back < len(text) && utf8.ValidString(text) && !utf8.RuneStart(text[back]) {
				t.Fatalf("%s: %d lies inside a character", enc, back)
			}
		}
	})
}

func TestNegotiate(t *testing.T) {
	for _, tc := range []struct {
		offered []protocol.PositionEncodingKind
		want    protocol.PositionEncodingKind
	}{
		{nil, "utf-16"}, {[]protocol.PositionEncodingKind{"utf-16"}, "utf-16"},
		{[]protocol.PositionEncodingKind{"utf-16", "utf-8"}, "utf-8"},
		{[]protocol.PositionEncodingKind{"utf-32", "utf-16"}, "utf-32"},
		{[]protocol.PositionEncodingKind{"ebcdic"}, "utf-16"},
	} {
		if got := negotiate(tc.offered); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.offered, got, tc.want)
		}
	}
}
