package main

import (
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
)

// TestWeights: the same weights in two formats and two precisions are counted once, shards and folders each.
func TestWeights(t *testing.T) {
	report := func(format string, facts ...modelscan.Fact) *modelscan.Report {
		return &modelscan.Report{Formats: []string{format}, Facts: facts}
	}
	tensor := func(path, name string, shape ...int64) modelscan.Fact {
		return modelscan.Fact{Kind: modelscan.TensorFact, Path: path, Name: name, Shape: shape}
	}
	w := weights{}
	w.add(".", report("torch", tensor("a.bin", "w", 2, 3)))
	w.add(".", report("safetensors", tensor("a.safetensors", "w", 2, 3)))
	w.add(".", report("safetensors", tensor("a.fp16.safetensors", "w", 2, 3)))
	w.add(".", report("safetensors", tensor("b.safetensors", "b", 4)))
	w.add("vae", report("safetensors", tensor("c.safetensors", "w", 5)))
	if got := w.total(); got != 6+4+5 {
		t.Errorf("%d parameters", got)
	}
	w = weights{}
	w.add(".", report("npz", tensor("d.npz!x.npy", "", 2), tensor("d.npz!y.npy", "", 3)))
	if got := w.total(); got != 5 {
		t.Errorf("%d numbers in arrays without names", got)
	}
}
