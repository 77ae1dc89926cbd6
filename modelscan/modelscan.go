// Package modelscan tells what a loader would do with the bytes of a model file, without ever doing it.
//
// It does no IO of its own: a Source is read through io.ReaderAt, what is found goes into a Report.
// The formats live in one folder each below this one; package formats lists them.
package modelscan

import (
	"context"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// Source is a run of bytes that some loader may read.
type Source struct {
	// Name is a label, never opened: the artifact's base name, then "!" and the member's name for
	// every container on the way ("model.pt!archive/data.pkl"). An attacker chooses it.
	Name string
	R    io.ReaderAt
	Size int64
	// Raw marks bytes that a loader reads as numbers and never interprets (a tensor's storage).
	Raw bool
	// As, when set, reads these bytes whatever they look like: the loader goes by the member's name
	// or place. It stands in for the listed format of the same Name; all others are offered too.
	As *Format
}

// Member names a Source inside s, found under the given name in it.
func (s Source) Member(name string, r io.ReaderAt, size int64) Source {
	return Source{Name: s.Name + "!" + name, R: r, Size: size}
}

// Bytes reads n bytes at off. It refuses, before any allocation, a range outside the source or a
// length over limit. A short read is an error.
func (s Source) Bytes(off, n, limit int64) ([]byte, error) {
	if off < 0 || n < 0 || off > s.Size || n > s.Size-off {
		return nil, fmt.Errorf("%d bytes at %#x lie outside the %d bytes there are", n, off, s.Size)
	}
	if n > limit {
		return nil, fmt.Errorf("%d bytes at %#x: %w (%d)", n, off, ErrLimit, limit)
	}
	buf := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(s.R, off, n), buf); err != nil {
		return nil, fmt.Errorf("read at %#x: %w", off, err)
	}
	return buf, nil
}

// Probe is what a format may judge a source by. A zip's end record and appended archives live in the tail.
type Probe struct {
	Head, Tail []byte // at most ProbeSize bytes each; they overlap in a short source
	Size       int64
}

// ProbeSize bounds Head and Tail: a zip end record with the longest comment is 65,557 bytes.
const ProbeSize = 66 << 10

// Confidence of a Sniff.
type Confidence uint8

// Confidences, least first.
const (
	No    Confidence = iota // not this format
	Maybe                   // could be: scanned, but a failure to parse means "not this format", no gap
	Yes                     // claims to be: a failure to parse is a gap
)

// Format reads one file format. Every format that claims a source scans it: a polyglot has no first match.
type Format struct {
	Name string
	// Sniff judges the first and last bytes. Names are not offered: an attacker chooses them.
	Sniff func(Probe) Confidence
	// Scan reports what a loader of this format would do. An error becomes a gap (when Sniff said
	// Yes, or when something was already found) or "not this format" (when it said Maybe).
	Scan func(context.Context, *Pass) error
	// Covers names formats whose reading of a source is contained in this one's: they are not run
	// where this one said Yes and scanned without an error.
	Covers []string
	// Inert formats (a picture, a text) are never given to a model loader by anyone.
	Inert bool
	// Container formats hold other files, and are no model by themselves.
	Container bool
}

// Pass is one format's turn at one source.
type Pass struct {
	Source
	Limits *Limits
	Emit   Sink
	// Unpacked is what decompression may still produce in this artifact.
	Unpacked *Budget
	// Claimed is what Sniff answered.
	Claimed Confidence
}

// Sink takes what a format finds. Its methods may be called in any order and never fail.
type Sink interface {
	Finding(Finding)
	Gap(Gap)
	// Fact takes something true. Metadata and licences come with their whole value, which may describe the model.
	Fact(Fact)
	// Descend scans a source found inside this one with all formats, before it returns. It tells whether
	// one of them that is not Inert made sense of it.
	Descend(context.Context, Source) bool
	// Claim adds a name to the formats that the report lists: the reading within a container ("torch").
	Claim(name string)
	// Note adds a line to the report's coverage: something not examined that is no gap.
	Note(string)
}

// Finding is one instance of a rule: something a loader of these bytes would do.
type Finding struct {
	Rule    rule.ID `json:"rule"`
	Path    string  `json:"path"`    // the Source's name
	Offset  int64   `json:"offset"`  // in that source, of the opcode or field that does it; -1 where there is none
	Subject string  `json:"subject"` // the callable, operator or field as the file writes it
	Message string  `json:"message"` // "would call posix.system('echo pwned') on load"
}

// Gap is something a loader would read and nobody read. A source with a gap is never clean.
type Gap struct {
	Rule   rule.ID `json:"rule"`
	Path   string  `json:"path"`
	Offset int64   `json:"offset"`
	Reason string  `json:"reason"`
}

// FactKind says what a Fact holds. The zero value is invalid.
type FactKind string

// Kinds of Fact.
const (
	TensorFact   FactKind = "tensor"
	MetadataFact FactKind = "metadata"
	LicenceFact  FactKind = "licence"
	TemplateFact FactKind = "template"
	GlobalFact   FactKind = "global" // a (module, qualname) that the file names
	SourceFact   FactKind = "source" // a source that was scanned: Value lists the formats that made sense of it
)

// Fact is something true of the artifact that accuses nobody.
type Fact struct {
	Kind   FactKind `json:"kind"`
	Path   string   `json:"path"`
	Name   string   `json:"name"`
	Value  string   `json:"value,omitempty"`
	DType  string   `json:"dtype,omitempty"`
	Shape  []int64  `json:"shape,omitempty"`
	Offset int64    `json:"offset,omitempty"`
	Size   int64    `json:"size,omitempty"` // bytes
}
