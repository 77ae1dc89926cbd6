package repo_test

import (
	"errors"
	"flag"
	"testing"

	"github.com/secure-torch/secure-torch/internal/modeltest"
)

var update = flag.Bool("update", false, "rewrite the section \"want\" of every recipe")

func TestRecipes(t *testing.T) {
	noPickles := func(string) ([]byte, error) { return nil, errors.New("no pickles here") }
	modeltest.Cases(t, ".", noPickles, nil, *update)
}
