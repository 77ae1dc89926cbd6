// Package keras judges the configurations from which Keras rebuilds a model: config.json of a .keras
// archive, the model_config attribute of an HDF5 file, a saved JSON. A configuration names classes and
// functions by module and name, and Keras imports and calls them.
package keras

import (
	"bytes"
	"context"
	"errors"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
	"github.com/secure-torch/secure-torch/modelscan/zip"
)

// Format is a Keras configuration in JSON.
var Format = &modelscan.Format{Name: "keras", Sniff: sniff, Scan: func(_ context.Context, p *modelscan.Pass) error {
	root, err := jsontree.Read(p.Source, p.Limits)
	if err != nil {
		return err
	}
	if p.Claimed != modelscan.Yes && (root.Str("class_name") == "" || root.Get("config") == nil) {
		return errNotConfig
	}
	Judge(p, root)
	return nil
}}

var errNotConfig = errors.New("JSON, but no Keras configuration")

// opens is how the configuration of a model begins, as Keras 2 and 3 write it.
var opens = pattern.Lazy(`^\{\s*(?:"module"\s*:\s*"(?:tf_)?keras|"class_name"\s*:\s*"(?:Sequential|Functional|Model)")`)

// sniff: other JSON has a "class_name" somewhere too, so that this is a guess unless the text begins as Keras
// begins it. Inside a .keras archive the profile decides.
func sniff(p modelscan.Probe) modelscan.Confidence {
	head := bytes.TrimLeft(bytes.TrimPrefix(p.Head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if opens().Match(head) {
		return modelscan.Yes
	}
	if bytes.HasPrefix(head, []byte("{")) && (bytes.Contains(p.Head, []byte(`"class_name"`)) || bytes.Contains(p.Tail, []byte(`"class_name"`))) {
		return modelscan.Maybe
	}
	return modelscan.No
}

// Profile is the .keras archive: Keras 3 reads config.json and metadata.json by name.
var Profile = &zip.Profile{
	Name: "keras",
	Open: func(a *zip.Archive) *zip.Use {
		if !has(a, "config.json") || !has(a, "metadata.json") && !has(a, "model.weights.h5") {
			return nil
		}
		return &zip.Use{As: as}
	},
}

func as(e *zip.Entry) *modelscan.Format {
	switch e.Name {
	case "config.json":
		return Format
	case "metadata.json":
		return metadata
	}
	return nil
}

// metadata is the archive's other document: versions and a date, which need only be there.
var metadata = &modelscan.Format{Name: "metadata of keras", Inert: true, Scan: func(_ context.Context, p *modelscan.Pass) error {
	_, err := jsontree.Read(p.Source, p.Limits)
	return err
}}

func has(a *zip.Archive, name string) bool {
	for _, e := range a.Entries {
		if e.Name == name {
			return true
		}
	}
	return false
}
