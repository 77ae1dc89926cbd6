package worker

import (
	"context"
	"slices"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/index"
)

// named are formats whose tensors have names only in the objects of a pickle.
var named = []string{"torch", "torch-legacy", "torch-tar"}

// addTensors tells the names, types and shapes of a checkpoint's tensors, where facts are wanted. What can't be
// indexed has none; that is no gap, for the report has been made without them.
func addTensors(r *modelscan.Report, src modelscan.Source, limits modelscan.Limits) {
	if len(r.Facts) >= limits.MaxFacts || !slices.ContainsFunc(r.Formats, func(f string) bool { return slices.Contains(named, f) }) {
		return
	}
	plan, err := index.BuildPlan(context.Background(), src, limits, index.Selection{All: true})
	if err != nil {
		return
	}
	for _, t := range plan.Tensors[:min(len(plan.Tensors), limits.MaxFacts-len(r.Facts))] {
		r.Facts = append(r.Facts, modelscan.Fact{Kind: modelscan.TensorFact, Path: r.Artifact, Name: t.Name, DType: t.DType, Shape: t.Shape, Offset: t.Offset, Size: bytesOf(t, src.Size)})
	}
}

// bytesOf a tensor: no more than the file has, for an expanded one repeats its bytes.
func bytesOf(t index.PlanTensor, most int64) int64 {
	size := t.Item
	for _, n := range t.Shape {
		if n > 0 && size > most/n {
			return most
		}
		size *= n
	}
	return size
}
