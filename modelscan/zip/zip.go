// Package zip reads zip archives as all the loaders of models read them: miniz in torch, CPython's zipfile,
// and stricter readers. Where these see different members in the same bytes, all are scanned and the
// difference is a finding. It never uses archive/zip, which is a fourth opinion.
//
// The reader (end.go, directory.go, local.go, archive.go) knows no model format. What a loader makes of an
// archive is a Profile, kept by that loader's package.
package zip

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/secure-torch/secure-torch/modelscan"
)

// Profile is one loader's use of archives.
type Profile struct {
	Name string // is added to the report's formats where Open answers
	// Open says what the loader would make of the archive, nil when it would not take it for its own.
	Open func(*Archive) *Use
}

// Use is what one loader makes of one archive. Every field may be nil.
type Use struct {
	// Raw tells that the loader reads the member as numbers: it is not read here, unless another loader
	// has a format for it.
	Raw func(*Entry) bool
	// As returns the format in which the loader reads the member whatever it looks like, or nil.
	As func(*Entry) *modelscan.Format
	// Scan looks at the archive as a whole, after its members were scanned.
	Scan func(context.Context, *modelscan.Pass) error
}

// New returns the zip format with the given loaders' profiles. Holder, when set, knows archives that are data of a pickle.
func New(holder Holder, profiles ...*Profile) *modelscan.Format {
	return &modelscan.Format{
		Name: "zip", Sniff: sniff, Container: true,
		// "P" is an opcode that no loader of a file that begins like a zip gets past.
		Covers: []string{"pickle"},
		Scan:   func(ctx context.Context, p *modelscan.Pass) error { return scan(ctx, p, holder, profiles) },
	}
}

func sniff(p modelscan.Probe) modelscan.Confidence {
	switch {
	case bytes.HasPrefix(p.Head, []byte("PK\x03\x04")), bytes.HasPrefix(p.Head, []byte("PK\x05\x06")):
		return modelscan.Yes
	case bytes.Contains(p.Tail, binary.LittleEndian.AppendUint32(nil, sigEnd)):
		return modelscan.Maybe
	}
	return modelscan.No
}
