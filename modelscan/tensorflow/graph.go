package tensorflow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
	"github.com/secure-torch/secure-torch/modelscan/keras"
	"github.com/secure-torch/secure-torch/modelscan/tfop"
	"github.com/secure-torch/secure-torch/modelscan/wire"
)

// maxText of a name that is read.
const maxText = 4096

type scanner struct {
	ctx context.Context
	p   *modelscan.Pass
	// functions that graphs define, which nodes may name as they name operators, and what nodes named that no
	// library known here has: a library of functions may stand behind the nodes.
	functions map[string]bool
	custom    map[string]wire.Message
}

// maxCustom bounds the unknown operators that are told of.
const maxCustom = 100

// finish reports the operators that turned out to be nobody's.
func (s *scanner) finish() {
	for _, op := range slices.Sorted(maps.Keys(s.custom)) {
		if !s.functions[op] {
			s.finding(rule.TensorflowCustomOperator, s.custom[op], op, "the operator %s is neither TensorFlow's nor a function of the graph: it needs a library of operators", op)
		}
	}
}

// define remembers the name in a FunctionDef's signature.
func (s *scanner) define(m wire.Message) error {
	return sub(m, 1, func(signature wire.Message) error {
		return sub(signature, 1, func(name wire.Message) error {
			if s.functions == nil {
				s.functions = map[string]bool{}
			}
			s.functions[name.Text(maxText)] = true
			return nil
		})
	})
}

func (s *scanner) finding(id rule.ID, m wire.Message, subject, format string, args ...any) {
	s.p.Emit.Finding(modelscan.Finding{Rule: id, Path: s.p.Name, Offset: m.Off, Subject: subject, Message: fmt.Sprintf(format, args...)})
}

func (s *scanner) metaGraph(m wire.Message) error {
	return m.Each(func(f wire.Field) error {
		switch {
		case f.Is(2):
			return s.graph(f.Body)
		case f.Is(6):
			return sub(f.Body, 2, s.asset)
		case f.Is(7): // SavedObjectGraph: nodes, of which user objects (4) have metadata (3)
			return sub(f.Body, 1, func(node wire.Message) error {
				return sub(node, 4, func(o wire.Message) error { return sub(o, 3, s.metadata) })
			})
		}
		return nil
	})
}

// asset: a file name that is joined to the model's assets folder.
func (s *scanner) asset(m wire.Message) error {
	s.assetName(m, m.Text(maxText))
	return nil
}

func (s *scanner) assetName(m wire.Message, name string) {
	if why := modelscan.Escapes(name); why != "" {
		s.finding(rule.TensorflowFileOperator, m, name, "the asset %q %s", name, why)
	}
}

func (s *scanner) savedObject(m wire.Message) error { return sub(m, 5, s.metadata) }

// metadata is the Keras configuration of a layer, from which tf.keras rebuilds Lambda layers.
func (s *scanner) metadata(m wire.Message) error {
	if m.Len == 0 {
		return nil
	}
	text, err := m.Bytes(s.p.Limits.MaxBuffer)
	if err != nil {
		return err
	}
	root, err := jsontree.Parse(text)
	if err != nil {
		return nil // other trackable objects keep what they like here
	}
	keras.JudgeSaved(s.p, m.Off, root)
	return nil
}

func (s *scanner) graph(m wire.Message) error {
	ps := &paths{}
	err := m.Each(func(f wire.Field) error {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		switch {
		case f.Is(1):
			return s.node(f.Body, ps)
		case f.Is(2):
			return sub(f.Body, 1, s.function)
		}
		return nil
	})
	ps.tell(s)
	return err
}

func (s *scanner) function(m wire.Message) error {
	if err := s.define(m); err != nil {
		return err
	}
	ps := &paths{}
	err := sub(m, 3, func(n wire.Message) error { return s.node(n, ps) })
	ps.tell(s)
	return err
}

func (s *scanner) node(m wire.Message, ps *paths) error {
	var name, op, first, text string
	err := m.Each(func(f wire.Field) error {
		switch {
		case f.Is(1):
			name = f.Body.Text(maxText)
		case f.Is(2):
			op = f.Body.Text(maxText)
		case f.Is(3) && first == "":
			first = f.Body.Text(maxText)
		case f.Is(5) && op == "PrintV2":
			if key, value := attribute(f.Body); key == "output_stream" {
				text = value
			}
		case f.Is(5) && op == "Const" && key(f.Body) == "value":
			text = constant(f.Body)
		}
		return nil
	})
	ps.note(m, name, op, first, text)
	s.operator(m, name, op, text)
	return err
}

// operator judges an operator by its name, and PrintV2 by where it prints to.
func (s *scanner) operator(m wire.Message, name, op, stream string) {
	switch {
	case tfop.Files(op):
		s.finding(rule.TensorflowFileOperator, m, op, "the operator %s (node %q) reaches files or hosts of the graph's choice", op, name)
	case op == "PrintV2" && strings.HasPrefix(stream, "file:"):
		s.finding(rule.TensorflowFileOperator, m, op, "the operator %s (node %q) writes to %q", op, name, stream)
	case tfop.Python(op):
		s.finding(rule.TensorflowPythonOperator, m, op, "the operator %s (node %q) calls a Python function of the process", op, name)
	case tfop.Input(op):
		s.finding(rule.TensorflowInputOperator, m, op, "the operator %s (node %q) reads data files", op, name)
	case !tfop.Known(op) && len(s.custom) < maxCustom:
		if s.custom == nil {
			s.custom = map[string]wire.Message{}
		}
		if _, told := s.custom[op]; !told {
			s.custom[op] = m
		}
	}
}

// attribute reads a map entry of a name and an AttrValue with a string (field 2).
func attribute(m wire.Message) (key, value string) {
	_ = m.Each(func(f wire.Field) error { // a broken entry has no string value
		switch {
		case f.Is(1):
			key = f.Body.Text(maxText)
		case f.Is(2):
			return sub(f.Body, 2, func(s wire.Message) error { value = s.Text(maxText); return nil })
		}
		return nil
	})
	return key, value
}
