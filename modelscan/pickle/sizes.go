package pickle

import (
	"fmt"
	"math"
	"slices"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// Numbers above which a call makes something that no model holds: elements of one value, and the operand
// of a method of an int, which computes for minutes.
const (
	hugeExtent  = 1 << 28
	hugeOperand = 1 << 20
)

// extentOf is the number of elements that v asks for as an argument: a tuple of ints is a shape, a list has
// the elements of several calls.
func (m *machine) extentOf(v value, depth int) float64 {
	switch v.kind() {
	case kInt:
		return math.Abs(float64(v.int()))
	case kBigInt:
		return math.Inf(1)
	case kTuple, kList:
		if depth == 2 {
			return 1
		}
		product, most := 1.0, 0.0
		vs, _ := m.elements(v)
		for _, item := range vs {
			n := m.extentOf(item, depth+1)
			product, most = product*n, max(most, n)
		}
		if v.kind() == kList {
			return most
		}
		return product
	}
	return 1
}

// endless tells whether v is an iterator or range of more elements than memory holds.
func (m *machine) endless(v value) bool { return m.endlessAt(v, 0) }

func (m *machine) endlessAt(v value, depth int) bool {
	if v.kind() != kCall || depth > maxHops {
		return false
	}
	c := &m.calls[v.index()]
	g := m.asGlobal(c.callee)
	if g == nil || g.entry.uses&lazy == 0 {
		return false
	}
	vs, _ := m.elements(c.args)
	switch g.name {
	case "iter", "map", "filter":
		return slices.ContainsFunc(vs[:min(len(vs), maxHops)], func(v value) bool { return m.endlessAt(v, depth+1) })
	case "range", "xrange":
		most := 0.0
		for _, item := range vs {
			most = max(most, m.extentOf(item, 1))
		}
		return most > hugeExtent
	case "repeat":
		return len(vs) < 2 && c.extra.kind() != kDict || len(vs) == 2 && m.extentOf(vs[1], 1) > hugeExtent
	}
	return true
}

// grows tells whether a call of an allowed name makes something huge out of little: a constructor that is
// given a size, or one that reads an endless iterator to its end.
func (m *machine) grows(g *global, args value) bool {
	if g.entry.uses&sized != 0 && m.extentOf(args, 0) > hugeExtent {
		return true
	}
	if !m.iterators || g.entry.uses&lazy != 0 {
		return false
	}
	vs, _ := m.elements(args)
	return slices.ContainsFunc(vs, m.endless)
}

// accuseGrowth reports a call that grows.
func (m *machine) accuseGrowth(id int, name string) {
	m.accuse(rule.PickleExpansion, m.calls[id].off, name, fmt.Sprintf("would make something huge on load: %s", m.renderCall(id)))
}

// growsBy is grows for a method of plain data: 'x'.ljust(n), 'x'.__mul__(n), n.__pow__(m).
func (m *machine) growsBy(object value, args []value) bool {
	limit := float64(hugeExtent)
	if object.kind() == kInt || object.kind() == kBigInt {
		limit = hugeOperand
	}
	for _, v := range args {
		if n := m.extentOf(v, 1); n > limit || m.endless(v) {
			return true
		}
	}
	return false
}
