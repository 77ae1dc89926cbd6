//go:build !wasip1 && !scanworker

package worker

import (
	"context"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/sandbox"
	judge "github.com/secure-torch/secure-torch/trust"
)

// TrustFunc answers one request of the trust role. kind is the name it is registered under, payload
// what the parent sent: at most sandbox.MaxPayload bytes, of which everything that does not come from
// this program is hostile. The answer is JSON, which the parent takes for hostile too; an error travels
// to it as text. A panic ends the worker.
//
// It runs confined: it can open no file, reach no network and start no program. What it needs (roots,
// the policy's data, the time of verification) comes in the payload. ctx is never cancelled: the parent
// kills the process.
type TrustFunc func(ctx context.Context, kind string, payload []byte) ([]byte, error)

// trustKinds are the kinds of request that the trust role answers. This is the one place where they
// are registered.
func trustKinds() map[string]TrustFunc {
	answer := judge.Judge{Used: sandbox.CPUTime}.Answer
	return map[string]TrustFunc{evidence.AskSignature: answer, evidence.AskSBOM: answer, evidence.AskPolicy: answer}
}

// roles of this program's workers.
func roles() sandbox.Roles {
	return sandbox.Roles{sandbox.Scan: newHandler(), sandbox.Trust: trust(trustKinds())}
}

// trust makes the handler of the trust role. It knows none of the scan role's kinds.
func trust(kinds map[string]TrustFunc) sandbox.Handler {
	return func(job sandbox.Job, out io.Writer) error {
		do, ok := kinds[job.Kind]
		if !ok {
			return fmt.Errorf("unknown kind of trust request %q", job.Kind)
		}
		payload, err := job.Payload()
		if err != nil {
			return err
		}
		answer, err := do(context.Background(), job.Kind, payload)
		if err != nil {
			return err
		}
		_, err = out.Write(answer)
		return err
	}
}
