package policy

import (
	"cmp"
	"context"
	"time"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Engine evaluates policies. The zero Engine measures by the clock on the wall.
type Engine struct {
	// Used is the processor time that this process has used; ok is false where that can't be told. Nil is as if it
	// never could. A policy that is bounded by it is not denied because the machine has other things to do.
	Used func() (used time.Duration, ok bool)
}

// budget is the time that policies see, and how much of it an evaluation may take.
type budget struct {
	now  time.Time
	most time.Duration
	used func() (time.Duration, bool)
}

func (e Engine) budget(q *evidence.PolicyQuestion) budget {
	return budget{now: q.Now, most: cmp.Or(q.Timeout, Timeout), used: e.Used}
}

// look is how often the processor time is looked at.
const look = 5 * time.Millisecond

// begin starts to measure. The context it returns ends when the budget is used up. An evaluation waits for nothing, so
// that one which goes on uses its budget up, however slowly.
func (b budget) begin(ctx context.Context) (context.Context, context.CancelFunc) {
	if b.used == nil {
		return context.WithTimeout(ctx, b.most)
	}
	start, ok := b.used()
	if !ok {
		return context.WithTimeout(ctx, b.most)
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		tick := time.NewTicker(look)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if now, ok := b.used(); !ok || now-start > b.most {
					cancel()
					return
				}
			}
		}
	}()
	return ctx, cancel
}
