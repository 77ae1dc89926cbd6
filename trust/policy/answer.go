package policy

import (
	"bytes"
	"context"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Answer evaluates the question's policies, or runs their tests.
func (e Engine) Answer(ctx context.Context, q *evidence.PolicyQuestion) *evidence.PolicyAnswer {
	if q.Test {
		tests, err := e.Test(ctx, q)
		if err != nil {
			return &evidence.PolicyAnswer{Error: explain(err)}
		}
		return &evidence.PolicyAnswer{Tests: tests}
	}
	p, err := e.Compile(ctx, q)
	if err != nil {
		return &evidence.PolicyAnswer{Error: explain(err)}
	}
	a := &evidence.PolicyAnswer{}
	for _, raw := range q.Inputs {
		input, err := ast.ValueFromReader(bytes.NewReader(raw))
		if err != nil {
			a.Decisions = append(a.Decisions, evidence.Decision{Error: explain(err)})
			continue
		}
		a.Decisions = append(a.Decisions, p.Decide(ctx, input))
	}
	return a
}

// explain bounds an error of the engine, which may be many at once.
func explain(err error) string {
	const most = 3000
	text := strings.TrimSpace(err.Error())
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "\ufffd")
}
