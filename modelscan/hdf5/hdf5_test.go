package hdf5

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

func real(t testing.TB, name string) []byte {
	b, err := os.ReadFile("testdata/" + name + ".h5")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// with replaces text in a file by as much other text.
func with(t testing.TB, name, old, text string) []byte {
	if len(old) != len(text) {
		t.Fatalf("%q and %q differ in length", old, text)
	}
	b := bytes.Replace(real(t, name), []byte(old), []byte(text), 1)
	if !bytes.Contains(b, []byte(text)) {
		t.Fatalf("no %q in %s", old, name)
	}
	return b
}

// farAway is a file whose first object stands at an address that no signed number holds.
func farAway(t testing.TB) []byte {
	b := real(t, "model_earliest")
	at := bytes.Index(b, []byte("SNOD"))
	if at < 0 {
		t.Fatal("no symbol table node")
	}
	b[at+8+8+7] |= 0x80
	return b
}

// pickled is an array of Python objects in which one calls.
func pickled(t testing.TB, name string) []byte {
	b := real(t, name)
	at := bytes.Index(b, []byte("\x80\x05\x95"))
	if at < 0 {
		t.Fatal("no pickle")
	}
	copy(b[at:], "cos\nsystem\n(S'x'\ntR.") // no longer than the shortest of those objects
	return b
}

// flipped has another bit in one byte.
func flipped(t testing.TB, name string, at int) []byte {
	b := real(t, name)
	b[at] ^= 0x10
	return b
}

// TestChunks: what the limits leave unread is told of.
func TestChunks(t *testing.T) {
	b := flipped(t, "chunks_earliest", 4054+20)
	limits := modelscan.DefaultLimits()
	limits.MaxRawSummed = 20
	src := modelscan.Source{Name: "m.h5", R: bytes.NewReader(b), Size: int64(len(b))}
	r := modelscan.Scan(t.Context(), src, []*modelscan.Format{Format}, limits)
	if r.Verdict() != modelscan.Safe || len(r.Coverage.Notes) != 1 {
		t.Errorf("%v %q", r.Verdict(), r.Coverage.Notes)
	}
}

// All files are by h5py 3.16 and PyTables 3.11.
func TestScan(t *testing.T) {
	const dense = `{"class_name": "Dense", "config": {"name": "dense_of_some_length"}}`
	layer := func(json string) string { return strings.Repeat(" ", len(dense)-len(json)) + json }
	custom, lambda := layer(`{"class_name": "Mine", "config": {}}`), layer(`{"class_name": "Lambda", "config": {"function": ["4wAA"]}}`)
	whole := real(t, "model_earliest")
	scantest.Check(t, []scantest.Case{
		{Name: "Keras model, oldest layout", File: whole},
		{Name: "Keras model, newest layout", File: real(t, "model_latest")},
		{Name: "behind a user block", File: real(t, "userblock")},
		{Name: "custom layer, oldest layout", File: with(t, "model_earliest", dense, custom), Want: []string{"ST257 Mine"}},
		{Name: "custom layer, newest layout", File: with(t, "model_latest", dense, custom), Want: []string{"ST257 Mine"}},
		{Name: "custom layer behind a user block", File: with(t, "userblock", dense, custom), Want: []string{"ST257 Mine"}},
		{Name: "lambda", File: with(t, "model_earliest", dense, lambda), Want: []string{"ST255 Lambda"}},
		{Name: "lambda in a fixed-length string", File: with(t, "userblock", dense, lambda), Want: []string{"ST255 Lambda"}},
		{Name: "many links", File: real(t, "many_links"), Want: []string{"ST273 link_file.h5"}},
		{Name: "many attributes", File: real(t, "many_attributes")},
		{Name: "attribute of a committed type", File: real(t, "committed")},
		{Name: "lambda behind many links", File: with(t, "many_links", dense, lambda), Want: []string{"ST273 link_file.h5", "ST255 Lambda"}},
		{Name: "lambda among many attributes", File: with(t, "many_attributes", dense, lambda), Want: []string{"ST255 Lambda"}},
		{Name: "lambda of a committed type", File: with(t, "committed", dense, lambda), Want: []string{"ST255 Lambda"}},
		{Name: "fractal heap without its index", File: with(t, "many_links", "BTIN", "BTIX"), Want: []string{"ST901"}},
		{Name: "fractal heap that is none", File: with(t, "many_links", "FRHP", "FRHX"), Want: []string{"ST901"}},
		{Name: "configuration that is no JSON", File: with(t, "model_earliest", dense, `[`+dense[1:]), Want: []string{"ST901"}},
		{Name: "files beside it", File: real(t, "external"), Want: []string{"ST273 link_file.h5", "ST273 data_file.raw"}},
		{Name: "external link", File: with(t, "external", "link_file.h5", "/etc/passwd\x00"), Want: []string{"ST259 /etc/passwd", "ST273 data_file.raw"}},
		{Name: "external dataset", File: with(t, "external", "data_file.raw", "../../secrets"), Want: []string{"ST273 link_file.h5", "ST259 ../../secrets"}},
		{Name: "virtual dataset", File: with(t, "virtual", "virt_file.h5", "/etc/passwd2"), Want: []string{"ST259 /etc/passwd2"}},
		{Name: "an object far outside of the file", File: farAway(t), Want: []string{"ST901"}},
		{Name: "objects of PyTables", File: real(t, "pytables_objects")},
		{Name: "a call among objects of PyTables", File: pickled(t, "pytables_objects"), Want: []string{"ST201 os.system"}},
		{Name: "compressed objects of PyTables", File: real(t, "pytables_filtered")},
		{Name: "a call among compressed objects of PyTables", File: pickled(t, "pytables_filtered"), Want: []string{"ST201 os.system"}},
		{Name: "an object that is no pickle any more", File: flipped(t, "pytables_filtered", 3896), Want: []string{"ST901"}},
		{Name: "chunks, oldest layout", File: real(t, "chunks_earliest")},
		{Name: "chunks, newest layout", File: real(t, "chunks_latest")},
		{Name: "a chunk of zlib", File: flipped(t, "chunks_earliest", 4054+20), Want: []string{"ST901"}},
		{Name: "a chunk with a checksum", File: flipped(t, "chunks_earliest", 4128+2), Want: []string{"ST901"}},
		{Name: "a chunk in a fixed array", File: flipped(t, "chunks_latest", 2082+20), Want: []string{"ST901"}},
		{Name: "a fixed array", File: with(t, "chunks_latest", "FAHD\x00\x01", "FAHD\x00\x02"), Want: []string{"ST901"}},
		{Name: "a chunk in a B-tree of version 2", File: flipped(t, "chunks_latest", 2138+20), Want: []string{"ST901"}},
		{Name: "the only chunk", File: flipped(t, "chunks_latest", 2277+3), Want: []string{"ST901"}},
		{Name: "objects without their heap", File: with(t, "pytables_objects", "GCOL", "GCOX"), Want: []string{"ST901"}},
		{Name: "objects without their chunks", File: with(t, "pytables_objects", "TREE\x01", "TREX\x01"), Want: []string{"ST901"}},
		{Name: "a byte of an object header changed", File: with(t, "model_latest", "keras_version", "keras_versioN"), Want: []string{"ST901"}},
		{Name: "an attribute whose name ends early", File: with(t, "model_earliest", "model_config\x00", "model_co\x00fig\x00"), Want: []string{"ST901"}},
		{Name: "a local heap that is none", File: with(t, "model_earliest", "HEAP", "HEAX"), Want: []string{"ST901"}},
		{Name: "cut short", File: whole[:len(whole)/2], Want: []string{"ST901", "ST901"}},
		{Name: "cut in its numbers", File: real(t, "model_latest")[:len(real(t, "model_latest"))-1], Want: []string{"ST901"}},
		{Name: "superblock only", File: []byte(signature + "\x00\x00\x00\x00\x00\x08\x08\x00"), Want: []string{"ST901"}},
	}, Format, pickle.Format)
}

func FuzzScan(f *testing.F) {
	for _, name := range []string{"model_earliest", "model_latest", "userblock", "external", "virtual", "many_links", "many_attributes", "committed", "pytables_objects", "chunks_earliest", "chunks_latest"} {
		f.Add(real(f, name))
	}
	scantest.Fuzz(f, Format)
}
