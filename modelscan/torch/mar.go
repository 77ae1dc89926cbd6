package torch

import (
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/zip"
)

// Mar is TorchServe's model archive: its manifest names a handler, Python source that the server runs.
var Mar = &zip.Profile{Name: "torchserve", Open: func(a *zip.Archive) *zip.Use {
	if len(a.Find(func(name string) bool { return name == "MAR-INF/MANIFEST.json" })) == 0 {
		return nil
	}
	return &zip.Use{As: func(e *zip.Entry) *modelscan.Format {
		if strings.HasSuffix(e.Name, ".py") {
			return packageSource
		}
		return nil
	}}
}}
