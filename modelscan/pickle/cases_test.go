package pickle_test

import (
	"flag"
	"testing"

	"github.com/secure-torch/secure-torch/internal/modeltest"
	"github.com/secure-torch/secure-torch/internal/modeltest/pickleasm"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
)

var update = flag.Bool("update", false, "rewrite what the recipes want")

func TestCases(t *testing.T) {
	modeltest.Cases(t, "../pickle", pickleasm.Assemble, []*modelscan.Format{pickle.Format}, *update)
}
