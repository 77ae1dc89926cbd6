//go:build !linux

package sandbox

func probeNames(bool) []probeName { return nil }

func (w *Worker) threads() ThreadState { return ThreadState{} }
