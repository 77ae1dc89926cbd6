package gguf

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

// builder writes GGUF, byte by byte.
type builder struct {
	order binary.AppendByteOrder
	b     []byte
}

func header(tensors, pairs uint64) *builder {
	w := &builder{order: binary.LittleEndian, b: []byte("GGUF")}
	return w.u32(3).u64(tensors).u64(pairs)
}

func (w *builder) u32(v uint32) *builder    { w.b = w.order.AppendUint32(w.b, v); return w }
func (w *builder) u64(v uint64) *builder    { w.b = w.order.AppendUint64(w.b, v); return w }
func (w *builder) text(s string) *builder   { w.u64(uint64(len(s))); w.b = append(w.b, s...); return w }
func (w *builder) str(k, v string) *builder { return w.text(k).u32(typeString).text(v) }
func (w *builder) tensor(name string, kind uint32, off uint64, dims ...uint64) *builder {
	w.text(name).u32(uint32(len(dims)))
	for _, d := range dims {
		w.u64(d)
	}
	return w.u32(kind).u64(off)
}
func (w *builder) data(n int) []byte {
	for len(w.b)%32 != 0 {
		w.b = append(w.b, 0)
	}
	return append(w.b, make([]byte, n)...)
}

const escape = `{{ ''.__class__ }}`

func TestScan(t *testing.T) {
	real, err := os.ReadFile("testdata/tiny.gguf")
	if err != nil {
		t.Fatal(err)
	}
	big := &builder{order: binary.BigEndian, b: []byte("GGUF")}
	big.u32(3).u64(0).u64(1).str("tokenizer.chat_template", escape)
	old := &builder{order: binary.LittleEndian, b: []byte("GGUF")}
	old.u32(1).u32(0).u32(1).u32(1)
	old.b = append(old.b, 'k')
	old.u32(4).u32(7)
	scantest.Check(t, []scantest.Case{
		{Name: "written by gguf-py 0.19", File: real},
		{Name: "no tensors", File: header(0, 1).str("general.architecture", "llama").b},
		{Name: "version 1", File: old.b},
		{Name: "ordinary template", File: header(0, 1).str("tokenizer.chat_template", "{% for m in messages %}{{ m.role }}{% endfor %}").b},
		{Name: "escape", File: header(0, 1).str("tokenizer.chat_template", escape).b, Want: []string{"ST252 __class__"}},
		{Name: "escape in a named template", File: header(0, 2).str("tokenizer.chat_template", "ok").str("tokenizer.chat_template.tool_use", escape).b, Want: []string{"ST252 __class__"}},
		{Name: "escape in an array", File: header(0, 1).text("tokenizer.chat_templates").u32(typeArray).u32(typeString).u64(1).text(escape).b, Want: []string{"ST252 __class__"}},
		{Name: "escape, big-endian", File: big.b, Want: []string{"ST252 __class__"}},
		{Name: "code in metadata", File: header(0, 1).str("general.description", "run os.system('x') now").b, Want: []string{"ST250 general.description"}},
		{Name: "pair count overflows", File: header(0, 1<<63).b, Want: []string{"ST254 metadata pairs"}},
		{Name: "tensor count overflows", File: header(1<<63+1, 0).b, Want: []string{"ST254 tensors"}},
		{Name: "string length overflows", File: header(0, 1).text("k").u32(typeString).u64(1<<64 - 1).u64(0).b, Want: []string{"ST254 bytes of text"}},
		{Name: "array length overflows", File: header(0, 1).text("k").u32(typeArray).u32(4).u64(1 << 62).u64(0).b, Want: []string{"ST254 array items"}},
		{Name: "shape overflows", File: header(1, 0).tensor("w", 0, 0, 1<<32, 1<<32).data(16), Want: []string{"ST254 w"}},
		{Name: "size overflows", File: header(1, 0).tensor("w", 0, 0, 1<<62).data(16), Want: []string{"ST254 w"}},
		{Name: "offset overflows", File: header(1, 0).tensor("w", 0, 1<<64-32, 16).data(64), Want: []string{"ST254 w"}},
		{Name: "five dimensions", File: header(1, 0).tensor("w", 0, 0, 1, 1, 1, 1, 1).data(16), Want: []string{"ST254 w"}},
		{Name: "alignment zero", File: header(0, 1).text("general.alignment").u32(4).u32(0).b, Want: []string{"ST254 general.alignment"}},
		{Name: "tensors in place", File: header(1, 0).tensor("w", 2, 0, 32, 2).data(36)},
		{Name: "tensor data cut short", File: header(1, 0).tensor("w", 2, 0, 32, 2).data(35), Want: []string{"ST901"}},
		{Name: "misaligned tensor", File: header(1, 0).tensor("w", 0, 4, 1).data(16), Want: []string{"ST901"}},
		{Name: "data in reverse", File: header(2, 0).tensor("v", 0, 32, 8).tensor("w", 0, 0, 8).data(64), Want: []string{"ST901", "ST901"}},
		{Name: "rows of half a block", File: header(1, 0).tensor("w", 2, 0, 16, 4).data(36), Want: []string{"ST901"}},
		{Name: "a key that is not UTF-8", File: header(0, 1).str("k\xff", "v").b, Want: []string{"ST901"}},
		{Name: "a text that is not UTF-8", File: header(0, 1).str("k", "v\xff").b, Want: []string{"ST901"}},
		{Name: "a tensor whose name is not UTF-8", File: header(1, 0).tensor("w\xff", 0, 0, 8).data(32), Want: []string{"ST901"}},
		{Name: "an alignment of another type", File: header(0, 1).text("general.alignment").u32(10).u64(32).b, Want: []string{"ST901"}},
		{Name: "cut short", File: real[:200], Want: []string{"ST901"}},
		{Name: "version 99", File: (&builder{order: binary.LittleEndian, b: []byte("GGUF")}).u32(99).u64(0).u64(0).b, Want: []string{"ST901"}},
		{Name: "arrays in arrays", File: header(0, 1).text("k").u32(9).u32(9).u64(1).u32(9).u64(1).u32(9).u64(1).u32(9).u64(1).u32(9).u64(1).u64(0).b, Want: []string{"ST902"}},
	}, Format)
}

func FuzzScan(f *testing.F) {
	f.Add(header(0, 1).str("tokenizer.chat_template", escape).b)
	f.Add(header(1, 1).text("k").u32(typeArray).u32(typeString).u64(1).text("x").tensor("w", 2, 0, 32, 2).data(36))
	scantest.Fuzz(f, Format)
}

// TestVocabulary: words that are no text are told of, as llama.cpp reads them.
func TestVocabulary(t *testing.T) {
	b := header(0, 1).text("tokenizer.ggml.tokens").u32(typeArray).u32(typeString).u64(3).text("a").text("\xff").text("\xc3").b
	r := scantest.Scan(t, "m.gguf", b, Format)
	if r.Verdict() != modelscan.Safe || len(r.Coverage.Notes) != 1 || !strings.HasPrefix(r.Coverage.Notes[0], "m.gguf: 2 texts in lists") {
		t.Errorf("%v %q", r.Verdict(), r.Coverage.Notes)
	}
}

// TestDocuments: a bill of materials in the metadata, and what general.* says.
func TestDocuments(t *testing.T) {
	const bill = `{"bomFormat":"CycloneDX"}`
	b := header(0, 3).str("general.license", "mit").str("sbom", bill).str("tokenizer.ggml.model", "llama").b
	r := modelscan.Scan(t.Context(), modelscan.Source{Name: "m", R: bytes.NewReader(b), Size: int64(len(b))}, []*modelscan.Format{Format}, modelscan.DefaultLimits())
	want := []modelscan.Document{{Path: "m", Name: "general.license", Text: "mit"}, {Path: "m", Name: "sbom", Text: bill}}
	if !slices.Equal(r.Documents, want) || len(r.Facts) != 0 {
		t.Errorf("%+v", r)
	}
}
