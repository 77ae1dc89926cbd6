package jsonstream

import (
	"context"
	"errors"
	"fmt"
)

// ErrShape is wrapped by every error that says a document has another structure than its reader expects.
var ErrShape = errors.New("not the structure of a model")

// Walker goes through a document. Whoever gets the first token of a value has to read the value to its end, with one of
// its methods.
type Walker struct {
	Ctx context.Context
	R   Reader
	// Twice, when set, is told of a key that an object has twice.
	Twice func(off int64, name string)
}

// maxKey is what is kept of a key, maxSeen how many keys of an object are remembered.
const (
	maxKey  = 200
	maxSeen = 1000
)

// Members calls f with every key of the object that t opens and the first token of its value.
func (w *Walker) Members(t Token, f func(name string, t Token) error) error {
	if t.Kind != OpenObject {
		return fmt.Errorf("no object at %#x: %w", t.Off, ErrShape)
	}
	seen := map[string]bool{}
	for {
		t, err := w.R.Next()
		if err != nil || t.Kind == CloseObject {
			return err
		}
		name := string(t.Text[:min(len(t.Text), maxKey)])
		if seen[name] && w.Twice != nil {
			w.Twice(t.Off, name)
		} else if len(seen) < maxSeen {
			seen[name] = true
		}
		if t, err = w.R.Next(); err == nil {
			err = f(name, t)
		}
		if err != nil {
			return err
		}
	}
}

// Items calls f with the first token of every item of the array that t opens.
func (w *Walker) Items(t Token, f func(i int, t Token) error) error {
	if t.Kind != OpenArray {
		return fmt.Errorf("no array at %#x: %w", t.Off, ErrShape)
	}
	for i := 0; ; i++ {
		t, err := w.R.Next()
		if err != nil || t.Kind == CloseArray {
			return err
		}
		if err = f(i, t); err != nil {
			return err
		}
	}
}

// Skip reads the value that t begins to its end.
func (w *Walker) Skip(t Token) error {
	for depth := 0; ; {
		switch t.Kind {
		case OpenObject, OpenArray:
			depth++
		case CloseObject, CloseArray:
			depth--
		}
		if depth == 0 {
			return nil
		}
		if err := w.Ctx.Err(); err != nil {
			return err
		}
		var err error
		if t, err = w.R.Next(); err != nil {
			return err
		}
	}
}
