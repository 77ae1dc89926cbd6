//go:build !linux

package sandbox

import "time"

// CPUTime is the processor time that this process has used; ok is false where the system does not tell, as it is not
// asked here.
func CPUTime() (used time.Duration, ok bool) { return 0, false }
