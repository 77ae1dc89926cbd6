//go:build !race

package sandbox

const withRaceDetector = false
