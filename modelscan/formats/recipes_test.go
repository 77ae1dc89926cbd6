package formats_test

import (
	"flag"
	"testing"

	"github.com/secure-torch/secure-torch/internal/modeltest"
	"github.com/secure-torch/secure-torch/internal/modeltest/pickleasm"
	"github.com/secure-torch/secure-torch/modelscan/formats"
)

var update = flag.Bool("update", false, "rewrite the section \"want\" of every recipe")

// TestRecipes runs every recipe of every format.
func TestRecipes(t *testing.T) {
	modeltest.Cases(t, "..", pickleasm.Assemble, formats.All(), *update)
}
