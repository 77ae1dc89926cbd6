package mxnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"
	"github.com/secure-torch/secure-torch/modelscan/jsonstream"
)

// Symbol is a graph.
var Symbol = &modelscan.Format{Name: "mxnet-symbol", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if !bytes.HasPrefix(bytes.TrimLeft(p.Head, " \t\r\n"), []byte("{")) {
		return modelscan.No
	}
	nodes := bytes.Contains(p.Head, []byte(`"nodes"`)) || bytes.Contains(p.Tail, []byte(`"nodes"`))
	for _, key := range [...]string{`"arg_nodes"`, `"node_row_ptr"`, `"heads"`, `"op"`} {
		if nodes && (bytes.Contains(p.Head, []byte(key)) || bytes.Contains(p.Tail, []byte(key))) {
			return modelscan.Maybe
		}
	}
	return modelscan.No
}, Scan: scanSymbol}

// graph is one that is read, or a graph in a node of one.
type graph struct {
	nodes, ops   int64
	worst, least int64 // node that something refers to
	off          int64
	heads        bool // or arg_nodes
}

type symbol struct {
	jsonstream.Walker
	p    *modelscan.Pass
	told map[string]bool
}

var errNoGraph = errors.New("no graph of MXNet")

func scanSymbol(ctx context.Context, p *modelscan.Pass) error {
	s := &symbol{p: p, told: map[string]bool{}}
	s.Walker = jsonstream.Walker{Ctx: ctx, R: jsonstream.NewText(io.NewSectionReader(p.R, 0, p.Size))}
	g := &graph{}
	t, err := s.R.Next()
	if err == nil {
		err = s.graph(g, t)
	}
	if g.ops == 0 || err == nil && !g.heads {
		return errors.Join(err, errNoGraph)
	}
	if err != nil {
		p.Fail(p.Name, s.R.Offset(), fmt.Errorf("mxnet: %w", err))
		return nil
	}
	if at := s.R.Offset(); at < p.Size {
		p.Emit.Descend(ctx, p.Member("[behind]", io.NewSectionReader(p.R, at, p.Size-at), p.Size-at))
	}
	return nil
}

func (s *symbol) tell(id rule.ID, off int64, subject, format string, args ...any) {
	if key := string(id) + subject; len(s.told) < maxTold && !s.told[key] {
		s.told[key] = true
		s.p.Emit.Finding(modelscan.Finding{Rule: id, Path: s.p.Name, Offset: off, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
}

func (s *symbol) graph(g *graph, t jsonstream.Token) error {
	at := t.Off
	err := s.Members(t, func(name string, t jsonstream.Token) error {
		switch {
		case name == "nodes" && t.Kind == jsonstream.OpenArray:
			return s.Items(t, func(_ int, t jsonstream.Token) error {
				g.nodes++
				return s.node(g, t)
			})
		case (name == "arg_nodes" || name == "heads") && t.Kind == jsonstream.OpenArray:
			g.heads = true
			return s.Items(t, func(_ int, t jsonstream.Token) error { return s.entry(g, t) })
		}
		return s.Skip(t)
	})
	if err == nil && g.ops > 0 && (g.worst >= g.nodes || g.least < 0) {
		s.tell(rule.ModelOutside, max(g.off, at), "nodes", "the graph refers to node %d, of %d", max(g.worst, -g.least), g.nodes)
	}
	return err
}

// entry is the number of a node, alone or before the number of its output.
func (s *symbol) entry(g *graph, t jsonstream.Token) error {
	if t.Kind == jsonstream.OpenArray {
		return s.Items(t, func(i int, t jsonstream.Token) error {
			if i == 0 {
				return s.entry(g, t)
			}
			return s.Skip(t)
		})
	}
	if n := int64(t.Num); t.Kind == jsonstream.Number && n > g.worst {
		g.worst, g.off = n, t.Off
	} else if t.Kind == jsonstream.Number && n < g.least {
		g.least, g.off = n, t.Off
	}
	return s.Skip(t)
}

// maxOperator is longer than any operator's name; MXNet before 1.9.1 matched names with a pattern that takes long.
const maxOperator = 256

func (s *symbol) node(g *graph, t jsonstream.Token) error {
	at, op, custom := t.Off, "", ""
	err := s.Members(t, func(name string, t jsonstream.Token) error {
		switch {
		case name == "op" && t.Kind == jsonstream.Text:
			op = string(t.Text)
			g.ops++
		case name == "inputs" && t.Kind == jsonstream.OpenArray, name == "control_deps" && t.Kind == jsonstream.OpenArray:
			return s.Items(t, func(_ int, t jsonstream.Token) error { return s.entry(g, t) })
		case (name == "attrs" || name == "attr" || name == "param") && t.Kind == jsonstream.OpenObject:
			return s.Members(t, func(name string, t jsonstream.Token) error {
				if name == "op_type" {
					custom = string(t.Text)
				}
				if code := codetext.Find(string(t.Text)); code != "" {
					s.tell(rule.MetadataCode, t.Off, name, "the attribute %q holds code: %s", name, code)
				}
				return s.Skip(t)
			})
		case name == "subgraphs" && t.Kind == jsonstream.OpenArray:
			return s.Items(t, func(_ int, t jsonstream.Token) error { return s.graph(&graph{}, t) })
		}
		return s.Skip(t)
	})
	s.operator(at, op, custom)
	return err
}

func (s *symbol) operator(at int64, op, custom string) {
	switch {
	case op == "Custom":
		s.tell(rule.MxnetCustomOperator, at, custom, "the operator Custom needs a Python class that is registered as %q", custom)
	case op == "_Native" || op == "_NDArray" || op == "_CustomFunction":
		s.tell(rule.MxnetNativeOperator, at, op, "the operator %s takes an address of functions out of the file", op)
	case len(op) > maxOperator:
		s.tell(rule.ModelOutside, at, "operator", "an operator has a name of %d bytes", len(op))
	}
}
