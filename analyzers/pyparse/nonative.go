//go:build !cgo

package pyparse

// Native is Confined in a build without cgo.
var Native = Confined
