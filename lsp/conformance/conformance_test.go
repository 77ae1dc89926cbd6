// Package conformance runs the server before pytest-lsp, a client that nobody here wrote.
package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// PYTEST_LSP names a Python that has pytest-lsp 1.0.1; default: the one that install.sh makes. Without one the
// test is skipped, unless REQUIRE_PYTEST_LSP=1.
func TestPytestLSP(t *testing.T) {
	python := os.Getenv("PYTEST_LSP")
	if python == "" {
		venv, err := filepath.Abs(filepath.Join("..", "..", ".cache", "pytest-lsp", "bin", "python"))
		if err != nil {
			t.Fatal(err)
		}
		python = venv
	}
	if out, err := exec.Command(python, "-c", "import pytest_lsp").CombinedOutput(); err != nil {
		if os.Getenv("REQUIRE_PYTEST_LSP") == "1" {
			t.Fatalf("%s has no pytest-lsp: %v\n%s", python, err, out)
		}
		t.Skip("no pytest-lsp here (PYTEST_LSP)")
	}
	binary := filepath.Join(t.TempDir(), "secure-torch")
	if out, err := exec.Command("go", "build", "-C", filepath.Join("..", ".."), "-o", binary, "./cmd/secure-torch").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_conformance.py")
	cmd.Env = append(os.Environ(), "SERVER="+binary, "PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
