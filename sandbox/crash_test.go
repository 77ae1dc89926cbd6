//go:build linux

package sandbox

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/secure-torch/secure-torch/internal/modeltest/race"
)

// crash does what a worker must never do.
func crash(job Job) error {
	switch job.Kind {
	case "spin":
		for {
		}
	case "exec":
		return unix.Exec("/bin/echo", []string{"echo", "pwned"}, nil)
	case "segv":
		return unix.Kill(unix.Getpid(), unix.SIGSEGV)
	case "nil":
		var p *int
		*p = 1
	case "panic":
		panic("as asked")
	case "exit":
		os.Exit(0)
	case "memory":
		var all [][]byte
		for {
			b := make([]byte, 32<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			all = append(all, b)
		}
	case "recursion":
		return errors.New(recurse(1))
	case "hangup":
		unix.Close(3)
		for {
		}
	}
	return errors.New("unknown kind " + job.Kind)
}

func recurse(n int) string { return strings.Repeat("x", n%2) + recurse(n+1) + "y" }

func TestEveryDeathIsAFailure(t *testing.T) {
	for kind, want := range map[string]FailureKind{
		"spin": TimedOut, "exec": Forbidden, "segv": Forbidden, "nil": Died, "panic": Died, "exit": Died,
		"memory": NoMemory, "recursion": NoMemory, "hangup": Garbled,
	} {
		t.Run(kind, func(t *testing.T) {
			if kind == "memory" && race.Enabled {
				t.Skip("the race detector dies of its own first")
			}
			w := start(t, Spec{})
			deadline := time.Minute
			if want == TimedOut {
				deadline = 100 * time.Millisecond
			}
			got, err := answers(t, w, Request{Kind: kind, Items: []Item{{Deadline: deadline}}})
			var f *Failure
			if !errors.As(err, &f) || f.Kind != want || len(got) != 0 {
				t.Fatalf("answers %q, error %v; want %q", got, err, want)
			}
			t.Log(f)
		})
	}
}
