package tflite

import (
	"context"
	"fmt"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/flatbuffer"
)

func scalar(n int64) flatbuffer.Field {
	return flatbuffer.Field{Kind: flatbuffer.Scalar, Size: n}
}

func numbers(n int64) flatbuffer.Field {
	return flatbuffer.Field{Kind: flatbuffer.Numbers, Size: n}
}

func tables(s flatbuffer.Schema) flatbuffer.Field {
	return flatbuffer.Field{Kind: flatbuffer.Tables, Of: &s}
}

// schema is that of a model (schema.fbs), without what is in an operator's options, in sparsity and in variants.
func schema() *flatbuffer.Schema {
	text := flatbuffer.Field{Kind: flatbuffer.String}
	options := flatbuffer.Field{Kind: flatbuffer.Sub, Of: &flatbuffer.Schema{}}
	quantization := flatbuffer.Schema{numbers(4), numbers(4), numbers(4), numbers(8), scalar(1), options, scalar(4)}
	tensor := flatbuffer.Schema{
		numbers(4), scalar(1), scalar(4), text, {Kind: flatbuffer.Sub, Of: &quantization}, scalar(1), options, numbers(4), scalar(1), tables(flatbuffer.Schema{}),
	}
	operator := flatbuffer.Schema{
		scalar(4), numbers(4), numbers(4), scalar(1), options, numbers(1), scalar(1), numbers(1), numbers(4), scalar(8), scalar(8), scalar(1), options,
	}
	graph := flatbuffer.Schema{tables(tensor), numbers(4), numbers(4), tables(operator), text}
	buffer := flatbuffer.Schema{numbers(1), scalar(8), scalar(8)}
	code := flatbuffer.Schema{scalar(1), text, scalar(4), scalar(4)}
	return &flatbuffer.Schema{
		scalar(4), tables(code), tables(graph), text, tables(buffer), numbers(4), tables(flatbuffer.Schema{text, scalar(4)}),
	}
}

// Slots that are looked at for their numbers alone.
const (
	modelVersion    = 0
	graphInputs     = 1
	graphOutputs    = 2
	graphOperators  = 3
	tensorBuffer    = 2
	operatorCode    = 0
	operatorInputs  = 1
	operatorOutputs = 2
)

// version is the only one that there is.
const version = 3

// verify refuses what the interpreter refuses before it runs anything.
func verify(ctx context.Context, model flatbuffer.Table) error {
	if err := model.Verify(ctx, schema()); err != nil {
		return err
	}
	if v := model.Uint(modelVersion, 4); v != version {
		return fmt.Errorf("version %d of the schema, and not %d", v, version)
	}
	codes, buffers := model.Vector(modelOperatorCodes, 4).Len, model.Vector(modelBuffers, 4).Len
	graphs := model.Vector(modelSubgraphs, 4)
	c := checker{codes: codes, buffers: buffers}
	for i := range graphs.Len {
		if err := c.graph(graphs.Table(i)); err != nil {
			return fmt.Errorf("subgraph %d: %w", i, err)
		}
	}
	return nil
}

// checker holds a model's indices against how much there is.
type checker struct {
	codes, buffers int64
	steps          int64 // operators can share a vector of indices, so that a small file has many
}

func (c *checker) graph(g flatbuffer.Table) error {
	tensors := g.Vector(graphTensors, 4)
	for k := range tensors.Len {
		if b := int64(tensors.Table(k).Uint(tensorBuffer, 4)); b != 0 && b >= c.buffers {
			return fmt.Errorf("tensor %d is in buffer %d of %d", k, b, c.buffers)
		}
	}
	if err := c.within(tensors.Len, g.Vector(graphInputs, 4), g.Vector(graphOutputs, 4)); err != nil {
		return err
	}
	operators := g.Vector(graphOperators, 4)
	for k := range operators.Len {
		op := operators.Table(k)
		if code := int64(op.Uint(operatorCode, 4)); code >= c.codes {
			return fmt.Errorf("operator %d is number %d of %d", k, code, c.codes)
		}
		if err := c.within(tensors.Len, op.Vector(operatorInputs, 4), op.Vector(operatorOutputs, 4)); err != nil {
			return fmt.Errorf("operator %d: %w", k, err)
		}
	}
	return nil
}

// within checks that all indices are of the n tensors, or -1 for one that is left out.
func (c *checker) within(n int64, lists ...flatbuffer.Vector) error {
	for _, indices := range lists {
		if c.steps += indices.Len; c.steps > maxSteps {
			return fmt.Errorf("more than %d indices: %w", maxSteps, modelscan.ErrLimit)
		}
		for i := range indices.Len {
			if index := int64(int32(indices.Uint(i, 4))); index < -1 || index >= n {
				return fmt.Errorf("it names tensor %d of %d", index, n)
			}
		}
	}
	return nil
}
