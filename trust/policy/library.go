package policy

import (
	"embed"
	"io/fs"
	"path"
	"strings"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

//go:embed library/*.rego
var library embed.FS

// Library are the ready policies with their tests, by name without the ending: a policy "x" has its tests in "x_test".
func Library() ([]evidence.Module, error) {
	names, err := fs.Glob(library, "library/*.rego")
	if err != nil {
		return nil, err
	}
	var modules []evidence.Module
	for _, name := range names {
		text, err := library.ReadFile(name)
		if err != nil {
			return nil, err
		}
		modules = append(modules, evidence.Module{Name: strings.TrimSuffix(path.Base(name), ".rego"), Text: string(text)})
	}
	return modules, nil
}

// IsTest tells whether a module of the Library has tests.
func IsTest(name string) bool { return strings.HasSuffix(name, "_test") }
