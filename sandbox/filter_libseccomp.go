//go:build linux && cgo

package sandbox

import (
	"errors"
	"fmt"

	libseccomp "github.com/seccomp/libseccomp-golang"
)

// loadFilter puts the policy on every thread of this process.
func loadFilter(c *Confinement, policy []entry) error {
	// TSYNC came with level 2, KILL_PROCESS with level 3. The binding goes on silently without.
	level, err := libseccomp.GetAPI()
	if err != nil {
		return err
	}
	if level < 3 {
		return fmt.Errorf("the kernel's seccomp is at level %d of the library, 3 is needed", level)
	}
	filter, err := compileFilter(policy)
	if err != nil {
		return err
	}
	defer filter.Release()
	if err := filter.Load(); err != nil {
		return fmt.Errorf("load the filter: %w", err)
	}
	major, minor, micro := libseccomp.GetLibraryVersion()
	c.Backend, c.Entries = fmt.Sprintf("libseccomp %d.%d.%d", major, minor, micro), len(policy)
	return nil
}

func compileFilter(policy []entry) (*libseccomp.ScmpFilter, error) {
	filter, err := libseccomp.NewFilter(libseccomp.ActKillProcess)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		filter.SetBadArchAction(libseccomp.ActKillProcess), // the default kills one thread, and Go hangs
		filter.SetNoNewPrivsBit(true),
	)
	for _, e := range policy {
		err = errors.Join(err, addRule(filter, e))
	}
	if err != nil {
		filter.Release()
		return nil, err
	}
	return filter, nil
}

func addRule(filter *libseccomp.ScmpFilter, e entry) error {
	call, err := libseccomp.GetSyscallFromName(e.name)
	if err != nil {
		return fmt.Errorf("system call %s: %w", e.name, err)
	}
	action := libseccomp.ActAllow
	if e.errno != 0 {
		action = libseccomp.ActErrno.SetReturnCode(int16(e.errno))
	}
	if len(e.when) == 0 {
		return filter.AddRuleExact(call, action)
	}
	conditions := make([]libseccomp.ScmpCondition, 0, len(e.when))
	for _, w := range e.when {
		made, err := libseccomp.MakeCondition(w.arg, libseccomp.CompareMaskedEqual, w.mask, w.value)
		if err != nil {
			return fmt.Errorf("system call %s: %w", e.name, err)
		}
		conditions = append(conditions, made)
	}
	if err := filter.AddRuleConditionalExact(call, action, conditions); err != nil {
		return fmt.Errorf("system call %s: %w", e.name, err)
	}
	return nil
}
