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

// Profile is one loader's use of an archive. All fields but Name and Match may be nil.
type Profile struct {
	Name string // is added to the report's formats where Match holds
	// Match tells whether that loader would take the archive for its own.
	Match func(*Archive) bool
	// Raw tells that the loader reads the member as numbers: it is not read here. Only a member that every
	// profile that has an opinion calls raw stays unread.
	Raw func(*Archive, *Entry) bool
	// As returns the format in which the loader reads the member whatever it looks like, or nil.
	As func(*Archive, *Entry) *modelscan.Format
	// Scan looks at the archive as a whole, after its members were scanned.
	Scan func(context.Context, *modelscan.Pass, *Archive) error
}

// New returns the zip format with the given loaders' profiles.
func New(profiles ...*Profile) *modelscan.Format {
	return &modelscan.Format{
		Name: "zip", Sniff: sniff,
		Scan: func(ctx context.Context, p *modelscan.Pass) error { return scan(ctx, p, profiles) },
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
