package onnx

import (
	"fmt"
	"math/bits"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/wire"
)

// maxDims of one tensor: ONNX Runtime and numpy take 32 at most.
const maxDims = 64

// maxElements is more than any machine holds; a product above it is made to overflow somewhere.
const maxElements = 1 << 48

// externalKeys are those of the standard (docs/ExternalData.md). "prepacked_…" is ONNX Runtime's.
var externalKeys = map[string]bool{"location": true, "offset": true, "length": true, "checksum": true, "basepath": true}

func (s *scanner) tensor(m wire.Message) error {
	var dims []int64
	var name string
	var kind uint64
	err := m.Each(func(f wire.Field) error {
		switch {
		case f.IsInt(2):
			kind = f.Int
		case f.IsInt(1):
			dims = append(dims, int64(f.Int))
		case f.Is(1):
			dims = appendPacked(dims, f.Body)
		case f.Is(3):
			return whole(f.Body, segmentPart)
		case f.Is(8):
			name = f.Body.Text(maxText)
		case f.Is(13):
			return s.external(f.Body)
		case f.Is(16):
			return s.metadata(f.Body)
		}
		if len(dims) > maxDims {
			dims = dims[:maxDims]
		}
		return nil
	})
	if why := implausible(dims); why != "" {
		s.finding(rule.OnnxTensorShape, m.Off, name, fmt.Sprintf("the shape %v of tensor %q %s", dims, name, why))
	}
	if err == nil && kind == 0 { // onnx's checker and ONNX Runtime refuse it
		s.p.Fail(s.p.Name, m.Off, fmt.Errorf("onnx: tensor %q has no type", name))
	}
	if s.p.Limits.MaxFacts > 0 {
		s.p.Emit.Fact(modelscan.Fact{Kind: modelscan.TensorFact, Path: s.p.Name, Name: name, Shape: dims, Offset: m.Off, Size: m.Len})
	}
	return err
}

func appendPacked(dims []int64, m wire.Message) []int64 {
	buf := []byte(m.Text(maxDims * 10))
	for len(buf) > 0 {
		v, n := protowire.ConsumeVarint(buf)
		if n < 0 {
			break
		}
		dims, buf = append(dims, int64(v)), buf[n:]
	}
	return dims
}

func implausible(dims []int64) string {
	elements := uint64(1)
	empty := false
	for _, d := range dims {
		if d < 0 {
			return "is negative"
		}
		empty = empty || d == 0
	}
	if empty {
		return ""
	}
	for _, d := range dims {
		hi, lo := bits.Mul64(elements, uint64(d))
		if hi > 0 || lo > maxElements {
			return "has more elements than any machine holds"
		}
		elements = lo
	}
	return ""
}

// external judges one entry of a tensor's external_data: a path that a runtime opens beside the
// model, or a key that the onnx package before 1.21 set as an attribute of a Python object.
func (s *scanner) external(m wire.Message) error {
	key, value, err := entry(m)
	why := ""
	if key == "location" || key == "basepath" {
		why = modelscan.Escapes(value)
	}
	switch {
	case why != "":
		s.finding(rule.OnnxExternalPath, m.Off, value, fmt.Sprintf("the external data %s %q %s", key, value, why))
	case externalKeys[key], strings.HasPrefix(key, "prepacked"):
	case strings.HasPrefix(key, "_"):
		s.finding(rule.OnnxExternalAttribute, m.Off, key, fmt.Sprintf("the external data sets the attribute %q of a Python object", key))
	default:
		s.finding(rule.OnnxExternalKey, m.Off, key, fmt.Sprintf("the external data has the key %q, which the standard does not know", key))
	}
	return err
}
