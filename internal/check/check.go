// Package check turns what is known of a Python file and of the models it loads into diagnostics,
// the same ones for the editor and for the command line.
package check

import (
	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// Related points into a file that explains a diagnostic.
type Related struct {
	Path    string // the model file
	Member  string // the finding's path inside it
	Offset  int64
	Message string
}

// Diagnostic is one line for the user about one span of a Python file.
type Diagnostic struct {
	Rule     rule.ID
	Severity rule.Severity
	Span     analyzers.Span
	Message  string
	Fixes    []analyzers.Fix
	Related  []Related
	Artifact *engine.Artifact // the model it speaks of, if any
}
