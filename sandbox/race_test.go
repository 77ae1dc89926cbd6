//go:build race

package sandbox

// withRaceDetector: its runtime makes system calls and deaths of its own.
const withRaceDetector = true
