// Package coreml reads Core ML models (.mlmodel, a protobuf Model) and the manifest of .mlpackage
// folders. Numbers of fields are those of coremltools' Model.proto and its neighbours.
package coreml

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"
	"github.com/secure-torch/secure-torch/modelscan/wire"
)

// Format is a Core ML model.
var Format = &modelscan.Format{Name: "coreml", Sniff: sniff, Scan: func(ctx context.Context, p *modelscan.Pass) error {
	s := &scanner{ctx: ctx, p: p}
	m := wire.Open(p.R, p.Size)
	if !isModel(m) {
		return errors.New("no Core ML model in the protobuf message")
	}
	return s.model(m)
}}

// Fields of Model. The kind of model is one field of these, all messages.
const (
	modelVersion     = 1
	modelDescription = 2
	firstKind        = 200 // pipelineClassifier
	lastKind         = 3000
	maxVersion       = 100
	maxDepth         = 20 // pipelines in pipelines, networks in layers
	maxText          = 4096
)

func sniff(p modelscan.Probe) modelscan.Confidence {
	if !wire.MayHold(p.Head, p.Size, modelVersion, modelVersion) {
		return modelscan.No
	}
	plausible := false
	err := wire.Head(p.Head, p.Size).Each(func(f wire.Field) error {
		plausible = plausible || f.IsInt(modelVersion) && f.Int > 0 && f.Int <= maxVersion || f.Num >= firstKind && f.Num <= lastKind
		return nil
	})
	if plausible && (err == nil || errors.Is(err, wire.ErrHeadEnds) || errors.Is(err, wire.ErrPastEnd)) || errors.Is(err, wire.ErrHeadEnds) {
		return modelscan.Maybe
	}
	return modelscan.No
}

// isModel: a version, a description with features or metadata, and one kind of model.
func isModel(m wire.Message) bool {
	version, description, kind := false, false, false
	err := m.Each(func(f wire.Field) error {
		switch {
		case f.IsInt(modelVersion):
			version = f.Int > 0 && f.Int <= maxVersion
		case f.Is(modelDescription):
			description = true
		case f.Num >= firstKind && f.Num <= lastKind && f.Type == protowire.BytesType:
			kind = true
		}
		return nil
	})
	return version && kind && (description || err == nil)
}

type scanner struct {
	ctx   context.Context
	p     *modelscan.Pass
	depth int
}

func (s *scanner) finding(id rule.ID, off int64, subject, format string, args ...any) {
	s.p.Emit.Finding(modelscan.Finding{Rule: id, Path: s.p.Name, Offset: off, Subject: subject, Message: fmt.Sprintf(format, args...)})
}

// visit is a step down: what to do with a message found in some field.
type visit func(wire.Message) error

// fields applies the visits to the fields they name.
func (s *scanner) fields(m wire.Message, by map[protowire.Number]visit) error {
	if s.depth++; s.depth > maxDepth*4 {
		return fmt.Errorf("at %#x: nested: %w", m.Off, modelscan.ErrLimit)
	}
	defer func() { s.depth-- }()
	return m.Each(func(f wire.Field) error {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if next := by[f.Num]; next != nil && f.Type == protowire.BytesType {
			return next(f.Body)
		}
		return nil
	})
}

// into is a visit of a field of the message.
func (s *scanner) into(num protowire.Number, next visit) visit {
	return func(m wire.Message) error { return s.fields(m, map[protowire.Number]visit{num: next}) }
}

func (s *scanner) model(m wire.Message) error {
	pipeline := s.into(1, s.model)
	return s.fields(m, map[protowire.Number]visit{
		modelDescription: s.into(100, s.described),
		200:              s.into(1, pipeline), 201: s.into(1, pipeline), 202: pipeline,
		303: s.into(1, s.layer), 403: s.into(1, s.layer), 500: s.into(1, s.layer), // neural networks: layers
		502: s.into(2, s.into(2, s.into(3, s.into(2, s.block)))), // ML program: functions, their specialisations
		555: s.into(10, s.custom("model")),                       // custom model: class name
		556: s.into(1, s.linked),                                 // linked model
	})
}

func (s *scanner) custom(what string) visit {
	return func(m wire.Message) error {
		name := m.Text(maxText)
		s.finding(rule.CoremlCustomCode, m.Off, name, "the custom %s is made of the class %q of the app", what, name)
		return nil
	}
}

// layer: custom layers, and the networks inside of branches and loops.
func (s *scanner) layer(m wire.Message) error {
	network := s.into(1, s.layer)
	return s.fields(m, map[protowire.Number]visit{
		500: s.into(10, s.custom("layer")),
		605: func(b wire.Message) error { return s.fields(b, map[protowire.Number]visit{1: network, 2: network}) },
		615: func(b wire.Message) error { return s.fields(b, map[protowire.Number]visit{3: network, 4: network}) },
	})
}

// linked: the name and search path of another model.
func (s *scanner) linked(m wire.Message) error {
	check := s.into(1, func(v wire.Message) error {
		s.path(v, strings.TrimPrefix(v.Text(maxText), "$BUNDLE_MAIN/"))
		return nil
	})
	return s.fields(m, map[protowire.Number]visit{1: check, 2: check})
}

func (s *scanner) path(at wire.Message, path string) {
	if why := modelscan.Escapes(path); why != "" {
		s.finding(rule.CoremlManifestPath, at.Off, path, "the path %q %s", path, why)
	}
}

// block of an ML program: operations with nested blocks, and values kept in files of the package.
func (s *scanner) block(m wire.Message) error {
	value := s.into(2, s.into(5, s.into(1, func(v wire.Message) error {
		s.path(v, strings.TrimPrefix(v.Text(maxText), "@model_path/"))
		return nil
	})))
	return s.into(3, func(op wire.Message) error {
		return s.fields(op, map[protowire.Number]visit{4: s.block, 5: value, 2: s.into(2, s.into(1, value))})
	})(m)
}

// described is the metadata that people read, and the user's own.
func (s *scanner) described(m wire.Message) error {
	text := func(v wire.Message) error {
		if code := codetext.Find(v.Text(64 << 10)); code != "" {
			s.finding(rule.MetadataCode, v.Off, "metadata", "the description holds code: %s", code)
		}
		return nil
	}
	return s.fields(m, map[protowire.Number]visit{1: text, 2: text, 3: text, 4: text, 100: s.metadata})
}

// metadata is an entry of the user's metadata.
func (s *scanner) metadata(m wire.Message) error {
	var key, value string
	err := m.Each(func(f wire.Field) error {
		switch {
		case f.Is(1):
			key = f.Body.Text(maxText)
		case f.Is(2):
			value = f.Body.Text(64 << 10)
		}
		return nil
	})
	if code := codetext.Find(value); code != "" {
		s.finding(rule.MetadataCode, m.Off, key, "the metadata %q holds code: %s", key, code)
	}
	return err
}
