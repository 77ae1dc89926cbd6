//go:build linux

package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// trustHandler does what a test asks of a worker in the trust role.
func trustHandler(job Job, out io.Writer) error {
	payload, err := job.Payload()
	if err != nil {
		return err
	}
	switch job.Kind {
	case "upper":
		_, err = out.Write(bytes.ToUpper(payload))
	case "open":
		_, err = os.ReadFile(string(payload))
	case "create":
		err = os.WriteFile(string(payload), []byte("x"), 0o600)
	case "connect":
		_, err = net.Dial("tcp", string(payload))
	case "exec":
		err = exec.Command(string(payload)).Run()
	case "panic":
		panic("as asked")
	case "spin":
		err = crash(job)
	default:
		return fmt.Errorf("unknown kind %q", job.Kind)
	}
	return err
}

func trustPool(t *testing.T, spec Spec) *Pool {
	t.Helper()
	spec.Role = Trust
	p := NewPool(spec, 0)
	t.Cleanup(p.Close)
	return p
}

func TestCall(t *testing.T) {
	p := trustPool(t, Spec{})
	big := bytes.Repeat([]byte("payload "), 3<<17) // 3 MiB: several reads, many frames
	answer, confined, err := p.Call(t.Context(), Call{Kind: "upper", Payload: big, MaxResult: len(big)})
	if err != nil || !bytes.Equal(answer, bytes.ToUpper(big)) {
		t.Errorf("%d bytes, %v", len(answer), err)
	}
	if confined.Role != Trust || confined.Grade() != GradeSeccompLandlock {
		t.Errorf("%+v", confined)
	}
	if _, _, err := p.Call(t.Context(), Call{Kind: "upper", Payload: big, MaxResult: len(big) - 1}); failureKind(err) != "the worker broke the protocol" {
		t.Errorf("an answer over its bound: %v", err)
	}
	if _, _, err := p.Call(t.Context(), Call{Kind: "upper", Payload: make([]byte, MaxPayload+1)}); err == nil {
		t.Error("a payload over its bound was sent")
	}
	if _, _, err := p.Call(t.Context(), Call{Kind: "upper"}); err != nil {
		t.Errorf("an empty payload: %v", err)
	}
}

func failureKind(err error) string {
	f, ok := errors.AsType[*Failure](err)
	if !ok {
		return ""
	}
	return f.Kind.String()
}

// TestTrustRoleIsConfined: what the code of the standard library does to open, connect or execute ends
// in an error or in the worker's death, while the same call outside works.
func TestTrustRoleIsConfined(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	here := t.TempDir()
	for kind, payload := range map[string]string{"open": "/etc/passwd", "create": here + "/new", "connect": listener.Addr().String(), "exec": "/bin/true"} {
		call := Call{Kind: kind, Payload: []byte(payload)}
		_, confined, err := trustPool(t, Spec{}).Call(t.Context(), call)
		_, refused := errors.AsType[*HandlerError](err)
		if !refused && failureKind(err) != Forbidden.String() {
			t.Errorf("%s: %v", kind, err)
		}
		if confined.Role != Trust {
			t.Errorf("%s: role %q", kind, confined.Role)
		}
		if _, _, err := trustPool(t, Spec{Mode: Off}).Call(t.Context(), call); err != nil {
			t.Errorf("control run of %s: %v", kind, err)
		}
	}
}

// TestRolesDoNotMix: a worker answers the kinds of its own role alone, and plays the role it was
// started in or none.
func TestRolesDoNotMix(t *testing.T) {
	scan := NewPool(Spec{}, 0)
	defer scan.Close()
	if _, _, err := scan.Call(t.Context(), Call{Kind: "upper"}); err == nil || !strings.Contains(err.Error(), "unknown kind") {
		t.Errorf("the scan role was asked to judge: %v", err)
	}
	if _, _, err := trustPool(t, Spec{}).Call(t.Context(), Call{Kind: "names"}); err == nil || !strings.Contains(err.Error(), "unknown kind") {
		t.Errorf("the trust role was asked to scan: %v", err)
	}
	if w, err := Start(t.Context(), Spec{Role: "other"}); err == nil {
		w.Close()
		t.Error("a worker plays a role that nobody has")
	}
	if w, err := Start(t.Context(), Spec{Role: Trust, Exe: impostor(t, "miscast")}); failureKind(err) != Garbled.String() {
		t.Errorf("a worker in another role than it was asked for: %v", err)
		w.Close()
	}
}

// TestWasmLeavesTrustAProcess: the module holds no trust role; the grade tells.
func TestWasmLeavesTrustAProcess(t *testing.T) {
	_, confined, err := trustPool(t, Spec{Mode: Wasm}).Call(t.Context(), Call{Kind: "upper"})
	if err != nil || confined.Grade() != GradeProcess {
		t.Errorf("%+v, %v", confined, err)
	}
}

func TestCallIsRetriedOnce(t *testing.T) {
	for kind, want := range map[string]int{"panic": 2, "exec": 1, "upper": 1} {
		exe := impostor(t, "count")
		_, _, err := trustPool(t, Spec{Exe: exe}).Call(t.Context(), Call{Kind: kind, Payload: []byte("/bin/true")})
		if (err == nil) != (kind == "upper") {
			t.Errorf("%s: %v", kind, err)
		}
		started, err := os.ReadFile(filepath.Join(filepath.Dir(exe), startsFile))
		if err != nil || len(started) != want {
			t.Errorf("%s: %d workers were started (%v), want %d", kind, len(started), err, want)
		}
	}
}

func TestCallEndsInTime(t *testing.T) {
	p := trustPool(t, Spec{})
	if _, _, err := p.Call(t.Context(), Call{Kind: "spin", Deadline: 50 * time.Millisecond}); failureKind(err) != TimedOut.String() {
		t.Errorf("a worker that never ends: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, _, err := p.Call(ctx, Call{Kind: "spin"}); failureKind(err) != Cancelled.String() && !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
