package pickle

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
)

// dicts is a protocol 4 pickle of n small dicts as CPython's pickler writes them.
func dicts(n int) []byte {
	b := []byte("\x80\x04]\x94(")
	for i := range n {
		b = append(b, "}\x94(\x8c\x02id\x94J"...)
		b = binary.LittleEndian.AppendUint32(b, uint32(i))
		b = append(b, "\x8c\x04name\x94\x8c\x28"...)
		b = append(b, "token_0123456789012345678901234567890123"...)
		b = append(b, "\x94\x8c\x05score\x94G\x3f\xc0\x00\x00\x00\x00\x00\x00\x8c\x03pos\x94K\x01K\x02J\xff\xff\xff\xff\x87\x94\x8c\x04blob\x94C\x50"...)
		b = append(b, make([]byte, 0x50)...)
		b = append(b, "\x94\x8c\x04tags\x94]\x94(\x8c\x01a\x94\x8c\x01b\x94eu"...)
	}
	return append(b, "e."...)
}

func BenchmarkScan(b *testing.B) {
	data := dicts(200_000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		r := modelscan.Scan(b.Context(), modelscan.Source{Name: "x.pkl", R: bytes.NewReader(data), Size: int64(len(data))}, []*modelscan.Format{Format}, modelscan.DefaultLimits())
		if r.Verdict() != modelscan.Safe {
			b.Fatal(r.Verdict())
		}
	}
}
