// Package treewalk follows a decision tree from its root as a prediction would, for the formats whose libraries do so
// without looking where they step.
package treewalk

import (
	"fmt"
	"math"
)

// None stands for a child that is not there: the node is a leaf, or the child is one that has no number here.
const None = math.MinInt64

// Walker keeps its memory from one tree to the next. The zero Walker is ready.
type Walker struct {
	seen []bool
	todo []int64
}

// Walk goes from node 0 to every node that can be reached. The error says which step leads outside of the nodes there
// are, or to a node that was met before: a loop, or a knot, which no training makes.
func (w *Walker) Walk(nodes int64, children func(node int64) (left, right int64)) error {
	if nodes < 1 {
		return nil
	}
	w.seen = append(w.seen[:0], make([]bool, nodes)...)
	w.todo = append(w.todo[:0], 0)
	w.seen[0] = true
	for len(w.todo) > 0 {
		n := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		left, right := children(n)
		for _, child := range [...]int64{left, right} {
			switch {
			case child == None:
				continue
			case child < 0 || child >= nodes:
				return fmt.Errorf("a child of node %d is node %d of %d", n, child, nodes)
			case w.seen[child]:
				return fmt.Errorf("node %d is met twice on the way from the root: a prediction need not end", child)
			}
			w.seen[child] = true
			w.todo = append(w.todo, child)
		}
	}
	return nil
}
