package sandbox

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// giveUpRights takes away what root may do beside what a user may, on every thread, but for the capabilities in keep (a bit
// for each), and any way to get rights back. The filter leaves little to use them for, but it does leave some: advice on
// memory, limits that do not hold for root.
func giveUpRights(keep uint64) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has [2]unix.CapUserData
	if err := unix.Capget(&header, &has[0]); err != nil {
		return fmt.Errorf("capabilities: %w", err)
	}
	want := has
	for i := range want {
		mask := uint32(keep >> (32 * i))
		want[i].Effective &= mask
		want[i].Permitted &= mask
		want[i].Inheritable = 0
	}
	if want == has {
		return nil
	}
	if err := threadsInReach(); err != nil {
		return err
	}
	// A thread has capabilities of its own, and the runtime has several threads.
	_, _, errno := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&want[0])), 0)
	if errno != 0 {
		return fmt.Errorf("give up capabilities: %w", errno)
	}
	if err := unix.Capget(&header, &has[0]); err != nil || has != want {
		return errors.Join(errors.New("capabilities were not given up"), err)
	}
	return nil
}

// threadsInReach tells whether a call can be made on every thread, as capabilities and Landlock ask for. The runtime, and
// psx in its place, do that by a signal to each, with a word in it that takes a place among the user's pending signals;
// where there is none they wait without an end.
func threadsInReach() error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	var pending, limit, threads uint64
	if _, err := fmt.Sscanf(statusField(status, "SigQ")+" "+statusField(status, "Threads"), "%d/%d %d", &pending, &limit, &threads); err != nil {
		return fmt.Errorf("/proc/self/status: pending signals: %w", err)
	}
	if pending+threads > limit {
		return fmt.Errorf("threads can't be signalled: %d signals of this user are pending, and no more than %d can be (ulimit -i)", pending, limit)
	}
	return nil
}
