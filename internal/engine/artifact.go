// Package engine joins the parts: it resolves what a call names, has it scanned in a confined worker,
// and gives a verdict.
package engine

import (
	"time"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Artifact is everything known about one scanned file.
type Artifact struct {
	Path     string // as asked for
	Report   *modelscan.Report
	Sandbox  Sandbox
	Digest   string // "sha256:…" when it was asked for, else empty
	Size     int64
	Duration time.Duration
	Cached   bool
	Origin   *Origin // of a remote file; nil for one on this machine

	// What the engine's Judge found out; nil where none was asked.
	Signature *evidence.Signature
	SBOM      *evidence.SBOM
	Policy    *evidence.Decision
}

// Sandbox says how the worker that made the report was confined. It is empty where no worker was needed.
type Sandbox struct {
	Grade   string            `json:"grade"`
	Layers  []string          `json:"layers"`
	Missing map[string]string `json:"missing,omitempty"` // layer -> why it could not be had
}

// Verdict of the artifact.
func (a *Artifact) Verdict() modelscan.Verdict {
	if a == nil {
		return modelscan.Unknown
	}
	return a.Report.Verdict()
}
