package pyparse

// syntax is a node while its tree is built: children are chained, so that an operator can be put around
// what was read before it.
type syntax struct {
	start, end  uint32
	first, last int32 // children; 0 for none: the module is nobody's child
	next        int32 // sibling
	kind        Kind
	field       Field
}

// node makes a node that begins at start and ends, for now, at end.
func (p *parser) node(kind Kind, start, end uint32) int32 {
	p.nodes = append(p.nodes, syntax{start: start, end: end, kind: kind})
	return int32(len(p.nodes) - 1)
}

// add makes child the last child of parent, in a role, and has parent end with it.
func (p *parser) add(parent, child int32, field Field) {
	at := &p.nodes[parent]
	if at.first == 0 {
		at.first = child
	} else {
		p.nodes[at.last].next = child
	}
	at.last = child
	c := &p.nodes[child]
	c.field = field
	at.end = max(at.end, c.end)
}

// leaf makes a node of the current token and moves on.
func (p *parser) leaf(kind Kind) int32 {
	n := p.node(kind, p.start, p.end)
	p.next()
	return n
}

// closed ends a node behind the current token, which has to be tok, and moves on.
func (p *parser) closed(n int32, tok token) {
	if p.tok != tok {
		fail()
	}
	p.nodes[n].end = p.end
	p.next()
}

// expect moves past a token that has to be there.
func (p *parser) expect(tok token) {
	if p.tok != tok {
		fail()
	}
	p.next()
}

// accept moves past a token if it is there.
func (p *parser) accept(tok token) bool {
	if p.tok != tok {
		return false
	}
	p.next()
	return true
}

// flat appends the subtree at root to out in source order. It does not recurse: sums may be long.
func (p *parser) flat(out []Node, root int32) []Node {
	for n := root; ; {
		s := &p.nodes[n]
		out = append(out, Node{Start: s.start, End: s.end, Kind: s.kind, Field: s.field})
		if s.first != 0 {
			p.open = append(p.open, open{n, uint32(len(out) - 1)})
			n = s.first
			continue
		}
		out[len(out)-1].Next = uint32(len(out))
		for n != root && p.nodes[n].next == 0 {
			up := p.open[len(p.open)-1]
			p.open = p.open[:len(p.open)-1]
			n = up.node
			out[up.index].Next = uint32(len(out))
		}
		if n == root {
			return out
		}
		n = p.nodes[n].next
	}
}

// open is a node whose children are being written.
type open struct {
	node  int32
	index uint32
}
