//go:build race

// Package race tells a test whether it runs under the race detector, whose runtime makes system calls and deaths of its
// own, and makes some code minutes slower.
package race

// Enabled says whether the race detector is built in.
const Enabled = true
