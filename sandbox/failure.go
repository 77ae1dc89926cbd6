package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// Failure says why a worker gave no answer.
type Failure struct {
	Kind   FailureKind
	Detail string // from the worker's standard error and exit status: untrusted text
}

// FailureKind of a Failure. The zero kind is Died.
type FailureKind uint8

// Kinds of Failure.
const (
	Died      FailureKind = iota // the process ended, or hung up
	Forbidden                    // killed by the filter: it made a call that is off the list
	TimedOut                     // killed by the parent: the deadline passed
	NoMemory                     // it ran into its memory limit, or its stack limit
	Garbled                      // it broke the protocol and was killed
	Cancelled                    // killed because nobody wants the answer any more
)

var failureNames = [...]string{"the worker died", "the worker made a forbidden system call", "the worker ran out of time",
	"the worker ran out of memory", "the worker broke the protocol", "cancelled"}

func (k FailureKind) String() string {
	if int(k) < len(failureNames) {
		return failureNames[k]
	}
	return failureNames[0]
}

func (f *Failure) Error() string {
	if f.Detail == "" {
		return f.Kind.String()
	}
	return f.Kind.String() + ": " + f.Detail
}

// Retry tells whether another worker may be given the same item once. One that was driven to a
// forbidden call may not: that is evidence.
func (f *Failure) Retry() bool { return f.Kind == Died || f.Kind == NoMemory }

func garbled(format string, args ...any) *Failure {
	return &Failure{Kind: Garbled, Detail: fmt.Sprintf(format, args...)}
}

func timedOut(after time.Duration) *Failure {
	return &Failure{Kind: TimedOut, Detail: "after " + after.String()}
}

// causeOfDeath reads the exit status and what the process said last.
func causeOfDeath(state *os.ProcessState, stderr string) *Failure {
	if state == nil {
		return &Failure{Kind: Died, Detail: "no exit status"}
	}
	said := lastWords(stderr)
	if name, forbidden := killedBy(state); name != "" {
		if forbidden {
			return &Failure{Kind: Forbidden, Detail: name}
		}
		return &Failure{Kind: Died, Detail: strings.TrimSpace("killed by " + name + " " + said)}
	}
	kind := Died
	if strings.Contains(said, "out of memory") || strings.Contains(said, "stack exceeds") || strings.Contains(said, "cannot allocate memory") {
		kind = NoMemory
	}
	if why, ok := strings.CutPrefix(said, "worker: "); ok { // it ended by itself, and says why
		return &Failure{Kind: kind, Detail: why}
	}
	return &Failure{Kind: kind, Detail: strings.TrimSpace(state.String() + " " + said)}
}

// lastWords is the line of a Go runtime's crash that names the cause.
func lastWords(stderr string) string {
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		for _, prefix := range []string{"fatal error:", "panic:", "runtime:", "worker:", "SIG"} {
			if strings.HasPrefix(line, prefix) {
				return line[:min(len(line), 200)]
			}
		}
	}
	return ""
}

// errClosed says that a worker or a pool is used after Close.
var errClosed = errors.New("the sandbox is closed")
