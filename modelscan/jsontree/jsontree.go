// Package jsontree reads JSON as Python's json module does, into a tree that keeps what that module
// forgets: every duplicate key, and where each value stands.
package jsontree

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Kind of a Node. The zero Kind is null.
type Kind uint8

// Kinds of JSON values.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// Node is one value.
type Node struct {
	Kind  Kind
	Text  string   // of a string; a number or bool as written
	Keys  []string // of an object, with duplicates
	Items []*Node  // an array's, or an object's beside its keys
	Off   int64
}

const (
	maxDepth = 900       // CPython's recursion limit is 1000
	maxNodes = 3_000_000 // about 100 bytes each
)

// ErrSyntax is wrapped by every error that says what Python would refuse too.
var ErrSyntax = errors.New("not JSON")

// Parse reads one document. Python's leniencies are shared: NaN, Infinity, a byte order mark.
func Parse(b []byte) (*Node, error) {
	p := &parser{b: b}
	if bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) {
		p.pos = 3
	}
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.pos < len(b) {
		return n, p.fail("end of the document")
	}
	return n, nil
}

// Read is Parse of a whole source.
func Read(src modelscan.Source, lim *modelscan.Limits) (*Node, error) {
	b, err := src.Bytes(0, src.Size, lim.MaxBuffer)
	if err != nil {
		return nil, err
	}
	return Parse(b)
}

// Get returns the value of a key, the last one as Python does, or nil. Any Node may be nil.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Object {
		return nil
	}
	for i := len(n.Keys) - 1; i >= 0; i-- {
		if n.Keys[i] == key {
			return n.Items[i]
		}
	}
	return nil
}

// Str returns the text of a string value of a key, or "".
func (n *Node) Str(key string) string { return n.Get(key).String() }

// String is the text of a string, "" for anything else.
func (n *Node) String() string {
	if n == nil || n.Kind != String {
		return ""
	}
	return n.Text
}

// All visits n and everything below it, depth first.
func (n *Node) All() iter.Seq[*Node] {
	return func(yield func(*Node) bool) { n.visit(yield) }
}

func (n *Node) visit(yield func(*Node) bool) bool {
	if n == nil {
		return true
	}
	if !yield(n) {
		return false
	}
	for _, item := range n.Items {
		if !item.visit(yield) {
			return false
		}
	}
	return true
}

type parser struct {
	b     []byte
	pos   int
	nodes int
}

func (p *parser) fail(want string) error {
	return fmt.Errorf("%w: no %s at %#x", ErrSyntax, want, p.pos)
}

func (p *parser) space() {
	for p.pos < len(p.b) && strings.IndexByte(" \t\r\n", p.b[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *parser) value(depth int) (*Node, error) {
	if p.nodes++; p.nodes > maxNodes || depth > maxDepth {
		return nil, fmt.Errorf("at %#x: %w (%d values, %d deep)", p.pos, modelscan.ErrLimit, p.nodes, depth)
	}
	p.space()
	if p.pos >= len(p.b) {
		return nil, p.fail("value")
	}
	n := &Node{Off: int64(p.pos)}
	var err error
	switch c := p.b[p.pos]; c {
	case '{', '[':
		err = p.container(n, c, depth)
	case '"':
		n.Kind = String
		n.Text, err = p.text()
	default:
		err = p.scalar(n)
	}
	return n, err
}

func (p *parser) container(n *Node, open byte, depth int) error {
	n.Kind = map[byte]Kind{'{': Object, '[': Array}[open]
	closing := open + 2 // ASCII puts ] and } there
	p.pos++
	for first := true; ; first = false {
		p.space()
		switch {
		case p.pos >= len(p.b):
			return p.fail(string(closing))
		case p.b[p.pos] == closing:
			p.pos++
			return nil
		case !first && p.b[p.pos] != ',':
			return p.fail("comma")
		case !first:
			p.pos++
			p.space()
		}
		if n.Kind == Object {
			key, err := p.key()
			if err != nil {
				return err
			}
			n.Keys = append(n.Keys, key)
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, item)
	}
}

func (p *parser) key() (string, error) {
	if p.pos >= len(p.b) || p.b[p.pos] != '"' {
		return "", p.fail("key")
	}
	key, err := p.text()
	if p.space(); err == nil && (p.pos >= len(p.b) || p.b[p.pos] != ':') {
		err = p.fail("colon")
	}
	p.pos++
	return key, err
}

// text reads a string. Control characters and broken UTF-8 are kept, as a lenient reader would.
func (p *parser) text() (string, error) {
	p.pos++
	start := p.pos
	escaped := false
	for p.pos < len(p.b) && p.b[p.pos] != '"' {
		if p.b[p.pos] == '\\' {
			escaped = true
			p.pos++
		}
		p.pos++
	}
	if p.pos >= len(p.b) {
		return "", p.fail("end of the string")
	}
	s := string(p.b[start:p.pos])
	p.pos++
	if escaped {
		s = unescape(s)
	}
	return s, nil
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if r, ok := hex4(s, i); ok {
			i += 4
			if low, ok := hex4(s, i+2); ok && utf16.IsSurrogate(r) && i+1 < len(s) && s[i+1] == '\\' {
				if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
					r, i = both, i+6
				}
			}
			b.WriteRune(r)
			continue
		}
		if j := strings.IndexByte(`bfnrt`, s[i]); j >= 0 {
			b.WriteByte("\b\f\n\r\t"[j])
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// hex4 reads the four digits after a 'u' at i.
func hex4(s string, i int) (rune, bool) {
	if i+5 > len(s) || s[i] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(s[i+1:i+5], 16, 32)
	return rune(v), err == nil
}

func (p *parser) scalar(n *Node) error {
	start := p.pos
	for p.pos < len(p.b) && strings.IndexByte(" \t\r\n,:]}[{\"", p.b[p.pos]) < 0 {
		p.pos++
	}
	n.Text = string(p.b[start:p.pos])
	switch n.Text {
	case "null":
		return nil
	case "true", "false":
		n.Kind = Bool
		return nil
	case "NaN", "Infinity", "-Infinity":
		n.Kind = Number
		return nil
	}
	n.Kind = Number
	if n.Text == "" || strings.Trim(n.Text, "0123456789+-.eE") != "" {
		p.pos = start
		return p.fail("value")
	}
	return nil
}
