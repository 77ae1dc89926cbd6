// Package openvino reads the topology of an OpenVINO model (IR versions 2 to 11), an XML document beside a file of
// raw weights: what would make its parser read other documents, layers that need somebody's library, and
// constants whose place in the weights can't be.
package openvino

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
	"github.com/secure-torch/secure-torch/modelscan/pmml"
)

// Format is the topology. The weights hold numbers only.
var Format = &modelscan.Format{Name: "openvino", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	head := bytes.TrimLeft(pmml.Decode(p.Head[:len(p.Head)&^1]), " \t\r\n")
	switch {
	case !bytes.HasPrefix(head, []byte("<")), !bytes.Contains(head, []byte("<net ")):
		return modelscan.No
	case bytes.Contains(head, []byte("<layers")), versioned().Match(head):
		return modelscan.Yes
	}
	return modelscan.Maybe
}, Scan: scan}

// versioned is the root element of IR version 2 to 11.
var versioned = pattern.Lazy(`<net\b[^>]*\bversion="(1[01]|[2-9])"`)

func scan(ctx context.Context, p *modelscan.Pass) error {
	s := &scanner{p: p, told: map[string]bool{}}
	if _, err := pmml.Walk(ctx, p, "net", s.element); err != nil {
		return err
	}
	if !s.layers {
		return errNoLayers
	}
	return nil
}

var errNoLayers = errors.New("XML with the root net, but no layers")

type scanner struct {
	p      *modelscan.Pass
	layers bool
	layer  string // the one whose data come next
	told   map[string]bool
}

func (s *scanner) tell(id rule.ID, off int64, subject, format string, args ...any) {
	if key := string(id) + subject; !s.told[key] {
		s.told[key] = true
		s.p.Emit.Finding(modelscan.Finding{Rule: id, Path: s.p.Name, Offset: off, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
}

func (s *scanner) element(e xml.StartElement, off int64) {
	attr := map[string]string{}
	for _, a := range e.Attr {
		attr[a.Name.Local] = a.Value
	}
	switch e.Name.Local {
	case "layers":
		s.layers = true
	case "layer":
		s.layer = attr["name"]
		if v := attr["version"]; !standard(v) {
			s.tell(rule.OpenvinoCustomLayer, off, attr["type"], "the layer %q of type %s (%s) needs an extension library", s.layer, attr["type"], v)
		}
	case "data":
		s.data(attr, off)
	}
}

// standard tells whether a layer's version is one of OpenVINO's own operation sets. IR before version 10 has none.
func standard(version string) bool {
	digits, ok := strings.CutPrefix(version, "opset")
	_, err := strconv.Atoi(digits)
	return version == "" || ok && err == nil || version == "ie_internal_opset" || version == "gpu_opset" || version == "util"
}

// data of a constant: its place in the weights, checked against its type and shape.
func (s *scanner) data(attr map[string]string, off int64) {
	if attr["offset"] == "" || attr["size"] == "" {
		return
	}
	at, err := strconv.ParseUint(attr["offset"], 10, 64)
	size, bad := strconv.ParseUint(attr["size"], 10, 64)
	need, known := bytesOf(attr["element_type"], attr["shape"])
	switch {
	case err != nil, bad != nil, at > math.MaxInt64, size > math.MaxInt64-at:
		s.tell(rule.OpenvinoWeightsRange, off, s.layer, "the constant %q lies at offset %s with a size of %s", s.layer, attr["offset"], attr["size"])
	case known && need > float64(size):
		s.tell(rule.OpenvinoWeightsRange, off, s.layer, "the constant %q of shape [%s] needs %.0f bytes, %d are given", s.layer, attr["shape"], need, size)
	case s.p.Limits.MaxFacts > 0:
		s.p.Emit.Fact(modelscan.Fact{Kind: modelscan.TensorFact, Path: s.p.Name, Name: s.layer, DType: attr["element_type"], Shape: dims(attr["shape"]), Offset: int64(at), Size: int64(size)})
	}
}

// elementBits of the types whose name does not end in it.
var elementBits = map[string]float64{"boolean": 8, "bf16": 16, "f8e4m3": 8, "f8e5m2": 8, "f8e8m0": 8, "f4e2m1": 4, "nf4": 4, "u1": 1}

// bytesOf a constant; a product that overflows is a large number here.
func bytesOf(kind, shape string) (float64, bool) {
	size, ok := elementBits[kind]
	if n, err := strconv.Atoi(strings.TrimLeft(kind, "fiu")); !ok && err == nil && kind != "" && n > 0 && n <= 64 {
		size, ok = float64(n), true
	}
	for part := range strings.SplitSeq(shape, ",") {
		part = strings.TrimSpace(part)
		n, err := strconv.ParseFloat(part, 64)
		if part != "" && (err != nil || n < 0) {
			return 0, false
		}
		if part != "" {
			size *= n
		}
	}
	return math.Ceil(size / 8), ok
}

func dims(shape string) []int64 {
	var out []int64
	for part := range strings.SplitSeq(shape, ",") {
		if n, err := strconv.ParseInt(strings.TrimSpace(part), 10, 64); err == nil && len(out) < 64 {
			out = append(out, n)
		}
	}
	return out
}
