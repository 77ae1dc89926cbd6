// Package provenance finds out who made a model and whether it may come in: it gathers what lies beside the files,
// hashes them, and has the trust worker judge the rest. It parses nothing itself.
package provenance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/sandbox"
)

// Asker has a question answered by a worker that sees nothing else.
type Asker interface {
	// Call has the meaning of (*sandbox.Pool).Call.
	Call(context.Context, sandbox.Call) ([]byte, sandbox.Confinement, error)
}

// NewAsker starts nothing yet: a trust worker is started for each question.
func NewAsker(mode sandbox.Mode, exe string) *sandbox.Pool {
	return sandbox.NewPool(sandbox.Spec{Mode: mode, Exe: exe, Role: sandbox.Trust}, 0)
}

// ask encodes a question, and decodes what a worker that its content may have taken over answers: strictly.
func ask[A any](ctx context.Context, to Asker, kind string, question any, maxAnswer int) (*A, error) {
	payload, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	body, _, err := to.Call(ctx, sandbox.Call{Kind: kind, Payload: payload, MaxResult: maxAnswer})
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	answer := new(A)
	if err := dec.Decode(answer); err != nil {
		return nil, fmt.Errorf("the trust worker's answer: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("the trust worker's answer: something follows it")
	}
	return answer, nil
}
