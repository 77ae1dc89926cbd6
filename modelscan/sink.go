package modelscan

import (
	"context"
	"slices"
	"strings"
)

// maxDims of a tensor are told of. numpy has at most 64, torch as many as fit.
const maxDims = 64

// sink collects for one format's turn at one source.
type sink struct {
	d     *driver
	depth int
	used  bool // a finding, a gap or a fact came, or something was descended into
}

func (d *driver) sink(_ Source, depth int) *sink { return &sink{d: d, depth: depth} }

func (s *sink) Finding(f Finding) {
	s.used = true
	f.Path, f.Subject, f.Message = clip(f.Path), clip(f.Subject), clip(f.Message)
	if slices.Contains(s.d.report.Findings, f) {
		return // two formats read the same bytes
	}
	if len(s.d.report.Findings) >= s.d.limits.MaxFindings {
		s.d.lostFindings++
		s.d.displace(f)
		return
	}
	s.d.report.Findings = append(s.d.report.Findings, f)
}

func (s *sink) Gap(g Gap) {
	s.used = true
	g.Path, g.Reason = clip(g.Path), clip(g.Reason)
	if len(s.d.report.Gaps) >= s.d.limits.MaxGaps {
		s.d.lostGaps++
		return
	}
	s.d.report.Gaps = append(s.d.report.Gaps, g)
}

func (s *sink) Fact(f Fact) {
	s.used = true
	if f.Kind == MetadataFact || f.Kind == LicenceFact {
		s.d.document(f)
	}
	if len(s.d.report.Facts) >= s.d.limits.MaxFacts {
		s.d.lostFacts++
		return
	}
	f.Path, f.Name, f.Value, f.DType = clip(f.Path), clip(f.Name), clip(f.Value), clip(f.DType)
	f.Shape = f.Shape[:min(len(f.Shape), maxDims)]
	s.d.report.Facts = append(s.d.report.Facts, f)
}

func (s *sink) Descend(ctx context.Context, src Source) bool {
	s.used = true
	return s.d.scan(ctx, src, s.depth+1)
}

func (s *sink) Claim(name string) {
	s.used = true
	s.d.list(name)
}

func (s *sink) Note(line string) {
	if len(s.d.report.Coverage.Notes) < maxNotes {
		s.d.report.Coverage.Notes = append(s.d.report.Coverage.Notes, clip(line))
	}
}

const (
	maxText  = 2000 // bytes of a text that an attacker can make long: a report stays below a mebibyte
	maxNotes = 100
)

// clip shortens a text in its middle.
func clip(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText/2], "") + "…" + strings.ToValidUTF8(text[len(text)-maxText/2:], "")
}

// displace keeps the worst findings when the list is full: noise can't push an accusation out.
func (d *driver) displace(f Finding) {
	least := 0
	for i := range d.report.Findings {
		if d.report.Findings[i].Rule.Severity() < d.report.Findings[least].Rule.Severity() {
			least = i
		}
	}
	if d.report.Findings[least].Rule.Severity() < f.Rule.Severity() {
		d.report.Findings[least] = f
	}
}
