//go:build linux && cgo

package sandbox

import (
	"fmt"

	"github.com/secure-torch/secure-torch/sandbox/libseccomp"
	"github.com/secure-torch/secure-torch/sandbox/policy"
)

// loadFilter puts the policy on every thread of this process.
func loadFilter(c *Confinement, entries []policy.Entry) error {
	filter, err := libseccomp.Compile(entries)
	if err != nil {
		return err
	}
	defer filter.Release()
	if err := filter.Load(); err != nil {
		return fmt.Errorf("load the filter: %w", err)
	}
	c.Backend, c.Entries = libseccomp.Version(), policy.Calls(entries)
	return nil
}
