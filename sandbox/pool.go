package sandbox

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// Pool keeps workers ready. A worker that has seen something suspicious never comes back into it.
type Pool struct {
	queue queue
	spec  Spec
	ahead int // workers started before anybody asks
	items int // that one worker answers in its life

	ctx  context.Context // ends at Close
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	idle     []*Worker
	starting int
	started  chan startResult // what the background starts came to
}

type startResult struct {
	w   *Worker
	err error
}

// Recycling of workers: whatever one scan may have left behind in a process ends with the process.
const (
	defaultItems = 64
	maxResident  = 192 << 20 // bytes
	maxAhead     = 64
)

// NewPool returns a pool that keeps the given number of workers started ahead of demand. It starts
// the first ones at once.
func NewPool(spec Spec, ahead int) *Pool {
	p := &Pool{spec: spec, ahead: min(ahead, maxAhead), items: defaultItems, started: make(chan startResult, maxAhead)}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.refill()
	return p
}

// Ready waits until one of the workers that the pool starts by itself is there, and keeps it for whoever asks first.
func (p *Pool) Ready(ctx context.Context) error {
	p.mu.Lock()
	if p.starting == 0 {
		p.mu.Unlock()
		return nil
	}
	p.starting-- // nobody else gets it
	p.mu.Unlock()
	var r startResult
	select {
	case r = <-p.started:
	case <-ctx.Done():
		p.mu.Lock()
		p.starting++ // it is still coming
		p.mu.Unlock()
		return context.Cause(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.err == nil {
		p.idle = append(p.idle, r.w)
	}
	return r.err
}

// Tune changes the number of workers kept ready, and the items that one worker answers in its life;
// 0 leaves it at the default.
func (p *Pool) Tune(ahead, items int) {
	p.mu.Lock()
	p.ahead, p.items = min(ahead, maxAhead), cmp.Or(items, defaultItems)
	p.mu.Unlock()
	p.refill()
}

// Limit bounds the workers in use at the same time, and so makes Get wait, by the priority of its context:
// see WithPriority. One more may be in use by Interactive requests. 0 stands for no limit.
func (p *Pool) Limit(n int) { p.queue.resize(n) }

// Get returns a worker that nobody else uses. It ends in Put or Discard. owner says whose bytes the worker is going to
// see: one that has seen somebody else's is ended, so that what took it over can lie about no other owner's.
func (p *Pool) Get(ctx context.Context, owner string) (*Worker, error) {
	if err := p.queue.take(ctx); err != nil {
		return nil, err
	}
	w, err := p.get(ctx, owner)
	if err != nil {
		p.queue.give()
		return nil, err
	}
	w.owner = owner
	return w, nil
}

// Nobody is an owner that no other request has.
const Nobody = "\x00"

func (p *Pool) get(ctx context.Context, owner string) (*Worker, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed
	}
	if w := p.fit(owner); w != nil {
		p.mu.Unlock()
		return w, nil
	}
	if n := len(p.idle); n > 0 { // somebody else's: its place is for another one
		stranger := p.idle[0]
		p.idle = p.idle[1:]
		p.mu.Unlock()
		p.end(stranger)
		p.mu.Lock()
	}
	waiting := p.starting > 0
	if waiting {
		p.starting--
	}
	p.mu.Unlock()
	if !waiting {
		return Start(ctx, p.spec)
	}
	select {
	case r := <-p.started:
		p.refill()
		return r.w, r.err
	case <-ctx.Done():
		p.mu.Lock()
		p.starting++ // it is still coming
		p.mu.Unlock()
		return nil, context.Cause(ctx)
	}
}

// fit takes the idle worker that was used last and that may see the owner's bytes; nil for none.
func (p *Pool) fit(owner string) *Worker {
	for i, w := range slices.Backward(p.idle) {
		if w.done == 0 || w.owner == owner && owner != Nobody {
			p.idle = slices.Delete(p.idle, i, i+1)
			return w
		}
	}
	return nil
}

// Put gives a worker back. It is used again unless it has done its share.
func (p *Pool) Put(w *Worker) {
	defer p.queue.give()
	p.mu.Lock()
	items := p.items
	p.mu.Unlock()
	if w.done >= items || w.resident() > maxResident {
		p.end(w)
		return
	}
	p.mu.Lock()
	if !p.closed {
		p.idle = append(p.idle, w)
		w = nil
	}
	p.mu.Unlock()
	if w != nil {
		w.Close()
	}
}

// Discard ends a worker, and has another one started in its place.
func (p *Pool) Discard(w *Worker) {
	defer p.queue.give()
	p.end(w)
}

func (p *Pool) end(w *Worker) {
	w.kill(&Failure{Kind: Cancelled})
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		w.Close()
		return
	}
	p.wg.Go(w.Close)
	p.mu.Unlock()
	p.refill()
}

// refill starts workers in the background until enough are idle or on their way.
func (p *Pool) refill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed && len(p.idle)+p.starting < p.ahead {
		p.starting++
		p.wg.Go(func() {
			w, err := Start(p.ctx, p.spec)
			p.started <- startResult{w, err} // there is room for every start under way
		})
	}
}

// Close ends all workers that are not in use; those in use end when they are given back.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	p.stop()
	for _, w := range idle {
		w.Close()
	}
	p.wg.Wait()
	for {
		select {
		case r := <-p.started:
			if r.w != nil {
				r.w.Close()
			}
		default:
			return
		}
	}
}
