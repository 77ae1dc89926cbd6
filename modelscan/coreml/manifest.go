package coreml

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
)

// Manifest is the Manifest.json of an .mlpackage: it lists the package's files.
var Manifest = &modelscan.Format{Name: "mlpackage", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if bytes.HasPrefix(bytes.TrimLeft(p.Head, " \t\r\n"), []byte("{")) && bytes.Contains(p.Head, []byte(`"itemInfoEntries"`)) && bytes.Contains(p.Head, []byte(`"fileFormatVersion"`)) {
		return modelscan.Yes
	}
	if bytes.Contains(p.Head, []byte(`"itemInfoEntries"`)) || bytes.Contains(p.Tail, []byte(`"itemInfoEntries"`)) {
		return modelscan.Maybe
	}
	return modelscan.No
}, Scan: func(_ context.Context, p *modelscan.Pass) error {
	root, err := jsontree.Read(p.Source, p.Limits)
	items := root.Get("itemInfoEntries")
	if err != nil || items == nil || items.Kind != jsontree.Object {
		return errors.Join(err, errors.New("no itemInfoEntries"))
	}
	for _, item := range items.Items {
		for i, key := range item.Keys {
			path := item.Items[i].String()
			if why := modelscan.Escapes(path); key == "path" && why != "" {
				p.Emit.Finding(modelscan.Finding{Rule: rule.CoremlManifestPath, Path: p.Name, Offset: item.Items[i].Off, Subject: path, Message: fmt.Sprintf("the package's file %q %s", path, why)})
			}
		}
	}
	return nil
}}
