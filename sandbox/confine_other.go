//go:build !linux

package sandbox

import "runtime"

// confine has nothing to put on here yet: the worker is a process of its own, and that is all.
func confine(mode Mode) Confinement {
	c := Confinement{Layers: []string{}, Missing: map[string]string{}}
	if mode == Off {
		return c
	}
	for _, layer := range []string{LayerDumpable, LayerRlimits, LayerNoNewPrivs, LayerLandlock, LayerSeccomp} {
		c.Missing[layer] = "not supported on " + runtime.GOOS
	}
	return c
}
