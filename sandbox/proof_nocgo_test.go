//go:build linux && !cgo

package sandbox

const withCLibrary = false
