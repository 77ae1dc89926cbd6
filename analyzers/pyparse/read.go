package pyparse

import (
	"bytes"
)

// Parse parses a whole source. What is Python is read here; a statement at the top of the source that is
// not, with all that is inside it, is left to a grammar, which mends what is broken.
func Parse(src []byte, g *Grammar) Tree {
	if len(src) > MaxSource {
		return Tree{Failed: true}
	}
	r := newReader(src, g, len(src)/8+16)
	r.read(afterMark(src))
	return r.tree()
}

// afterMark is the offset behind a byte order mark.
func afterMark(src []byte) uint32 {
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		return 3
	}
	return 0
}

// reader reads a source statement by statement.
type reader struct {
	parser
	grammar *Grammar
	out     []Node
	pieces  []piece
	wasted  int // bytes read in vain: of statements that turned out broken
	old     *version
}

// piece is a statement at the top of a source, or several on a line.
type piece struct {
	at     uint32 // where it begins
	node   uint32 // index of its first node
	seen   uint32 // how far the source was looked at to read it
	broken bool   // Python would refuse it
}

func newReader(src []byte, g *Grammar, room int) *reader {
	return &reader{grammar: g, parser: parser{lexer: lexer{src: src}, nodes: make([]syntax, 1, 256)}, out: make([]Node, 1, room)}
}

// read reads the rest of the source.
func (r *reader) read(at uint32) {
	for int(at) < len(r.src) {
		at = r.run(at)
	}
}

func (r *reader) tree() Tree {
	r.out[0] = Node{End: uint32(len(r.src)), Next: uint32(len(r.out)), Kind: Module}
	return Tree{Nodes: r.out, pieces: r.pieces, wasted: r.wasted}
}

// run reads statements from an offset on, as far as they are Python. Of the first that is not it asks
// the other grammar. It returns where to go on.
func (r *reader) run(at uint32) uint32 {
	r.lexer = lexer{src: r.src, at: at, end: at, indents: append(r.indents[:0], 0), comments: r.comments[:0]}
	r.noIn, r.format, r.depth = false, false, 0
	ok := r.attempt(func() bool {
		r.lineEnd()
		at = r.at
		for r.next(); r.tok != tokEnd && !r.reuse(at); at = r.start {
			r.nodes = r.nodes[:1]
			r.nodes[0] = syntax{}
			r.statement(0)
			r.pieces = append(r.pieces, piece{at: at, node: uint32(len(r.out)), seen: max(r.furthest, r.end), broken: r.loose})
			r.loose = false
			for n := r.nodes[0].first; n != 0; n = r.nodes[n].next {
				r.out = r.flat(r.out, n)
			}
		}
		return true
	})
	if ok {
		return uint32(len(r.src))
	}
	end, seen := r.brokenUntil(at)
	if r.wasted += int(r.furthest - min(at, r.furthest)); r.wasted > 8*len(r.src)+maxWasted {
		end = uint32(len(r.src))
	}
	r.pieces = append(r.pieces, piece{at: at, node: uint32(len(r.out)), seen: max(r.furthest, seen), broken: true})
	r.mend(at, end)
	return end
}

// maxWasted bounds what is read in vain, in bytes, besides a multiple of the source.
const maxWasted = 1 << 20

// attempt reads something that may turn out to be something else, or no Python: the parser stands where
// it did then.
func (p *parser) attempt(read func() bool) (ok bool) {
	was, nodes, depth, noIn, format := p.lexer, len(p.nodes), p.depth, p.noIn, p.format
	defer func() {
		r := recover()
		if _, broken := r.(syntaxError); r != nil && !broken {
			panic(r)
		}
		if ok = ok && r == nil; !ok {
			was.furthest = max(p.furthest, p.at)
			p.lexer, p.nodes, p.depth, p.noIn, p.format = was, p.nodes[:min(nodes, len(p.nodes))], depth, noIn, format
		}
	}()
	return read()
}

// mend has the other grammar read a part of the source, and appends what it says.
func (r *reader) mend(from, to uint32) {
	tree := r.grammar.read(r.src[from:to])
	if tree.Failed || len(tree.Nodes) == 0 {
		r.out = append(r.out, Node{Start: from, End: to, Kind: Error, Next: uint32(len(r.out)) + 1})
		return
	}
	nodes := tree.Nodes
	skip := 0
	if nodes[0].Kind == Module {
		skip = 1
	}
	shift := uint32(len(r.out) - skip)
	for _, n := range nodes[skip:] {
		n.Start, n.End, n.Next = n.Start+from, n.End+from, n.Next+shift
		r.out = append(r.out, n)
	}
}

// brokenUntil is where the next statement at the top of the source begins, as far as that can be told of a
// source that is broken at an offset, and how far the source was looked at to find it.
func (r *reader) brokenUntil(at uint32) (end, seen uint32) {
	src := r.src
	var triple []byte // the quotes of a string that goes over lines
	for i := int(at); i < len(src); {
		line := src[i:]
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line = line[:n+1]
		}
		if i > int(at) && (triple == nil && topLevel(line) || definition(line)) {
			return uint32(i), uint32(i + len(line))
		}
		triple = stringAfter(line, triple)
		i += len(line)
	}
	end = uint32(len(src))
	if triple == nil {
		return end, end
	}
	for i := int(at); ; { // the string may be what is broken
		n := bytes.IndexByte(src[i:], '\n')
		if n < 0 {
			return end, end
		}
		if i += n + 1; topLevel(src[i:]) {
			return uint32(i), end
		}
	}
}

// topLevel says whether a line begins a statement that is in no other.
func topLevel(line []byte) bool {
	if len(line) == 0 || !continues[line[0]] && line[0] != '@' && line[0] != '"' && line[0] != '\'' && line[0] != '[' && line[0] != '(' && line[0] != '{' {
		return false
	}
	for _, word := range []string{"else", "elif", "except", "finally"} {
		if bytes.HasPrefix(line, []byte(word)) && (len(line) == len(word) || !continues[line[len(word)]]) {
			return false
		}
	}
	return true
}

// definition says whether a line begins a function or a class: hardly any text does.
func definition(line []byte) bool {
	for _, word := range []string{"def ", "class ", "async def "} {
		if rest, ok := bytes.CutPrefix(line, []byte(word)); ok {
			return len(rest) > 0 && continues[rest[0]] && bytes.ContainsAny(rest, "(:")
		}
	}
	return false
}

var quotes = [][]byte{[]byte(`"""`), []byte(`'''`)}

// stringAfter is the kind of quotes that a string open at the end of a line has; nil when none is.
func stringAfter(line, triple []byte) []byte {
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\':
			i++
		case triple != nil:
			if bytes.HasPrefix(line[i:], triple) {
				triple = nil
				i += 2
			}
		case line[i] == '#':
			return nil
		case line[i] == '"' || line[i] == '\'':
			for _, q := range quotes {
				if bytes.HasPrefix(line[i:], q) {
					triple = q
				}
			}
			if triple != nil {
				i += 2
				continue
			}
			end := closing(line[i+1:], line[i])
			if end < 0 {
				return nil
			}
			i += end + 1
		}
	}
	return triple
}

// closing is the offset of the quote that ends a string on its line; -1 when none does.
func closing(line []byte, quote byte) int {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case quote:
			return i
		}
	}
	return -1
}
