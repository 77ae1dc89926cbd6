// Package interop has no code: its tests hold what this program writes against the reference tools, and what they write
// against this program. scripts/interop.sh installs them and runs the tests.
package interop
