package modelscan

import (
	"bytes"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// modelExtensions are names that loaders are given. They are never believed, only asked for an
// explanation when no format recognises the content.
var modelExtensions = map[string]bool{
	".pt": true, ".pth": true, ".ckpt": true, ".bin": true, ".pkl": true, ".pickle": true, ".p": true, ".joblib": true, ".dill": true,
	".safetensors": true, ".onnx": true, ".gguf": true, ".ggml": true, ".h5": true, ".hdf5": true, ".keras": true, ".pb": true, ".tflite": true,
	".npy": true, ".npz": true, ".nemo": true, ".mar": true, ".mlmodel": true, ".skops": true, ".model": true, ".msgpack": true, ".pdparams": true,
	".params": true, ".pdmodel": true, ".pdiparams": true, ".cbm": true, ".ubj": true, ".rds": true, ".rda": true, ".rdata": true, ".ort": true, ".pte": true, ".ptl": true, ".t7": true, ".engine": true, ".rknn": true, ".llamafile": true, ".ot": true, ".pmml": true,
}

// textExtensions are those of them that some text has too: word lists, settings, models of text.
var textExtensions = map[string]bool{".bin": true, ".model": true, ".params": true, ".engine": true, ".p": true, ".ot": true, ".pb": true, ".t7": true}

// shortText is less than any text with a model's name that means something, in bytes.
const shortText = 32

// ModelName says whether a file is named as a model: whether somebody may give it to a loader. It says nothing of what
// is in it.
func ModelName(name string) bool { return modelExtensions[strings.ToLower(path.Ext(name))] }

// ModelExtensions are the endings that models have, in order and without their dots.
func ModelExtensions() []string {
	var out []string
	for _, ext := range slices.Sorted(maps.Keys(modelExtensions)) {
		out = append(out, ext[1:])
	}
	return out
}

// unclaimed judges a source that no format recognised: a model-named file is a gap, unless its name may be a
// text's and it is one. A pickle of protocol 0 that was cut off is text too.
func (d *driver) unclaimed(src Source, depth int, probe Probe) {
	name := src.Name[strings.LastIndexByte(src.Name, '!')+1:]
	ext := strings.ToLower(path.Ext(name))
	switch {
	case depth > 0, !ModelName(withoutPacking(name)), textExtensions[ext] && src.Size >= shortText && isText(probe):
		return
	case src.Size == 0:
		d.sink(src, depth).Gap(Gap{Rule: rule.Malformed, Path: src.Name, Reason: "the file is empty"})
	default:
		d.sink(src, depth).Gap(Gap{Rule: rule.NotRecognised, Path: src.Name, Reason: "named as a model, but in no format that is known here"})
	}
	d.report.Kind = KindModel
}

// packings are the endings of compressed files: model.pkl.gz is a model too, though none that can be unpacked.
var packings = map[string]bool{".gz": true, ".bz2": true, ".xz": true, ".lzma": true, ".lz4": true, ".zst": true, ".z": true, ".zlib": true}

func withoutPacking(name string) string {
	if ext := path.Ext(name); packings[strings.ToLower(ext)] {
		return strings.TrimSuffix(name, ext)
	}
	return name
}

// hollow judges an artifact that is named as a model and turned out to be an archive of other things: its loader finds
// no model in it. An .npz may be empty, and NumPy hands out members that are no arrays as bytes.
func (d *driver) hollow(src Source) {
	if !ModelName(src.Name) || strings.EqualFold(path.Ext(src.Name), ".npz") || len(d.report.Formats) == 0 || len(d.report.Gaps)+len(d.report.Findings) > 0 {
		return
	}
	for _, name := range d.report.Formats {
		i := slices.IndexFunc(d.formats, func(f *Format) bool { return f.Name == name })
		if i < 0 || !d.formats[i].Container {
			return
		}
	}
	d.sink(src, 0).Gap(Gap{Rule: rule.NotRecognised, Path: src.Name, Reason: "named as a model, but an archive in which no model was found that is known here"})
}

// isText: non-empty, valid UTF-8 without control bytes but white space, as far as the probe shows.
func isText(p Probe) bool {
	if p.Size == 0 {
		return false
	}
	for _, part := range [][]byte{p.Head, p.Tail} {
		part = trimPartialRunes(part)
		if !utf8.Valid(part) || bytes.ContainsFunc(part, func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r\f", r) }) {
			return false
		}
	}
	return true
}

// trimPartialRunes drops a rune that the probe's edge cut in two.
func trimPartialRunes(b []byte) []byte {
	for i := 0; i < utf8.UTFMax-1 && len(b) > 0 && !utf8.RuneStart(b[0]); i++ {
		b = b[1:]
	}
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}
