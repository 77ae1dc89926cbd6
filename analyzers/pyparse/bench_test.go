package pyparse

import (
	"os"
	"testing"
)

// BenchmarkParse needs ST_SOURCE, the path of a Python file.
func BenchmarkParse(b *testing.B) {
	src, err := os.ReadFile(os.Getenv("ST_SOURCE"))
	if err != nil {
		b.Skip("ST_SOURCE names no file")
	}
	for name, g := range grammars {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				Parse(src, g)
			}
		})
	}
}
