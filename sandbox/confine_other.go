//go:build !linux

package sandbox

import "runtime"

// confine has nothing to put on: inside a WebAssembly module there is nothing to give up, and on the
// other systems the worker is a process of its own, on macOS with limits, and that is all.
func confine(mode Mode) Confinement {
	c := Confinement{Layers: []string{}, Missing: map[string]string{}}
	switch {
	case mode == Off:
		return c
	case runtime.GOOS == "wasip1": // being here is the confinement
		c.Layers = append(c.Layers, LayerWasm)
		return c
	}
	if err := setLimits(); err != nil {
		c.Missing[LayerRlimits] = err.Error()
	} else {
		c.Layers = append(c.Layers, LayerRlimits)
	}
	for _, layer := range []string{LayerDumpable, LayerNoNewPrivs, LayerLandlock, LayerSeccomp} {
		c.Missing[layer] = "not supported on " + runtime.GOOS
	}
	return c
}
