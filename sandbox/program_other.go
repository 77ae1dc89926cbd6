//go:build !linux

package sandbox

import (
	"context"
	"errors"
	"os"
	"runtime"
)

// RunProgram has no filter to put around a program here, and refuses.
func RunProgram(context.Context, Program) (ProgramReport, error) {
	return ProgramReport{Version: 1, Grade: GradeOff.String(), Layers: []string{}}, &UnavailableError{
		Mode: Strict, Missing: map[string]string{LayerSeccomp: "not supported on " + runtime.GOOS},
	}
}

// NewOutput is of no use here.
func NewOutput() (*os.File, error) { return nil, errors.ErrUnsupported }

// DefaultProfile is empty: there is no filter.
func DefaultProfile() []byte { return nil }

// becomeProgram never is asked for.
func becomeProgram(string) error { return errNotByHand }
