package sandbox

import (
	"errors"
	"fmt"
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
