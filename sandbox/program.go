package sandbox

import (
	"fmt"
	"io"
	"os"
	"time"
)

// Program is a Python program that is run over hostile bytes in a confined interpreter.
//
// In it INPUT is a binary file over Input and OUTPUT an unbuffered one over Output. Everything it imports
// has to be in Imports: nothing can be opened any more when it starts.
type Program struct {
	Python string   // the interpreter: a path, or a name to look up on the PATH
	Source string   // the program's text; empty for the script that Args begins with
	Args   []string // sys.argv of the program
	// Imports are modules that are imported before the program starts, by the interpreter as it is
	// installed. Their code runs under the coarse filter alone: it has to be trusted.
	Imports []string
	// Paths are folders that are added at the end of sys.path.
	Paths []string
	// Input is sent when the kernel has confirmed the filter. It is open for reading only. May be nil.
	Input *os.File
	// Output is a memfd that can be sealed. When the program has ended nobody can change it any more.
	// Nil for none.
	Output *os.File
	// Profile in the OCI shape, see package profile; nil for the default.
	Profile []byte
	Limits  ProgramLimits
	Stdout  io.Writer // at most 1 MiB of each; nil for nowhere. Untrusted text
	Stderr  io.Writer
}

// ProgramLimits bound a Program. A zero stands for the default.
type ProgramLimits struct {
	Time   time.Duration // from start to end; 2 minutes
	Memory int64         // RLIMIT_DATA in bytes; 8 GiB
	Output int64         // bytes written to Output; 8 GiB
}

// ProgramOutcome says how a Program ended. The zero ProgramOutcome is Refused.
type ProgramOutcome uint8

// Outcomes of a Program.
const (
	ProgramRefused   ProgramOutcome = iota // it was not started: no sandbox, no interpreter, a module that can't be imported
	ProgramForbidden                       // the filter killed it
	ProgramTimedOut                        // the deadline passed, or the caller lost interest
	ProgramDied                            // another signal, lack of memory among them
	ProgramFailed                          // it ended by itself with an exit code that is not 0
	ProgramDone                            // it ended by itself with exit code 0
)

var outcomeNames = [...]string{"refused", "forbidden", "timeout", "died", "failed", "done"}

func (o ProgramOutcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return outcomeNames[0]
}

// MarshalText writes the name.
func (o ProgramOutcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// ProgramReport is what came of a Program.
type ProgramReport struct {
	Version     int               `json:"version"` // of this layout: docs/schema/program.json
	Outcome     ProgramOutcome    `json:"outcome"`
	ExitCode    int               `json:"exit_code"`
	Detail      string            `json:"detail,omitempty"` // untrusted text where the program had started
	Grade       string            `json:"grade"`
	Layers      []string          `json:"layers"`
	Missing     map[string]string `json:"missing,omitempty"`
	Threads     ThreadState       `json:"threads"` // on which the kernel confirmed the filter before the input was sent
	Profile     ProfileState      `json:"profile"`
	OutputBytes int64             `json:"output_bytes"`
	OutputCut   bool              `json:"output_limit_reached,omitempty"` // so that what the program wrote may be cut
	Duration    time.Duration     `json:"duration_ns"`
}

// ProfileState names the filter.
type ProfileState struct {
	Name   string   `json:"name"`
	SHA256 string   `json:"sha256"`
	Added  []string `json:"added,omitempty"` // calls beyond the default
}

// errRefused is a reason not to start.
type errRefused struct{ err error }

func (e errRefused) Error() string { return e.err.Error() }
func (e errRefused) Unwrap() error { return e.err }

func refused(format string, args ...any) error { return errRefused{fmt.Errorf(format, args...)} }
