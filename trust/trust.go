// Package trust judges evidence about a model: signatures, bills of materials, policies. It is the main of the trust
// worker, and like it does no IO: everything comes in with a question, and an answer of plain values goes out. What it
// is given is hostile but for the user's keys, roots and policies.
package trust

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/trust/policy"
	"github.com/secure-torch/secure-torch/trust/sbom"
)

// Judge answers the questions of evidence's kinds. The zero Judge measures policies by the clock on the wall.
type Judge struct {
	// Used is the processor time that this process has used; nil where that can't be told.
	Used func() (time.Duration, bool)
}

// Answer answers one question.
func (j Judge) Answer(ctx context.Context, kind string, payload []byte) ([]byte, error) {
	switch kind {
	case evidence.AskSignature:
		return answer(payload, Signature)
	case evidence.AskSBOM:
		return answer(payload, sbom.Read)
	case evidence.AskPolicy:
		return answer(payload, func(q *evidence.PolicyQuestion) *evidence.PolicyAnswer {
			return policy.Engine{Used: j.Used}.Answer(ctx, q)
		})
	}
	return nil, fmt.Errorf("unknown kind of question %q", kind)
}

// answer decodes a question, which comes from the parent, and encodes what is answered.
func answer[Q, A any](payload []byte, do func(*Q) *A) ([]byte, error) {
	var question Q
	if err := json.Unmarshal(payload, &question); err != nil {
		return nil, err
	}
	return json.Marshal(do(&question))
}
