package modelscan

import "strings"

// Document is what a file's own metadata says of the model: a bill of materials as a whole, or one value under a name
// that describes it ("general.license").
type Document struct {
	Path string `json:"path"` // the Source's name
	Name string `json:"name"` // the key of the metadata
	Text string `json:"text"`
}

// Bounds of the documents that are kept of one artifact.
const (
	MaxDocument    = 256 << 10 // bytes of all bills of materials
	maxDescription = 2000      // bytes of one value
	maxDocuments   = 100
)

// billMarks are what each kind of bill of materials has to name (CycloneDX, SPDX 2, SPDX 3, the small aiProfile).
var billMarks = [...]string{`"bomFormat"`, `"spdxVersion"`, `spdx.org/rdf/`, `"aiProfile"`}

// IsBill tells whether a text of a file's metadata looks like a bill of materials in JSON.
func IsBill(text string) bool {
	if !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		return false
	}
	for _, m := range billMarks {
		if strings.Contains(text, m) {
			return true
		}
	}
	return false
}

// describing are names under which metadata describes a model: GGUF's general.* (ggml's gguf.md), the Stability model
// metadata standard's modelspec.*, and what exporters to ONNX and safetensors write.
var (
	describingPrefixes = [...]string{"general.", "modelspec."}
	describingNames    = [...]string{"license", "licence", "author", "base_model", "dataset", "datasets", "model_name", "model_version", "task", "library_name", "pipeline_tag"}
)

// describes tells whether a name is one of those.
func describes(name string) bool {
	for _, p := range describingPrefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	for _, n := range describingNames {
		if strings.EqualFold(name, n) {
			return true
		}
	}
	return false
}

// document keeps a value of a file's metadata that describes the model, whatever facts are asked for: policies decide by it.
func (d *driver) document(f Fact) {
	bill := IsBill(f.Value)
	if !bill && !describes(f.Name) || len(d.report.Documents) >= maxDocuments {
		return
	}
	if !bill {
		d.report.Documents = append(d.report.Documents, Document{clip(f.Path), clip(f.Name), clip(f.Value[:min(len(f.Value), maxDescription)])})
		return
	}
	total := len(f.Value)
	for _, doc := range d.report.Documents {
		total += len(doc.Text)
	}
	if total > MaxDocument {
		d.sink(Source{}, 0).Note("the metadata " + clip(f.Name) + " is a bill of materials that is too large to be read")
		return
	}
	d.report.Documents = append(d.report.Documents, Document{clip(f.Path), clip(f.Name), strings.ToValidUTF8(f.Value, "\ufffd")})
}
