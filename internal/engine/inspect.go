package engine

import (
	"context"

	"github.com/secure-torch/secure-torch/internal/artifact"
)

// Bounds of an inspection.
const (
	maxInspect   = 32 << 20 // bytes of one answer
	inspectFacts = 100_000
	factBytes    = 256     // what a fact may take in a report, on average
	maxListing   = 8 << 20 // bytes of one disassembly
)

// Listing says how pickles are listed in an inspection.
type Listing uint8

// Listings.
const (
	NoListing Listing = iota
	Opcodes           // one a line, as pickletools does
	Program           // as Python that would do the same
)

// Inspect scans the file at path and tells what is in it: the sources, tensors and metadata as facts
// of the report, and, where that is asked for, a listing of every pickle. The listing comes from a
// worker that has read hostile bytes: it has to be escaped before it is shown.
func (e *Engine) Inspect(ctx context.Context, path string, listing Listing) (*Artifact, string) {
	return e.InspectTarget(ctx, artifact.Target{Path: path}, listing)
}

// InspectTarget is Inspect for a file that is to be opened as a target says.
func (e *Engine) InspectTarget(ctx context.Context, target artifact.Target, listing Listing) (*Artifact, string) {
	j := &job{target: target}
	if err := j.open(); err != nil {
		return &Artifact{Path: target.Path, Report: unread(j.label(), err)}, ""
	}
	defer j.file.Close()
	limits := e.limits
	limits.MaxFacts = inspectFacts
	inspector := &Engine{opts: e.opts, limits: limits, pool: e.pool}
	params := map[string]any{"Limits": limits, "Program": listing == Program}
	if listing != NoListing {
		params["MaxText"] = maxListing
	}
	a, text, bad := inspector.detail(ctx, j.file, "inspect", params, maxInspect, inspector.opts.Judge)
	if bad {
		return a, ""
	}
	return a, string(text)
}
