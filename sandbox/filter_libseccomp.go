//go:build linux && cgo

package sandbox

import (
	"errors"
	"fmt"

	libseccomp "github.com/seccomp/libseccomp-golang"

	"github.com/secure-torch/secure-torch/sandbox/policy"
)

// loadFilter puts the policy on every thread of this process.
func loadFilter(c *Confinement, entries []policy.Entry) error {
	// TSYNC came with level 2, KILL_PROCESS with level 3. The binding goes on silently without.
	level, err := libseccomp.GetAPI()
	if err != nil {
		return err
	}
	if level < 3 {
		return fmt.Errorf("the kernel's seccomp is at level %d of the library, 3 is needed", level)
	}
	filter, err := compileFilter(entries)
	if err != nil {
		return err
	}
	defer filter.Release()
	if err := filter.Load(); err != nil {
		return fmt.Errorf("load the filter: %w", err)
	}
	major, minor, micro := libseccomp.GetLibraryVersion()
	c.Backend, c.Entries = fmt.Sprintf("libseccomp %d.%d.%d", major, minor, micro), policy.Calls(entries)
	return nil
}

func compileFilter(entries []policy.Entry) (*libseccomp.ScmpFilter, error) {
	filter, err := libseccomp.NewFilter(libseccomp.ActKillProcess)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		filter.SetBadArchAction(libseccomp.ActKillProcess), // the default kills one thread, and Go hangs
		filter.SetNoNewPrivsBit(true),
	)
	for _, e := range entries {
		err = errors.Join(err, addRule(filter, e))
	}
	if err != nil {
		filter.Release()
		return nil, err
	}
	return filter, nil
}

func addRule(filter *libseccomp.ScmpFilter, e policy.Entry) error {
	call, err := libseccomp.GetSyscallFromName(e.Name)
	if err != nil {
		return fmt.Errorf("system call %s: %w", e.Name, err)
	}
	action := libseccomp.ActAllow
	if e.Errno != 0 {
		action = libseccomp.ActErrno.SetReturnCode(int16(e.Errno))
	}
	if len(e.When) == 0 {
		return filter.AddRuleExact(call, action)
	}
	conditions := make([]libseccomp.ScmpCondition, 0, len(e.When))
	for _, w := range e.When {
		made, err := libseccomp.MakeCondition(w.Arg, libseccomp.CompareMaskedEqual, w.Mask, w.Value)
		if err != nil {
			return fmt.Errorf("system call %s: %w", e.Name, err)
		}
		conditions = append(conditions, made)
	}
	if err := filter.AddRuleConditionalExact(call, action, conditions); err != nil {
		return fmt.Errorf("system call %s: %w", e.Name, err)
	}
	return nil
}
