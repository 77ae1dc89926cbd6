//go:build linux && !cgo

package sandbox

// loadFilter puts the policy on every thread of this process.
func loadFilter(c *Confinement, policy []entry) error {
	program, err := compileBPF(policy)
	if err != nil {
		return err
	}
	if err := loadBPF(program); err != nil {
		return err
	}
	c.Backend, c.Entries = "go-seccomp-bpf", len(policy)
	return nil
}
