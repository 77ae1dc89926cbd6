package safetensors

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// file makes a safetensors file of the given header and as many bytes of data.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func report(t testing.TB, b []byte) *modelscan.Report {
	t.Helper()
	src := modelscan.Source{Name: "m.safetensors", R: bytes.NewReader(b), Size: int64(len(b))}
	return modelscan.Scan(context.Background(), src, []*modelscan.Format{Format}, modelscan.DefaultLimits())
}

var cases = []struct {
	name, header string
	data         int
	want         rule.ID // of the first finding, or of the first gap; empty for neither
	verdict      modelscan.Verdict
}{
	{"plain", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8, "", modelscan.Safe},
	{"metadata and blanks", `{"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}   `, 4, "", modelscan.Safe},
	{"scalar", `{"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`, 8, "", modelscan.Safe},
	{"no tensors", `{}`, 0, "", modelscan.Safe},
	{"no elements", `{"a":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]}}`, 0, rule.SafetensorsZeroSize, modelscan.Safe},
	{"half bytes", `{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}`, 2, "", modelscan.Safe},
	{"overlap", `{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}`, 6, rule.SafetensorsAmbiguous, modelscan.Review},
	{"hole", `{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[6,10]}}`, 10, rule.SafetensorsAmbiguous, modelscan.Review},
	{"trailing", `{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, 9, rule.SafetensorsAmbiguous, modelscan.Review},
	{"twice", `{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`, 8, rule.SafetensorsAmbiguous, modelscan.Review},
	{"twice by escape", `{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"\u0061":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`, 8, rule.SafetensorsAmbiguous, modelscan.Review},
	{"field twice", `{"a":{"dtype":"U8","shape":[4],"shape":[4],"data_offsets":[0,4]}}`, 4, rule.SafetensorsAmbiguous, modelscan.Review},
	{"dtype", `{"a":{"dtype":"F31","shape":[4],"data_offsets":[0,4]}}`, 4, rule.Malformed, modelscan.Incomplete},
	{"size", `{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,4]}}`, 4, rule.Malformed, modelscan.Incomplete},
	{"overflow", `{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,0]}}`, 0, rule.Malformed, modelscan.Incomplete},
	{"outside", `{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`, 4, rule.Malformed, modelscan.Incomplete},
	{"backwards", `{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}`, 4, rule.Malformed, modelscan.Incomplete},
	{"negative", `{"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}}`, 4, rule.Malformed, modelscan.Incomplete},
	{"fraction", `{"a":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}}`, 4, rule.Malformed, modelscan.Incomplete},
	{"metadata number", `{"__metadata__":{"n":1}}`, 0, rule.Malformed, modelscan.Incomplete},
	{"missing field", `{"a":{"dtype":"U8","shape":[4]}}`, 4, rule.Malformed, modelscan.Incomplete},
	{"behind", `{} {}`, 0, rule.Malformed, modelscan.Incomplete},
	{"comma", `{"a":1,}`, 0, rule.Malformed, modelscan.Incomplete},
	{"cut off", `{"a":{"dtype":`, 0, rule.Malformed, modelscan.Incomplete},
	{"not utf-8", "{\"\xff\":{}}", 0, rule.Malformed, modelscan.Incomplete},
	{"long name", `{"` + strings.Repeat("a", maxString+1) + `":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}`, 1, rule.LimitReached, modelscan.Incomplete},
}

func TestHeader(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := report(t, file(c.header, c.data))
			var got rule.ID
			switch {
			case len(r.Findings) > 0:
				got = r.Findings[0].Rule
			case len(r.Gaps) > 0:
				got = r.Gaps[0].Rule
			}
			if got != c.want || r.Verdict() != c.verdict {
				t.Errorf("got %q %v, want %q %v\n%+v", got, r.Verdict(), c.want, c.verdict, r)
			}
		})
	}
}

func TestHeaderLength(t *testing.T) {
	for _, n := range []uint64{maxHeader + 1, 100, 1<<48 - 1} {
		b := append(binary.LittleEndian.AppendUint64(nil, n), "{}"...)
		if r := report(t, b); r.Verdict() != modelscan.Incomplete {
			t.Errorf("length %d: verdict %v", n, r.Verdict())
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, c := range cases {
		if len(c.header) < 1000 {
			f.Add(file(c.header, c.data))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { report(t, b) })
}

// TestDocuments: a bill of materials in __metadata__, and what single values say.
func TestDocuments(t *testing.T) {
	r := report(t, file(`{"__metadata__":{"format":"pt","sbom":"{\"bomFormat\":\"CycloneDX\"}","modelspec.license":"MIT"}}`, 0))
	want := []modelscan.Document{{Path: "m.safetensors", Name: "sbom", Text: `{"bomFormat":"CycloneDX"}`}, {Path: "m.safetensors", Name: "modelspec.license", Text: "MIT"}}
	if !slices.Equal(r.Documents, want) {
		t.Errorf("%+v", r)
	}
}
