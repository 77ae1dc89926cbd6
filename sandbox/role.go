package sandbox

import "fmt"

// Role says what a worker is given in its life. A process has one role from its start to its end, and
// answers no kind of job of another: what takes over a worker by means of a model file is in no process
// that judges signatures or policies.
type Role string

// Roles. The zero Role stands for Scan.
const (
	Scan  Role = "scan"  // model bytes
	Trust Role = "trust" // bundles, SBOMs, policies, roots, digests and validated reports; never model bytes
)

// Roles holds the handler of each role that an executable can play.
type Roles map[Role]Handler

// pick returns the handler of the role that a worker was started in.
func (r Roles) pick(name string) (Role, Handler, error) {
	role := Role(name)
	handle, ok := r[role]
	if !ok {
		return "", nil, fmt.Errorf("this program has no workers in the role %q", name)
	}
	return role, handle, nil
}
