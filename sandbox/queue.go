package sandbox

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// Priority says who waits for a worker. The zero Priority is Interactive: what nobody has put into a class is
// waited for by a person.
type Priority uint8

// Priorities, most urgent first.
const (
	Interactive Priority = iota // somebody looks at the file
	Watching                    // a file has changed
	Bulk                        // one of many
	priorities
)

type priorityKey struct{}

// WithPriority returns a context whose requests wait in the given class.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, min(p, Bulk))
}

// PriorityOf reads what WithPriority has set; ok is false if nobody has.
func PriorityOf(ctx context.Context) (p Priority, ok bool) {
	p, ok = ctx.Value(priorityKey{}).(Priority)
	return p, ok
}

// ErrBusy says that too many requests wait already.
var ErrBusy = errors.New("too many requests wait for a worker")

const (
	// maxWaiting bounds the requests that wait. Each holds an open file.
	maxWaiting = 256
	// patience is how often the urgent may be preferred before the one who has waited longest gets his turn.
	patience = 8
)

// queue hands out turns: at most limit at a time, and one more for the interactive, who never wait for
// a long scan that nobody looks at.
type queue struct {
	mu      sync.Mutex
	limit   int // 0 for no limit
	inUse   int
	waiting []*waiter // in the order in which they came
	jumped  int       // turns given to somebody who was not the first of them
}

type waiter struct {
	priority Priority
	turn     chan error // nil for a turn, ErrBusy for somebody more urgent
}

// take waits for a turn. It ends in give.
func (q *queue) take(ctx context.Context) error {
	priority, _ := PriorityOf(ctx)
	q.mu.Lock()
	if q.free(priority) && !q.ahead(priority) {
		q.inUse++
		q.mu.Unlock()
		return nil
	}
	if len(q.waiting) >= maxWaiting && !q.yield(priority) {
		q.mu.Unlock()
		return ErrBusy
	}
	w := &waiter{priority, make(chan error, 1)}
	q.waiting = append(q.waiting, w)
	q.mu.Unlock()
	select {
	case err := <-w.turn:
		return err
	case <-ctx.Done():
		if !q.leave(w) && <-w.turn == nil { // it came at the same time
			q.give()
		}
		return context.Cause(ctx)
	}
}

// free tells whether there is a turn for somebody of this priority.
func (q *queue) free(p Priority) bool {
	return q.limit == 0 || q.inUse < q.limit || p == Interactive && q.inUse == q.limit
}

// ahead tells whether somebody waits who comes first.
func (q *queue) ahead(p Priority) bool {
	return slices.ContainsFunc(q.waiting, func(w *waiter) bool { return w.priority <= p })
}

// yield sends away the one who came last of the least urgent, if less urgent than p.
func (q *queue) yield(p Priority) bool {
	last := -1
	for i, w := range q.waiting {
		if w.priority > p && (last < 0 || w.priority >= q.waiting[last].priority) {
			last = i
		}
	}
	if last < 0 {
		return false
	}
	q.waiting[last].turn <- ErrBusy
	q.waiting = slices.Delete(q.waiting, last, last+1)
	return true
}

// leave takes a waiter off the queue; false if he has been answered already.
func (q *queue) leave(w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, w)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return true
}

// give returns a turn.
func (q *queue) give() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.inUse--
	q.serve()
}

// resize sets how many turns there are at a time.
func (q *queue) resize(limit int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limit = limit
	q.serve()
}

// serve gives turns to those who wait, as long as there are any.
func (q *queue) serve() {
	for len(q.waiting) > 0 {
		i := q.next()
		w := q.waiting[i]
		if !q.free(w.priority) {
			return
		}
		if i == 0 {
			q.jumped = 0
		} else {
			q.jumped++
		}
		q.inUse++
		q.waiting = slices.Delete(q.waiting, i, i+1)
		w.turn <- nil
	}
}

// next is who comes next: the most urgent, and among them who came first; but whoever has waited longest
// when he was passed over often enough.
func (q *queue) next() int {
	if q.jumped >= patience && q.free(q.waiting[0].priority) {
		return 0
	}
	best := 0
	for i, w := range q.waiting {
		if w.priority < q.waiting[best].priority {
			best = i
		}
	}
	return best
}
