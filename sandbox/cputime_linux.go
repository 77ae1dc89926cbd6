package sandbox

import (
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime is the processor time that this process has used, all of its threads together; ok is false where the system
// does not tell. A confined worker may ask for it too.
func CPUTime() (used time.Duration, ok bool) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		return 0, false
	}
	return time.Duration(ts.Nano()), true
}
