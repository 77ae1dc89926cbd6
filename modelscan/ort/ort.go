// Package ort reads models in ONNX Runtime's own format (.ort), a FlatBuffer (ort.fbs, identifier ORTM): operators that
// need somebody's code, tensors whose shape is not their data's, nodes and edges that are not there.
package ort

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"
	"github.com/secure-torch/secure-torch/modelscan/flatbuffer"
	"github.com/secure-torch/secure-torch/modelscan/onnx"
	"github.com/secure-torch/secure-torch/modelscan/window"
)

// Format is a model for ONNX Runtime alone.
var Format = &modelscan.Format{Name: "onnx-runtime", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if len(p.Head) >= 8 && string(p.Head[4:8]) == "ORTM" {
		return modelscan.Yes
	}
	return modelscan.No
}, Scan: scan}

// Slots of the tables, in the order of the schema.
const (
	sessionModel                                   = 1
	modelDoc, modelGraph, modelMetadata            = 6, 7, 9
	entryKey, entryValue                           = 0, 1
	graphTensors, graphNodes, graphMax, graphEdges = 0, 2, 3, 4
	graphSparse                                    = 7
	nodeDomain, nodeIndex, nodeOp, nodeAttributes  = 2, 4, 5, 10
	edgesOf, edgesIn, edgesOut                     = 0, 1, 2
	attributeText, attributeTensor, attributeGraph = 5, 6, 7
	attributeTensors, attributeGraphs              = 11, 12
	tensorName, tensorDims, tensorType, tensorData = 0, 2, 3, 4
	sparseValues, sparseIndices                    = 0, 1
)

const (
	edgeSize = 12 // EdgeEnd
	maxText  = 16 << 10
	maxDepth = 40
	maxSteps = 1 << 22 // tables can be shared, so that a small file has many
	maxTold  = 50
)

type scanner struct {
	ctx   context.Context
	p     *modelscan.Pass
	w     *window.Window
	told  map[string]bool
	steps int
}

func scan(ctx context.Context, p *modelscan.Pass) error {
	s := &scanner{ctx: ctx, p: p, w: window.New(p.R, p.Size), told: map[string]bool{}}
	model := flatbuffer.Root(s.w).Table(sessionModel)
	s.code(model, "doc_string", model.Text(modelDoc, maxText))
	entries := model.Vector(modelMetadata, 4)
	for i := range entries.Len {
		if err := s.step(); err != nil {
			return err
		}
		entry := entries.Table(i)
		s.code(entry, entry.Text(entryKey, maxText), entry.Text(entryValue, maxText))
	}
	if err := s.graph(model.Table(modelGraph), 0); err != nil {
		return err
	}
	return s.w.Err
}

// step is taken for every table.
func (s *scanner) step() error {
	if s.w.Err != nil {
		return s.w.Err
	}
	if s.steps++; s.steps > maxSteps {
		return fmt.Errorf("more than %d tables: %w", maxSteps, modelscan.ErrLimit)
	}
	return s.ctx.Err()
}

func (s *scanner) tell(id rule.ID, t flatbuffer.Table, subject, format string, args ...any) {
	if key := string(id) + subject; s.w.Err == nil && len(s.told) < maxTold && !s.told[key] {
		s.told[key] = true
		s.p.Emit.Finding(modelscan.Finding{Rule: id, Path: s.p.Name, Offset: t.Off(), Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
}

func (s *scanner) code(t flatbuffer.Table, name, value string) {
	if code := codetext.Find(value); code != "" {
		s.tell(rule.MetadataCode, t, name, "the text %q holds code: %s", name, code)
	}
}

func (s *scanner) graph(g flatbuffer.Table, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("graphs nested deeper than %d: %w", maxDepth, modelscan.ErrLimit)
	}
	count := int64(g.Uint(graphMax, 4))
	if err := s.tensors(g.Vector(graphTensors, 4)); err != nil {
		return err
	}
	sparse := g.Vector(graphSparse, 4)
	for i := range sparse.Len {
		if err := s.step(); err != nil {
			return err
		}
		s.tensor(sparse.Table(i).Table(sparseValues))
		s.tensor(sparse.Table(i).Table(sparseIndices))
	}
	nodes := g.Vector(graphNodes, 4)
	for i := range nodes.Len {
		if err := s.step(); err != nil {
			return err
		}
		if err := s.node(nodes.Table(i), count, depth); err != nil {
			return err
		}
	}
	return s.edges(g.Vector(graphEdges, 4), count)
}

func (s *scanner) node(n flatbuffer.Table, count int64, depth int) error {
	domain, op := n.Text(nodeDomain, maxText), n.Text(nodeOp, maxText)
	switch {
	case onnx.CallsPython(op):
		s.tell(rule.OnnxPythonOperator, n, op, "the operator %s calls Python code when the model runs", op)
	case !onnx.KnownOperator(domain, op):
		s.tell(rule.OnnxCustomOperator, n, domain+"."+op, "the operator %s.%s needs a custom operator library", domain, op)
	}
	if index := int64(n.Uint(nodeIndex, 4)); index >= count {
		s.tell(rule.ModelOutside, n, "nodes", "a node has the number %d, of %d", index, count)
	}
	attributes := n.Vector(nodeAttributes, 4)
	for i := range attributes.Len {
		if err := s.step(); err != nil {
			return err
		}
		if err := s.attribute(attributes.Table(i), depth); err != nil {
			return err
		}
	}
	return s.w.Err
}

func (s *scanner) attribute(a flatbuffer.Table, depth int) error {
	s.code(a, "attribute", a.Text(attributeText, maxText))
	s.tensor(a.Table(attributeTensor))
	if err := s.tensors(a.Vector(attributeTensors, 4)); err != nil {
		return err
	}
	if g := a.Table(attributeGraph); g != (flatbuffer.Table{}) {
		if err := s.graph(g, depth+1); err != nil {
			return err
		}
	}
	graphs := a.Vector(attributeGraphs, 4)
	for i := range graphs.Len {
		if err := s.step(); err != nil {
			return err
		}
		if err := s.graph(graphs.Table(i), depth+1); err != nil {
			return err
		}
	}
	return s.w.Err
}

// edges lead from nodes to nodes.
func (s *scanner) edges(all flatbuffer.Vector, count int64) error {
	for i := range all.Len {
		if err := s.step(); err != nil {
			return err
		}
		e := all.Table(i)
		worst := int64(e.Uint(edgesOf, 4))
		for _, slot := range [...]int64{edgesIn, edgesOut} {
			ends := e.Vector(slot, edgeSize)
			for k := range ends.Len {
				worst = max(worst, int64(ends.Block(k*edgeSize, 4)))
			}
		}
		if worst >= count {
			s.tell(rule.ModelOutside, e, "edges", "an edge leads to node %d, of %d", worst, count)
		}
	}
	return s.w.Err
}

func (s *scanner) tensors(all flatbuffer.Vector) error {
	for i := range all.Len {
		if err := s.step(); err != nil {
			return err
		}
		s.tensor(all.Table(i))
	}
	return s.w.Err
}

// widths of TensorDataType, in bytes; 0 for texts and what is packed.
var widths = [...]uint64{0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, 8, 16, 2, 1, 1, 1, 1}

// tensor compares a tensor's shape with its data.
func (s *scanner) tensor(t flatbuffer.Table) {
	if t == (flatbuffer.Table{}) {
		return
	}
	name, dims, data := t.Text(tensorName, maxText), t.Vector(tensorDims, 8), t.Vector(tensorData, 1)
	size, shape, overflows := uint64(1), []int64{}, false
	for i := range min(dims.Len, 64) {
		d := int64(dims.Uint(i, 8))
		hi, lo := bits.Mul64(size, uint64(max(d, 0)))
		size, overflows = lo, overflows || hi > 0 || d < 0
		shape = append(shape, d)
	}
	kind := t.Uint(tensorType, 4)
	width := uint64(0)
	if kind < uint64(len(widths)) {
		width = widths[kind]
	}
	if overflows || width > 0 && data.Len > 0 && size > uint64(data.Len)/width {
		s.tell(rule.OnnxTensorShape, t, name, "the tensor %q of shape %v has %d bytes", name, shape, data.Len)
	}
	if s.p.Limits.MaxFacts > 0 {
		s.p.Emit.Fact(modelscan.Fact{Kind: modelscan.TensorFact, Path: s.p.Name, Name: name, DType: fmt.Sprint(kind), Shape: shape, Offset: t.Off(), Size: data.Len})
	}
}
