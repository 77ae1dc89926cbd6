//go:build !linux && !darwin

package sandbox

import (
	"errors"
	"runtime"
)

func setLimits() error { return errors.New("not supported on " + runtime.GOOS) }
