package tensorflow

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
	"github.com/secure-torch/secure-torch/modelscan/keras"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
	"github.com/secure-torch/secure-torch/modelscan/wire"
)

// Text is a graph in protobuf's text format: saved_model.pbtxt, which TensorFlow loads as it does saved_model.pb,
// and graphs that scripts read with text_format (https://protobuf.dev/reference/protobuf/textformat-spec).
var Text = &modelscan.Format{Name: "tensorflow-text", Sniff: sniffText, Scan: scanText}

// opensText is a message of a graph at the beginning of a line.
var opensText = pattern.Lazy(`(?m)^\s*(?:node|meta_graphs|graph_def|library|meta_info_def|node_def)\s*:?\s*[{<]`)

func sniffText(p modelscan.Probe) modelscan.Confidence {
	if bytes.IndexByte(p.Head, 0) < 0 && bytes.IndexByte(p.Head, '{') >= 0 && opensText().Match(p.Head) {
		return modelscan.Maybe
	}
	return modelscan.No
}

// scanText looks at every field of the names that matter, wherever it stands: the fields around it only say where
// the operator runs.
func scanText(ctx context.Context, p *modelscan.Pass) error {
	text, err := p.Bytes(0, p.Size, p.Limits.MaxBuffer)
	if err != nil {
		return err
	}
	s, ops := &scanner{ctx: ctx, p: p, functions: map[string]bool{}}, 0
	defer s.finish()
	t := &textProto{b: text}
	for t.next() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		at := wire.Message{Off: int64(t.at)}
		switch t.name {
		case "name": // of a function, as TensorFlow 2 names them; other names may be a node's
			if strings.HasPrefix(t.value, "__") {
				s.functions[t.value] = true
			}
		case "op":
			ops++
			s.operator(at, "", t.value, "")
		case "filename":
			s.assetName(at, t.value)
		case "metadata":
			if root, err := jsontree.Parse([]byte(t.value)); err == nil {
				keras.JudgeSaved(p, int64(t.at), root)
			}
		}
	}
	if ops == 0 {
		return errNoGraph
	}
	return nil
}

// textProto steps through the fields of a text that hold strings.
type textProto struct {
	b           []byte
	pos         int
	name, value string
	at          int // of the value
}

// next finds a name, a colon and one or more quoted strings, which are one value.
func (t *textProto) next() bool {
	name, colon := "", false
	for t.pos < len(t.b) {
		switch c := t.b[t.pos]; {
		case c == '#':
			t.skip(func(c byte) bool { return c != '\n' })
		case c == '"' || c == '\'':
			t.at, t.value = t.pos, t.quoted()
			for t.blank(); t.pos < len(t.b) && (t.b[t.pos] == '"' || t.b[t.pos] == '\''); t.blank() {
				t.value += t.quoted()
			}
			if t.name = name; name != "" && colon {
				return true
			}
		case isWord(c):
			start := t.pos
			t.skip(isWord)
			name, colon = string(t.b[start:min(t.pos, start+maxText)]), false
		case c == ':':
			colon = true
			t.pos++
		default:
			if !isSpace(c) && c != '[' {
				name, colon = "", false
			}
			t.pos++
		}
	}
	return false
}

func (t *textProto) skip(while func(byte) bool) {
	for t.pos < len(t.b) && while(t.b[t.pos]) {
		t.pos++
	}
}

func (t *textProto) blank() { t.skip(isSpace) }

func isSpace(c byte) bool { return strings.IndexByte(" \t\r\n\f\v", c) >= 0 }

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// quoted reads a string, with C's escapes.
func (t *textProto) quoted() string {
	quote := t.b[t.pos]
	start := t.pos + 1
	for t.pos = start; t.pos < len(t.b) && t.b[t.pos] != quote && t.b[t.pos] != '\n'; t.pos++ {
		if t.b[t.pos] == '\\' {
			t.pos++
		}
	}
	end := min(t.pos, len(t.b))
	t.pos = min(end+1, len(t.b))
	s := string(t.b[start:end])
	if !strings.Contains(s, `\`) {
		return s
	}
	var out strings.Builder
	for s != "" {
		r, multibyte, tail, err := strconv.UnquoteChar(s, quote)
		if err != nil { // octal of one or two digits, \' in "…": near enough
			out.WriteByte(s[0])
			s = s[1:]
			continue
		}
		if s = tail; multibyte {
			out.WriteRune(r)
		} else {
			out.WriteByte(byte(r))
		}
	}
	return out.String()
}
