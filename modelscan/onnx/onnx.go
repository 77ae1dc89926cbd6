// Package onnx reads ONNX models through the protobuf wire format and judges what a runtime would do
// with the graph: files it would open besides the model, operators that are somebody's code, tensors
// that can't be what they claim. Numbers of fields are those of onnx.proto3 (IR version 13).
package onnx

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/wire"
)

// Format is the ONNX ModelProto.
var Format = &modelscan.Format{Name: "onnx", Sniff: sniff, Scan: scan}

// Fields of ModelProto.
const (
	modelIRVersion = 1
	modelProducer  = 2
	modelDoc       = 6
	modelGraph     = 7
	modelOpsets    = 8
	modelMetadata  = 14
	modelTraining  = 20
	modelFunctions = 25
)

var (
	errNotModel = errors.New("no graph in the protobuf message")
	errNoOpset  = errors.New("no opset_import, which IR version 3 and later must have: cut short?")
)

// maxIRVersion is far above the newest (13), so that next year's models are still recognised.
const maxIRVersion = 64

// sniff walks the top-level fields that the head shows. Fields a parser would skip don't disturb it.
func sniff(p modelscan.Probe) modelscan.Confidence {
	if !wire.MayHold(p.Head, p.Size, modelIRVersion, modelIRVersion) && !wire.MayHold(p.Head, p.Size, modelGraph, modelGraph) {
		return modelscan.No
	}
	var version, graph, fields int
	err := wire.Head(p.Head, p.Size).Each(func(f wire.Field) error {
		fields++
		switch {
		case f.IsInt(modelIRVersion) && f.Int > 0 && f.Int <= maxIRVersion:
			version++
		case f.Is(modelGraph):
			graph++
		}
		return nil
	})
	switch {
	case version > 0 && graph > 0:
		return modelscan.Yes
	case errors.Is(err, wire.ErrPastEnd) && version > 0 && (fields > 1 || p.Head[2] == modelGraph<<3|byte(protowire.BytesType)): // cut short
		return modelscan.Yes
	case err == nil && graph > 0, errors.Is(err, wire.ErrHeadEnds):
		return modelscan.Maybe
	}
	return modelscan.No
}

func scan(ctx context.Context, p *modelscan.Pass) error {
	m := wire.Open(p.R, p.Size)
	s := &scanner{ctx: ctx, p: p, functions: map[string]bool{}, told: map[string]bool{}}
	graphs, opsets, version := 0, 0, uint64(0)
	err := m.Each(func(f wire.Field) error {
		switch {
		case f.IsInt(modelIRVersion):
			version = f.Int
		case f.Is(modelGraph):
			graphs++
		case f.Is(modelOpsets):
			opsets++
		case f.Is(modelFunctions):
			return s.declare(f.Body)
		}
		return nil
	})
	if graphs == 0 || err != nil && p.Claimed != modelscan.Yes {
		return errors.Join(err, errNotModel)
	}
	if judged := m.Each(s.model); judged != nil {
		return fmt.Errorf("model: %w", judged)
	}
	if opsets == 0 && version >= 3 {
		return errNoOpset
	}
	return err
}

// scanner carries what one model's judgement needs to remember.
type scanner struct {
	ctx       context.Context
	p         *modelscan.Pass
	functions map[string]bool // "domain.name" of functions the model brings along
	told      map[string]bool // custom domains and operators already told of
	depth     int             // of graphs inside graphs
	scope     *scope          // of the graph that is read; nil inside of functions and of what trains the model
	apart     bool            // there
	lost      bool            // a name that nothing gives was told of
}

func (s *scanner) model(f wire.Field) error {
	switch {
	case f.Is(modelGraph):
		return s.graph(f.Body)
	case f.Is(modelMetadata):
		return s.metadata(f.Body)
	case f.Is(modelProducer), f.Is(modelDoc):
		s.text(f)
	case f.Is(modelOpsets):
		return whole(f.Body, opsetPart)
	case f.Is(modelTraining):
		s.apart = true
		defer func() { s.apart = false }()
		return f.Body.Each(func(t wire.Field) error {
			if t.Is(1) || t.Is(2) { // initialization, algorithm
				return s.graph(t.Body)
			}
			if t.Is(3) || t.Is(4) { // their bindings
				return whole(t.Body, entryPart)
			}
			return nil
		})
	case f.Is(modelFunctions):
		s.apart = true
		defer func() { s.apart = false }()
		return f.Body.Each(s.function)
	}
	return nil
}
