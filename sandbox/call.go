package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// MaxPayload bounds the bytes that one Call takes into a worker.
const MaxPayload = 96 << 20

// Call is a request whose input is one run of bytes, and whose answer is another.
type Call struct {
	Kind    string
	Payload []byte // at most MaxPayload
	// MaxResult bounds the answer, in bytes.
	MaxResult int
	// Deadline bounds the wall time; 0 stands for DefaultDeadline.
	Deadline time.Duration
}

// DefaultDeadline of a Call.
const DefaultDeadline = 30 * time.Second

// HandlerError is the error that a worker's handler returned: text of its making, untrusted.
type HandlerError struct{ Text string }

func (e *HandlerError) Error() string { return e.Text }

// Call has a worker answer one Call, and ends that worker: it answers nothing else, for its input may
// have taken it over. The answer is untrusted. Cancelling ctx kills the worker.
//
// The error is a *HandlerError, a *Failure (kind Forbidden is evidence, and to be reported as a
// finding), an *UnavailableError, or what ended ctx. A worker that died or ran out of memory is replaced
// once.
func (p *Pool) Call(ctx context.Context, c Call) (answer []byte, confined Confinement, err error) {
	if len(c.Payload) > MaxPayload {
		return nil, Confinement{}, fmt.Errorf("a payload of %d bytes is over %d", len(c.Payload), MaxPayload)
	}
	return p.Ask(ctx, c.Kind, Item{
		Deadline: c.Deadline, Files: []File{{Name: "payload", Size: int64(len(c.Payload)), R: bytes.NewReader(c.Payload)}},
	}, c.MaxResult)
}

// Ask is Call with files and parameters for the one item of a request, whatever they are.
func (p *Pool) Ask(ctx context.Context, kind string, item Item, maxResult int) (answer []byte, confined Confinement, err error) {
	item.Deadline = cmp.Or(item.Deadline, DefaultDeadline)
	req := Request{Kind: kind, MaxResult: maxResult, Items: []Item{item}}
	for range 2 {
		answer, confined, err = p.ask(ctx, req)
		if f, ok := errors.AsType[*Failure](err); !ok || !f.Retry() {
			break
		}
	}
	return answer, confined, err
}

func (p *Pool) ask(ctx context.Context, req Request) (answer []byte, confined Confinement, err error) {
	w, err := p.Get(ctx, Nobody)
	if err != nil {
		return nil, Confinement{}, err
	}
	defer p.Discard(w)
	runErr := w.Run(ctx, req, func(_ int, body []byte, handler error) bool {
		if answer = bytes.Clone(body); handler != nil {
			err = &HandlerError{handler.Error()}
		}
		return true
	})
	if runErr != nil {
		return nil, w.Confinement(), runErr
	}
	return answer, w.Confinement(), err
}

// Payload reads what came with a Call, on the worker's side.
func (j Job) Payload() ([]byte, error) {
	if len(j.Files) != 1 {
		return nil, fmt.Errorf("a %s request takes one payload, not %d", j.Kind, len(j.Files))
	}
	f := j.Files[0]
	if f.Size < 0 || f.Size > MaxPayload {
		return nil, fmt.Errorf("a payload of %d bytes is over %d", f.Size, MaxPayload)
	}
	payload := make([]byte, f.Size)
	if n, err := f.ReadAt(payload, 0); n < len(payload) {
		return nil, fmt.Errorf("payload: %d of %d bytes: %w", n, len(payload), err)
	}
	return payload, nil
}
