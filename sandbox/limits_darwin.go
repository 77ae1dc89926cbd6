package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// setLimits bounds what a worker may use: here it is all there is beside the process itself.
func setLimits() error {
	for _, l := range []struct {
		name     string
		resource int
		value    uint64
	}{
		{"data", unix.RLIMIT_DATA, dataLimit},
		{"cpu", unix.RLIMIT_CPU, cpuLimit},
		{"files", unix.RLIMIT_NOFILE, fileLimit},
		{"file size", unix.RLIMIT_FSIZE, 0},
		{"core", unix.RLIMIT_CORE, 0},
	} {
		var now unix.Rlimit
		if err := unix.Getrlimit(l.resource, &now); err != nil {
			return fmt.Errorf("limit on %s: %w", l.name, err)
		}
		value := min(l.value, now.Max)
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: value, Max: value}); err != nil {
			return fmt.Errorf("limit on %s: %w", l.name, err)
		}
	}
	return nil
}
