package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	llsys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"github.com/secure-torch/secure-torch/sandbox/policy"
)

// step puts on one layer of confinement.
type step struct {
	layer string
	put   func(*Confinement) error
}

// steps in the order they must be taken: the filter comes last, for it forbids the others.
func steps(mode Mode, filter []policy.Entry) []step {
	process := []step{
		{LayerDumpable, func(*Confinement) error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }},
		{LayerRlimits, func(*Confinement) error { return setLimits() }},
	}
	switch mode {
	case Off:
		return nil
	case Process, Wasm: // Wasm is confined from outside: a worker that gets here is none
		return process
	}
	return append(process,
		step{LayerNoNewPrivs, func(*Confinement) error { return giveUpRights(0) }},
		step{LayerLandlock, restrictPaths},
		step{LayerSeccomp, func(c *Confinement) error { return loadFilter(c, filter) }},
	)
}

// confine puts on every layer that mode asks for, and says which could not be had. Judging that is
// the parent's business.
func confine(mode Mode) Confinement { return confineBy(mode, policy.Worker()) }

func confineBy(mode Mode, filter []policy.Entry) Confinement {
	c := Confinement{Layers: []string{}, Missing: map[string]string{}}
	for _, s := range steps(mode, filter) {
		if err := s.put(&c); err != nil {
			c.Missing[s.layer] = err.Error()
		} else {
			c.Layers = append(c.Layers, s.layer)
		}
	}
	return c
}

func setLimits() error {
	space, err := addressSpace()
	if err != nil {
		return fmt.Errorf("limit on address space: %w", err)
	}
	for _, l := range []struct {
		name     string
		resource int
		value    uint64
	}{
		{"data", unix.RLIMIT_DATA, dataLimit},
		{"address space", unix.RLIMIT_AS, space},
		{"cpu", unix.RLIMIT_CPU, cpuLimit},
		{"files", unix.RLIMIT_NOFILE, fileLimit},
		{"file size", unix.RLIMIT_FSIZE, 0},
		{"core", unix.RLIMIT_CORE, 0},
	} {
		if err := lowerLimit(l.resource, l.value); err != nil {
			return fmt.Errorf("limit on %s: %w", l.name, err)
		}
	}
	return nil
}

// spareSpace is address space beyond what is taken at the start. Go reserves more than it uses, so that this is no limit
// on memory; without any, page tables for terabytes that are only read would not count as anything.
const spareSpace = 64 << 30

func addressSpace() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var pages uint64
	if _, err := fmt.Sscan(string(text), &pages); err != nil {
		return 0, err
	}
	return pages*uint64(os.Getpagesize()) + spareSpace, nil
}

// lowerLimit never raises a limit that is lower already, which only root may.
func lowerLimit(resource int, value uint64) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(resource, &now); err != nil {
		return err
	}
	value = min(value, now.Max)
	return unix.Setrlimit(resource, &unix.Rlimit{Cur: value, Max: value})
}

// restrictPaths denies every path, TCP port, abstract socket and signal to the outside that this
// kernel's Landlock can deny. The ABI is asked for first: the library's best effort would be silent
// about a kernel without Landlock.
func restrictPaths(c *Confinement) error {
	return restrict(c)
}

// restrict has Landlock deny all but what the rules allow.
func restrict(c *Confinement, rules ...landlock.Rule) error {
	abi, err := llsys.LandlockGetABIVersion()
	switch {
	case errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EOPNOTSUPP):
		return fmt.Errorf("this kernel has no Landlock, or it is not enabled: %w", err)
	case err != nil:
		return fmt.Errorf("refused here: landlock_create_ruleset: %w", err)
	case abi < 1:
		return fmt.Errorf("this kernel has no Landlock (ABI %d)", abi)
	}
	if err := threadsInReach(); err != nil {
		return err
	}
	if err := landlock.V11.BestEffort().Restrict(rules...); err != nil {
		return errors.New("refused here: " + strings.TrimPrefix(err.Error(), neverHappens))
	}
	c.ABI = abi
	return nil
}

// neverHappens is what the library thinks of kernels, and filters around this process, that refuse a step.
const neverHappens = "BUG(go-landlock): This should not have happened: "
