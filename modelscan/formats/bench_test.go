package formats_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/formats"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

// small are contents of members of which an archive may hold a hundred thousand.
var small = map[string]string{
	"word":   "hello",
	"run":    strings.Repeat("x", 300),
	"prose":  strings.Repeat("Weights were trained on public text, see the paper. ", 6),
	"key":    "name: value\nother: 1\n" + strings.Repeat("# comment\n", 20),
	"json":   `{"name": "value", "list": [1, 2, 3]}`,
	"binary": strings.Repeat("\x00\x01\x02\x80\x3f", 60),
	"floats": strings.Repeat("\xcd\xcc\x8c\x3f\x9a\x99\x59\xbf", 40),
}

// BenchmarkSmallMember is the whole scan of one small member; 100,000 of them should take 2 s at most.
func BenchmarkSmallMember(b *testing.B) {
	all := formats.All()
	for name, text := range small {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				scantest.Scan(b, "m", []byte(text), all...)
			}
		})
	}
}

// BenchmarkSniff tells which format's judgement of a small member costs what.
func BenchmarkSniff(b *testing.B) {
	for name, text := range small {
		p := modelscan.Probe{Head: []byte(text), Tail: bytes.Clone([]byte(text)), Size: int64(len(text))}
		for _, f := range formats.All() {
			b.Run(name+"/"+f.Name, func(b *testing.B) {
				for b.Loop() {
					f.Sniff(p)
				}
			})
		}
	}
}
