package onnx

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/secure-torch/secure-torch/modelscan/wire"
)

// part is a message of onnx.proto3 that nothing is judged in: all that matters is whether a parser takes it, because it
// refuses the whole model where it doesn't.
type part map[protowire.Number]part

// Parts by the names that they have in onnx.proto3. Only fields that are messages are named.
var (
	entryPart     = part{}
	anyType       = typePart(3)
	valuePart     = part{2: anyType, 4: entryPart}
	dimensionPart = part{}
	shapePart     = part{1: dimensionPart}
	opsetPart     = part{}
	segmentPart   = part{}
	quantPart     = part{2: entryPart}
)

// typePart is a TypeProto, in which that many others may stand inside of each other.
func typePart(depth int) part {
	tensor := part{2: shapePart}
	p := part{1: tensor, 8: tensor, 4: {}, 5: {}, 7: {}, 9: {}}
	if depth > 0 {
		inner := typePart(depth - 1)
		p[4], p[5], p[9] = part{1: inner}, part{2: inner}, part{1: inner}
	}
	return p
}

// whole walks a message to its end, with those in it.
func whole(m wire.Message, p part) error {
	return m.Each(func(f wire.Field) error {
		if inner, ok := p[f.Num]; ok && f.Is(f.Num) {
			return whole(f.Body, inner)
		}
		return nil
	})
}

// scope is what the nodes of a graph may read.
type scope struct {
	outer    *scope
	names    map[string]bool
	declared bool // the graph has inputs or outputs: one without is no more than a list of nodes
}

// maxNames of one graph; where there are more, nobody asks whether a name is among them.
const maxNames = 1 << 20

func (s *scope) has(name string) bool {
	for ; s != nil; s = s.outer {
		if len(s.names) >= maxNames || s.names[name] {
			return true
		}
		if s.outer == nil {
			return !s.declared
		}
	}
	return true
}

// enter collects what a graph and its nodes give names to. Runtimes refuse a graph that reads anything else.
func (s *scanner) enter(m wire.Message) error {
	in := &scope{outer: s.scope, names: map[string]bool{}}
	s.scope = in
	add := func(name string) {
		if name != "" && len(in.names) < maxNames {
			in.names[name] = true
		}
	}
	first := func(m wire.Message, num protowire.Number) error {
		return m.Each(func(f wire.Field) error {
			if f.Is(num) {
				add(f.Body.Text(maxText))
			}
			return nil
		})
	}
	return m.Each(func(f wire.Field) error {
		in.declared = in.declared || f.Is(11) || f.Is(12)
		switch {
		case f.Is(1): // node: output
			return first(f.Body, 2)
		case f.Is(5): // initializer: name
			return first(f.Body, 8)
		case f.Is(11): // input: name
			return first(f.Body, 1)
		case f.Is(15): // sparse initializer: the name of its values
			return f.Body.Each(func(v wire.Field) error {
				if v.Is(1) {
					return first(v.Body, 8)
				}
				return nil
			})
		}
		return nil
	})
}

// reads tells of the first name that a graph reads and nothing gives.
func (s *scanner) reads(off int64, what, name string) {
	if s.lost || name == "" || s.scope.has(name) {
		return
	}
	s.lost = true
	s.p.Fail(s.p.Name, off, fmt.Errorf("onnx: %s %q, which nothing in the graph gives: %w", what, name, errBroken))
}

// other looks at the parts of a graph that nothing is judged in, and at what the graph gives.
func (s *scanner) other(f wire.Field) error {
	switch {
	case f.Is(11), f.Is(12), f.Is(13): // input, output, value_info
		var name string
		err := f.Body.Each(func(v wire.Field) error {
			if v.Is(1) {
				name = v.Body.Text(maxText)
			}
			return nil
		})
		if f.Num == 12 {
			s.reads(f.Off, "the graph gives", name)
		}
		if err != nil {
			return err
		}
		return whole(f.Body, valuePart)
	case f.Is(14):
		return whole(f.Body, quantPart)
	}
	return nil
}

var errBroken = errors.New("runtimes refuse the model")
