// Package identified names model formats that are recognised by their magic numbers but not read yet.
// Each is a gap: nobody may take them for safe.
package identified

import (
	"bytes"
	"context"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Formats are all of them.
func Formats() []*modelscan.Format {
	formats := make([]*modelscan.Format, len(known))
	for i, k := range known {
		formats[i] = &modelscan.Format{
			Name: k.name,
			Sniff: func(p modelscan.Probe) modelscan.Confidence {
				if len(p.Head) >= k.off && bytes.HasPrefix(p.Head[k.off:], []byte(k.magic)) {
					return modelscan.Yes
				}
				return modelscan.No
			},
			Scan: func(_ context.Context, p *modelscan.Pass) error {
				p.Emit.Gap(modelscan.Gap{Rule: rule.NotSupported, Path: p.Name, Reason: k.name + " is recognised, but not supported yet"})
				return nil
			},
		}
	}
	return formats
}

// known formats, by the bytes at an offset.
var known = []struct {
	name  string
	off   int
	magic string
}{
	{"executorch", 4, "ET12"}, {"executorch", 4, "ET13"}, {"rknn", 0, "RKNN"}, {"tensorrt", 0, "ftrt"}, {"tensorrt", 0, "ptrt"},
	{"ggml", 0, "lmgg"}, {"ggml", 0, "fmgg"}, {"ggml", 0, "tjgg"}, {"ggml", 0, "algg"}, {"circle", 4, "CIR0"},
	{"torch7", 0, "\x04\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00V 1"}, {"torch7", 0, "4\n1\n3\nV 1\n"}, // an object, number 1, in binary and as text
	{"paddle-pir", 0, `{"base_code":{"magic":"pir"`},
	{"rar", 0, "Rar!\x1a\x07"},
}
