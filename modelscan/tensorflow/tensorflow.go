// Package tensorflow reads TensorFlow's graphs on the protobuf wire: SavedModel, MetaGraphDef, GraphDef
// with its function library, and keras_metadata.pb. A graph is a program; what matters is which
// operators it has, for some of them open files.
package tensorflow

import (
	"context"
	"errors"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/wire"

	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// Format is any of the four messages. None of them has a magic number, so that structure decides.
var Format = &modelscan.Format{Name: "tensorflow", Sniff: sniff, Scan: scan}

var errNoGraph = errors.New("no TensorFlow graph in the protobuf message")

func sniff(p modelscan.Probe) modelscan.Confidence {
	const last = 4 // of the fields of a SavedModel, MetaGraph or GraphDef that count
	if !wire.MayHold(p.Head, p.Size, 1, last) {
		return modelscan.No
	}
	fields := 0
	err := wire.Head(p.Head, p.Size).Each(func(f wire.Field) error {
		if f.Num <= last {
			fields++
		}
		return nil
	})
	if fields > 0 && err == nil || errors.Is(err, wire.ErrHeadEnds) {
		return modelscan.Maybe
	}
	return modelscan.No
}

// scan finds out which message it is by what only that message can hold.
func scan(ctx context.Context, p *modelscan.Pass) error {
	m := wire.Open(p.R, p.Size)
	s := &scanner{ctx: ctx, p: p}
	defer s.finish()
	switch {
	case some(m, 2, isMetaGraph) && some(m, 1, nil): // SavedModel: schema version, meta graphs
		return sub(m, 2, s.metaGraph)
	case isGraph(m):
		return s.graph(m)
	case isMetaGraph(m):
		return s.metaGraph(m)
	case some(m, 1, isSavedObject):
		return sub(m, 1, s.savedObject)
	case isFingerprint(m):
		return nil
	}
	return errNoGraph
}

// sub calls visit for every message in the field.
func sub(m wire.Message, num protowire.Number, visit func(wire.Message) error) error {
	return m.Each(func(f wire.Field) error {
		if f.Is(num) {
			return visit(f.Body)
		}
		return nil
	})
}

var errFound = errors.New("found")

// some tells whether m has the field, and one for which is holds.
func some(m wire.Message, num protowire.Number, is func(wire.Message) bool) bool {
	err := m.Each(func(f wire.Field) error {
		if f.Num == num && (is == nil && f.Type == protowire.VarintType || is != nil && f.Is(num) && is(f.Body)) {
			return errFound
		}
		return nil
	})
	return errors.Is(err, errFound)
}

var opName = pattern.Lazy(`^[A-Z_][A-Za-z0-9>._-]{0,200}$`)

// isNode: a NodeDef has a name, and an operator's name.
func isNode(m wire.Message) bool {
	name, op := false, false
	err := m.Each(func(f wire.Field) error {
		name = name || f.Is(1)
		op = op || f.Is(2) && opName().MatchString(f.Body.Text(256))
		return nil
	})
	return err == nil && name && op
}

// isFunction: a FunctionDef has a signature, and nodes in field 3.
func isFunction(m wire.Message) bool { return some(m, 3, isNode) }

// isGraph: a GraphDef has nodes, or functions that have.
func isGraph(m wire.Message) bool {
	return some(m, 1, isNode) || some(m, 2, func(library wire.Message) bool { return some(library, 1, isFunction) })
}

func isMetaGraph(m wire.Message) bool { return some(m, 2, isGraph) }

// isFingerprint: the FingerprintDef beside a SavedModel is numbers, a version and an identifier. No loader acts on it.
func isFingerprint(m wire.Message) bool {
	const hashes, version, uuid = 5, 6, 7
	numbers, versions := 0, 0
	err := m.Each(func(f wire.Field) error {
		switch {
		case f.Num <= hashes && f.Type == protowire.VarintType:
			numbers++
		case f.Is(version) && f.Body.Len <= 16:
			versions++
		case f.Is(uuid) && f.Body.Len <= 64:
		default:
			return errNoGraph
		}
		return nil
	})
	return err == nil && numbers >= 4 && versions == 1
}

// isSavedObject: an entry of Keras's SavedMetadata has an identifier "_tf_keras_…" in field 4.
func isSavedObject(m wire.Message) bool {
	return some(m, 4, func(s wire.Message) bool { return len(s.Text(64)) > 4 && s.Text(4) == "_tf_" })
}
