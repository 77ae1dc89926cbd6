//go:build !linux

package twin

// Path is false: a program can be executed out of memory on Linux only.
func Path() (string, bool) { return "", false }
