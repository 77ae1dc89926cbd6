package pyparse

import (
	"bytes"
)

// Parse parses a whole source. What is Python is read here; a statement at the top of the source that is
// not, with all that is inside it, is left to the grammar of tree-sitter, which mends what is broken.
func Parse(src []byte) Tree {
	if len(src) > MaxSource {
		return Tree{Failed: true}
	}
	r := read(src)
	return Tree{Nodes: r.out}
}

func read(src []byte) *reader {
	r := &reader{parser: parser{lexer: lexer{src: src}, nodes: make([]syntax, 1, 256)}, out: make([]Node, 1, len(src)/8+16)}
	at := uint32(0)
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		at = 3
	}
	for int(at) < len(src) {
		at = r.run(at)
	}
	r.out[0] = Node{End: uint32(len(src)), Next: uint32(len(r.out)), Kind: Module}
	return r
}

// reader reads a source statement by statement.
type reader struct {
	parser
	out    []Node
	mended []Span // the parts that the other grammar read
	wasted int    // bytes read in vain: of statements that turned out broken
}

// run reads statements from an offset on, as far as they are Python. Of the first that is not it asks
// the other grammar. It returns where to go on.
func (r *reader) run(at uint32) uint32 {
	r.lexer = lexer{src: r.src, at: at, end: at, indents: append(r.indents[:0], 0), comments: r.comments[:0]}
	r.noIn, r.format, r.depth = false, false, 0
	ok := r.attempt(func() bool {
		r.lineEnd()
		at = r.at
		for r.next(); r.tok != tokEnd; at = r.start {
			r.nodes = r.nodes[:1]
			r.nodes[0] = syntax{}
			r.statement(0)
			for n := r.nodes[0].first; n != 0; n = r.nodes[n].next {
				r.out = r.flat(r.out, n)
			}
		}
		return true
	})
	if ok {
		return uint32(len(r.src))
	}
	end := r.brokenUntil(at)
	if r.wasted += int(r.furthest - min(at, r.furthest)); r.wasted > 8*len(r.src)+1<<20 {
		end = uint32(len(r.src))
	}
	r.mend(at, end)
	return end
}

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
	r.mended = append(r.mended, Span{from, to})
	tree := fallback(r.src[from:to])
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
// source that is broken at an offset.
func (r *reader) brokenUntil(at uint32) uint32 {
	src := r.src
	var triple []byte // the quotes of a string that goes over lines
	for i := int(at); i < len(src); {
		line := src[i:]
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line = line[:n+1]
		}
		if i > int(at) && (triple == nil && topLevel(line) || definition(line)) {
			return uint32(i)
		}
		triple = stringAfter(line, triple)
		i += len(line)
	}
	if triple == nil {
		return uint32(len(src))
	}
	for i := int(at); ; { // the string may be what is broken
		n := bytes.IndexByte(src[i:], '\n')
		if n < 0 {
			return uint32(len(src))
		}
		if i += n + 1; topLevel(src[i:]) {
			return uint32(i)
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

// Span is a half-open range of bytes.
type Span struct{ Start, End uint32 }
