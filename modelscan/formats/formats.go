// Package formats lists every format the scanner reads. It is the only place that knows them all.
package formats

import (
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/media"
	"github.com/secure-torch/secure-torch/modelscan/onnx"
)

// All returns the formats in the order in which their findings are reported.
func All() []*modelscan.Format {
	return []*modelscan.Format{
		onnx.Format,
		media.Format,
	}
}
