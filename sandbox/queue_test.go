package sandbox

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// waits has somebody wait for a turn, and returns when he does.
func waits(t *testing.T, q *queue, p Priority, name string, served *[]string, mu *sync.Mutex, done *sync.WaitGroup) context.CancelCauseFunc {
	t.Helper()
	ctx, cancel := context.WithCancelCause(WithPriority(t.Context(), p))
	before := q.length()
	done.Go(func() {
		err := q.take(ctx)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			name += ": " + err.Error()
		}
		*served = append(*served, name)
		if err == nil {
			go q.give()
		}
	})
	for q.length() == before && !q.idle() {
		runtime.Gosched() // until he stands in the queue
	}
	return cancel
}

func (q *queue) length() int { q.mu.Lock(); defer q.mu.Unlock(); return len(q.waiting) }

func (q *queue) idle() bool { q.mu.Lock(); defer q.mu.Unlock(); return q.inUse == 0 }

func TestUrgentComesFirst(t *testing.T) {
	q := &queue{limit: 1}
	var served []string
	var mu sync.Mutex
	var done sync.WaitGroup
	for range 2 { // the turn there is, and the one kept for the interactive
		if err := q.take(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	waits(t, q, Bulk, "bulk", &served, &mu, &done)
	waits(t, q, Watching, "watching", &served, &mu, &done)
	waits(t, q, Interactive, "first", &served, &mu, &done)
	waits(t, q, Interactive, "second", &served, &mu, &done)
	leaves := waits(t, q, Interactive, "leaves", &served, &mu, &done)
	leaves(errors.New("gone"))
	for q.length() == 5 {
		runtime.Gosched() // until he has left
	}
	q.give()
	q.give()
	done.Wait()
	if got := strings.Join(served, " "); !strings.Contains(got, "leaves: gone") || slices.Index(served, "first") > slices.Index(served, "watching") ||
		slices.Index(served, "watching") > slices.Index(served, "bulk") || len(served) != 5 {
		t.Errorf("%q", served)
	}
}

// TestNobodyStarves: who was passed over often enough gets his turn among any number of urgent ones.
func TestNobodyStarves(t *testing.T) {
	q := &queue{limit: 1, inUse: 1}
	bulk := &waiter{Bulk, make(chan error, 1)}
	q.waiting = append(q.waiting, bulk)
	for n := 0; ; n++ {
		if n > 3*patience {
			t.Fatal("passed over for ever")
		}
		q.waiting = append(q.waiting, &waiter{Interactive, make(chan error, 1)})
		q.give()
		select {
		case <-bulk.turn:
			return
		default:
		}
		q.inUse = 1 // the interactive one is done, another bulk scan is not
	}
}

// TestInteractiveHasATurnOfItsOwn: while scans that nobody looks at have every worker, an open file does not wait.
func TestInteractiveHasATurnOfItsOwn(t *testing.T) {
	q := &queue{limit: 2}
	bulk := WithPriority(t.Context(), Bulk)
	for range 2 {
		if err := q.take(bulk); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.take(t.Context()); err != nil { // would wait for ever
		t.Fatal(err)
	}
	if q.inUse != 3 {
		t.Errorf("%d in use", q.inUse)
	}
}

// TestQueueIsBounded: whoever comes to a full queue is sent away, or the least urgent in his place.
func TestQueueIsBounded(t *testing.T) {
	q := &queue{limit: 1, inUse: 2}
	for range maxWaiting {
		q.waiting = append(q.waiting, &waiter{Bulk, make(chan error, 1)})
	}
	if err := q.take(WithPriority(t.Context(), Bulk)); !errors.Is(err, ErrBusy) {
		t.Errorf("a full queue takes one more: %v", err)
	}
	last := q.waiting[maxWaiting-1]
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- q.take(ctx) }()
	if err := <-last.turn; !errors.Is(err, ErrBusy) {
		t.Errorf("nobody gave way: %v", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if len(q.waiting) != maxWaiting-1 {
		t.Errorf("%d wait", len(q.waiting))
	}
}

// TestTurnsAddUp: however many come, leave and are cancelled, no turn is lost and none is made.
func TestTurnsAddUp(t *testing.T) {
	q := &queue{limit: 3}
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(WithPriority(t.Context(), Priority(i%3)))
			defer cancel()
			if i%5 == 0 {
				go cancel()
			}
			if q.take(ctx) == nil {
				q.mu.Lock()
				over := q.inUse > q.limit+1
				q.mu.Unlock()
				if over {
					t.Error("more turns than there are")
				}
				q.give()
			}
		})
	}
	all.Wait()
	if q.inUse != 0 || len(q.waiting) != 0 {
		t.Errorf("%d in use, %d wait", q.inUse, len(q.waiting))
	}
}
