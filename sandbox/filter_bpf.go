//go:build linux && !cgo

package sandbox

import (
	"github.com/secure-torch/secure-torch/sandbox/bpf"
	"github.com/secure-torch/secure-torch/sandbox/policy"
)

// loadFilter puts the policy on every thread of this process.
func loadFilter(c *Confinement, entries []policy.Entry) error {
	program, err := bpf.Compile(entries)
	if err != nil {
		return err
	}
	if err := bpf.Load(program); err != nil {
		return err
	}
	c.Backend, c.Entries = "go-seccomp-bpf", policy.Calls(entries)
	return nil
}
