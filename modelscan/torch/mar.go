package torch

import (
	"context"
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
	"github.com/secure-torch/secure-torch/modelscan/zip"
)

const marManifest = "MAR-INF/MANIFEST.json"

// Mar is TorchServe's model archive: its manifest names a handler, Python source that the server runs.
var Mar = &zip.Profile{Name: "torchserve", Open: func(a *zip.Archive) *zip.Use {
	if len(a.Find(func(name string) bool { return name == marManifest })) == 0 {
		return nil
	}
	return &zip.Use{As: func(e *zip.Entry) *modelscan.Format {
		switch {
		case e.Name == marManifest:
			return manifest
		case strings.HasSuffix(e.Name, ".py"):
			return packageSource
		}
		return nil
	}}
}}

// manifest names files that TorchServe joins to the folder in which it unpacked the archive: those of "model".
// Source: ts/model_loader.py, frontend's ModelArchive.java.
var manifest = &modelscan.Format{Name: "torchserve-manifest", Scan: func(_ context.Context, p *modelscan.Pass) error {
	root, err := jsontree.Read(p.Source, p.Limits)
	if err != nil {
		return err
	}
	model := root.Get("model")
	for _, key := range []string{"handler", "serializedFile", "modelFile", "requirementsFile", "configFile"} {
		name := model.Str(key)
		file, _, _ := strings.Cut(name, ":") // "handler.py:function"
		if why := modelscan.Escapes(file); why != "" {
			p.Emit.Finding(modelscan.Finding{Rule: rule.RepositoryPathEscape, Path: p.Name, Offset: model.Get(key).Off, Subject: name,
				Message: fmt.Sprintf("the manifest's %s %q %s", key, name, why)})
		}
	}
	return nil
}}
