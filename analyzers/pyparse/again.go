package pyparse

import (
	"slices"
	"sort"
)

// version is a source that was parsed, and what another has in common with it.
type version struct {
	tree   Tree
	from   uint32 // where, in the new source, what both end with begins
	behind int    // what to add to an offset in the old source to get one in the new
}

// lookahead is how far behind a token the lexer may look, in bytes.
const lookahead = 8

// Again parses src, a later version of a source that was parsed. The result is that of Parse: statements at
// the top of the source that are the same in both, and around which nothing has changed, are not read again, whichever
// grammar read them.
func Again(src, before []byte, old Tree, g *Grammar) Tree {
	if old.Nodes == nil || len(src) > MaxSource || old.wasted > maxWasted {
		return Parse(src, g)
	}
	shorter := min(len(src), len(before))
	prefix := same(src[:shorter], before[:shorter])
	if prefix == len(src) && prefix == len(before) {
		return old
	}
	suffix := sameEnd(src[prefix:], before[prefix:])
	kept := 0
	for kept < len(old.pieces) && int(old.pieces[kept].seen)+lookahead <= prefix {
		kept++
	}
	r := newReader(src, g, len(old.Nodes)+64)
	r.old = &version{tree: old, from: uint32(len(src) - suffix), behind: len(src) - len(before)}
	at := afterMark(src)
	if 0 < kept && kept < len(old.pieces) {
		r.out = append(r.out[:0], old.Nodes[:old.pieces[kept].node]...)
		r.pieces = append(make([]piece, 0, len(old.pieces)+8), old.pieces[:kept]...)
		at = old.pieces[kept].at
	}
	r.read(at)
	if r.wasted += old.wasted; r.wasted > maxWasted {
		return Parse(src, g)
	}
	return r.tree()
}

// reuse takes over what the old version has from a statement on, where both are the same up to their ends.
func (r *reader) reuse(at uint32) bool {
	o := r.old
	if o == nil || at < o.from {
		return false
	}
	was := uint32(int(at) - o.behind)
	pieces := o.tree.pieces
	i := sort.Search(len(pieces), func(i int) bool { return pieces[i].at >= was })
	if i == len(pieces) || pieces[i].at != was {
		return false
	}
	first := pieces[i].node
	shift, by := uint32(len(r.out))-first, uint32(o.behind) // modulo 2³²: they may be negative
	r.out = slices.Grow(r.out, len(o.tree.Nodes)-int(first))
	for _, n := range o.tree.Nodes[first:] {
		n.Start, n.End, n.Next = n.Start+by, n.End+by, n.Next+shift
		r.out = append(r.out, n)
	}
	for _, p := range pieces[i:] {
		p.at, p.node, p.seen = p.at+by, p.node+shift, p.seen+by
		r.pieces = append(r.pieces, p)
	}
	return true
}

// same is how many bytes two sources of one length begin with in common.
func same(a, b []byte) int {
	n := 0
	for n+64 <= len(a) && string(a[n:n+64]) == string(b[n:n+64]) {
		n += 64
	}
	for n < len(a) && a[n] == b[n] {
		n++
	}
	return n
}

// sameEnd is how many bytes two sources end with in common.
func sameEnd(a, b []byte) int {
	n, shorter := 0, min(len(a), len(b))
	for n+64 <= shorter && string(a[len(a)-n-64:len(a)-n]) == string(b[len(b)-n-64:len(b)-n]) {
		n += 64
	}
	for n < shorter && a[len(a)-n-1] == b[len(b)-n-1] {
		n++
	}
	return n
}
