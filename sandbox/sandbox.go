// Package sandbox runs a function over untrusted bytes in a confined process of its own.
//
// The parent starts its own executable again as a worker, gives it open read-only descriptors and
// reads answers off a socket. The worker gives up, before it reads the first of those bytes, every
// right it does not need: to open files, to reach the network, to start programs. The package knows
// nothing of models: what is done with the bytes is a Handler, what comes back is opaque and hostile.
package sandbox

import (
	"errors"
	"fmt"
	"slices"
)

// Mode says what confinement is asked for. The zero Mode is Strict.
type Mode uint8

// Modes.
const (
	Strict  Mode = iota // seccomp or no scan; a missing Landlock is reported
	Auto                // the strongest this system has; what is missing is reported
	Wasm                // a process that runs the worker as a WebAssembly module
	Process             // a process with limits, and no filter
	Off                 // a process without any confinement
)

var modeNames = [...]string{"strict", "auto", "wasm", "process", "off"}

func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return modeNames[0]
}

// ParseMode reads what --sandbox takes. The empty string is Strict.
func ParseMode(s string) (Mode, error) {
	if i := slices.Index(modeNames[:], s); i >= 0 {
		return Mode(i), nil
	}
	if s == "" {
		return Strict, nil
	}
	return Strict, fmt.Errorf("unknown sandbox mode %q: one of strict, auto, wasm, process, off", s)
}

// Grade says what confinement is in force. The zero Grade is the weakest.
type Grade uint8

// Grades, weakest first.
const (
	GradeOff             Grade = iota // nothing is given up
	GradeProcess                      // a process of its own with resource limits
	GradeWasm                         // and code that can name nothing outside its own memory
	GradeSeccomp                      // a process with limits and a system call filter
	GradeSeccompLandlock              // and no file or network reachable by name
)

var gradeNames = [...]string{"off", "process", "wasm", "seccomp", "seccomp+landlock"}

func (g Grade) String() string {
	if int(g) < len(gradeNames) {
		return gradeNames[g]
	}
	return gradeNames[0]
}

// Layers of confinement, in the order in which a worker puts them on.
const (
	LayerDumpable   = "dumpable"   // PR_SET_DUMPABLE 0: no core, no ptrace by others of the user
	LayerRlimits    = "rlimits"    // memory, CPU, files, file size
	LayerNoNewPrivs = "nonewprivs" // no set-uid program can give rights back
	LayerLandlock   = "landlock"   // no path and no TCP port can be opened, no process outside signalled
	LayerSeccomp    = "seccomp"    // any system call off the list kills the process
	LayerWasm       = "wasm"       // machine code of a module that has no way to name a file, socket or process
)

// Confinement is what a worker says it has put on, before it has read anything untrusted.
type Confinement struct {
	Role    Role              `json:"role,omitempty"`
	Layers  []string          `json:"layers"`            // in force
	Missing map[string]string `json:"missing,omitempty"` // layer -> why not
	ABI     int               `json:"landlock_abi,omitempty"`
	Backend string            `json:"backend,omitempty"` // what made the filter: "libseccomp 2.5.4", "go-seccomp-bpf"
	Entries int               `json:"entries,omitempty"` // system calls in the filter
}

// Has tells whether a layer is in force.
func (c Confinement) Has(layer string) bool { return slices.Contains(c.Layers, layer) }

// lacking returns those of the layers that are not in force.
func lacking(c Confinement, layers ...string) map[string]string {
	layers = slices.DeleteFunc(slices.Clone(layers), c.Has)
	if len(layers) == 0 {
		return nil
	}
	missing := map[string]string{}
	for _, layer := range layers {
		missing[layer] = c.Missing[layer]
	}
	return missing
}

// Grade that the layers in force amount to.
func (c Confinement) Grade() Grade {
	base := c.Has(LayerRlimits) && c.Has(LayerDumpable)
	switch {
	case base && c.Has(LayerNoNewPrivs) && c.Has(LayerSeccomp) && c.Has(LayerLandlock):
		return GradeSeccompLandlock
	case base && c.Has(LayerNoNewPrivs) && c.Has(LayerSeccomp):
		return GradeSeccomp
	case c.Has(LayerWasm):
		return GradeWasm
	case c.Has(LayerRlimits):
		return GradeProcess
	}
	return GradeOff
}

// ErrNoProc is the reason why no worker of any mode can be started on a Linux without procfs.
var ErrNoProc = errors.New("/proc is needed to start a confined process")

// UnavailableError says that the confinement asked for cannot be had here.
type UnavailableError struct {
	Mode    Mode
	Missing map[string]string // layer that is needed -> why not
	Reached Confinement       // what was in force, and all that was not; zero where a worker did not live to say
}

func (e *UnavailableError) Error() string {
	text := fmt.Sprintf("the %s sandbox is not available here", e.Mode)
	for _, layer := range []string{LayerDumpable, LayerRlimits, LayerNoNewPrivs, LayerLandlock, LayerSeccomp} {
		if why, ok := e.Missing[layer]; ok {
			text += fmt.Sprintf("; %s: %s", layer, why)
		}
	}
	return text
}
