package worker

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/sandbox"
)

// ExampleTrustFunc is a kind that judges nothing: the shape of what is registered in trustKinds.
func ExampleTrustFunc() {
	var verify TrustFunc = func(_ context.Context, _ string, payload []byte) ([]byte, error) {
		if len(payload) == 0 {
			return nil, errors.New("no bundle")
		}
		return []byte(`{"verified":false}`), nil
	}
	_ = map[string]TrustFunc{"verify": verify} // as trustKinds returns it
	// Output:
}

func TestTrustAnswersWhatIsRegistered(t *testing.T) {
	handle := trust(map[string]TrustFunc{"echo": func(_ context.Context, kind string, payload []byte) ([]byte, error) {
		return append([]byte(kind+" "), payload...), nil
	}})
	job := sandbox.Job{Kind: "echo", Files: []sandbox.Input{{Size: 5, ReaderAt: strings.NewReader("hello")}}}
	var out bytes.Buffer
	if err := handle(job, &out); err != nil || out.String() != "echo hello" {
		t.Errorf("%q, %v", out.String(), err)
	}
	job.Kind = "scan"
	if err := handle(job, &out); err == nil {
		t.Error("the trust role scans")
	}
	job.Kind, job.Files[0].Size = "echo", sandbox.MaxPayload+1
	if err := handle(job, &out); err == nil {
		t.Error("a payload over its bound was read")
	}
	job.Files[0].Size = 6
	if err := handle(job, &out); err == nil {
		t.Error("a payload shorter than it says passed")
	}
}

// TestBothRolesAreProven: real workers of this program, in either role, try what they must not.
func TestBothRolesAreProven(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("seccomp is Linux's")
	}
	for _, role := range []sandbox.Role{sandbox.Scan, sandbox.Trust} {
		d := sandbox.Diagnose(t.Context(), sandbox.Spec{Role: role}, false)
		if !d.OK || len(d.Probes) < 8 {
			t.Errorf("%s: %+v", role, d)
		}
	}
}

// TestRolesHaveTheirOwnKinds: a worker of the trust role refuses to scan, one of the scan role to judge.
func TestRolesHaveTheirOwnKinds(t *testing.T) {
	for role, kinds := range map[sandbox.Role][]string{
		sandbox.Trust: {KindScan, KindIndex, KindInspect}, sandbox.Scan: {"verify", "sbom", "policy"},
	} {
		pool := sandbox.NewPool(sandbox.Spec{Role: role}, 0)
		defer pool.Close()
		for _, kind := range kinds {
			_, _, err := pool.Call(t.Context(), sandbox.Call{Kind: kind, Payload: []byte("{}")})
			if refused, ok := errors.AsType[*sandbox.HandlerError](err); !ok || !strings.Contains(refused.Text, "unknown kind") {
				t.Errorf("%s asked to %s: %v", role, kind, err)
			}
		}
	}
}
