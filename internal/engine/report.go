package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Bounds on what a worker may say. An honest one stays below them.
const (
	maxReport    = 1 << 20 // bytes of one scan report
	maxText      = 4096    // bytes of one string
	maxFormats   = 32
	maxNotes     = 1000
	maxDims      = 64
	maxDocuments = 100
	maxLabel     = 1024 // a file name has at most 255 bytes, four characters each where it is no text
)

// readReport decodes a worker's report as what it is: hostile input. bad means that the worker is
// not to be used again.
func readReport(answer []byte, handler error, label string, limits *modelscan.Limits) (r *modelscan.Report, bad bool) {
	if handler != nil {
		return deathReport(label, handler), true
	}
	r, err := decodeReport(answer, label, limits)
	if err != nil {
		return deathReport(label, fmt.Errorf("%w: %w", errInvalidReport, err)), true
	}
	return r, false
}

func decodeReport(answer []byte, label string, limits *modelscan.Limits) (*modelscan.Report, error) {
	dec := json.NewDecoder(bytes.NewReader(answer))
	dec.DisallowUnknownFields()
	var r modelscan.Report
	if err := dec.Decode(&r); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows it")
	}
	switch {
	case r.Kind != modelscan.KindModel && r.Kind != modelscan.KindOther:
		return nil, fmt.Errorf("kind %q", clip(string(r.Kind), 64))
	case r.Failure != "":
		return nil, fmt.Errorf("a failure is not for the worker to tell")
	case len(r.Findings) > limits.MaxFindings, len(r.Gaps) > limits.MaxGaps, len(r.Facts) > limits.MaxFacts:
		return nil, fmt.Errorf("%d findings, %d gaps, %d facts", len(r.Findings), len(r.Gaps), len(r.Facts))
	case len(r.Documents) > maxDocuments:
		return nil, fmt.Errorf("%d documents", len(r.Documents))
	case len(r.Formats) > maxFormats, len(r.Coverage.Notes) > maxNotes:
		return nil, fmt.Errorf("%d formats, %d notes", len(r.Formats), len(r.Coverage.Notes))
	case r.Coverage.Mode != "full" || r.Coverage.Sources < 1:
		return nil, fmt.Errorf("coverage %q of %d sources", clip(r.Coverage.Mode, 64), r.Coverage.Sources)
	}
	c := checker{label: label}
	c.report(&r)
	r.Artifact = label
	return &r, c.err
}

// checker keeps the first thing that is wrong with a report.
type checker struct {
	label string
	err   error
}

func (c *checker) report(r *modelscan.Report) {
	for _, f := range r.Findings {
		c.rule(f.Rule, "ST2", "ST5")
		c.path(f.Path)
		c.text(f.Subject, f.Message)
		c.offset(f.Offset)
	}
	for _, g := range r.Gaps {
		c.rule(g.Rule, "ST9")
		c.path(g.Path)
		c.text(g.Reason)
		c.offset(g.Offset)
	}
	for _, f := range r.Facts {
		c.text(string(f.Kind), f.Path, f.Name, f.Value, f.DType)
		c.offset(f.Offset)
		c.offset(f.Size)
		if len(f.Shape) > maxDims {
			c.fail("a shape of %d dimensions", len(f.Shape))
		}
	}
	for _, d := range r.Documents { // Text may be as long as the report: the trust worker reads it
		c.path(d.Path)
		c.text(d.Name)
	}
	c.text(r.Formats...)
	c.text(r.Coverage.Notes...)
}

func (c *checker) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// rule has to be in the catalogue, in a family that a scan reports.
func (c *checker) rule(id rule.ID, families ...string) {
	if _, ok := rule.Get(id); ok {
		for _, family := range families {
			if strings.HasPrefix(string(id), family) {
				return
			}
		}
	}
	c.fail("rule %q", clip(string(id), 64))
}

// path has to lie in the artifact that was given.
func (c *checker) path(path string) {
	if rest, ok := strings.CutPrefix(path, c.label); !ok || rest != "" && rest[0] != '!' {
		c.fail("path %q is not in %q", clip(path, 64), c.label)
	}
	c.text(path)
}

func (c *checker) text(texts ...string) {
	for _, t := range texts {
		if len(t) > maxText {
			c.fail("a text of %d bytes", len(t))
		}
	}
}

func (c *checker) offset(n int64) {
	if n < -1 {
		c.fail("offset %d", n)
	}
}

// clip cuts what goes into an error or a label.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
