package torch_test

import (
	"testing"

	"github.com/secure-torch/secure-torch/internal/modeltest"
	"github.com/secure-torch/secure-torch/internal/modeltest/pickleasm"
	"github.com/secure-torch/secure-torch/modelscan/formats"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

func FuzzScan(f *testing.F) {
	modeltest.Seed(f, "testdata", pickleasm.Assemble)
	scantest.Fuzz(f, formats.All()...)
}
