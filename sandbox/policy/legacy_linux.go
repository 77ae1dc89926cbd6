//go:build !amd64

package policy

// Calls that only the older architectures have, and what stands in their place.
var (
	legacyOwners, legacyForks, legacyClock, legacyAddable []string
	legacyFiles                                           = []string{"fstatat"}
)
