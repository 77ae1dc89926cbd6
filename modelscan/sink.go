package modelscan

import "context"

// sink collects for one format's turn at one source.
type sink struct {
	d     *driver
	depth int
	used  bool // a finding, a gap or a fact came, or something was descended into
}

func (d *driver) sink(_ Source, depth int) *sink { return &sink{d: d, depth: depth} }

func (s *sink) Finding(f Finding) {
	s.used = true
	if len(s.d.report.Findings) >= s.d.limits.MaxFindings {
		s.d.lostFindings++
		s.d.displace(f)
		return
	}
	s.d.report.Findings = append(s.d.report.Findings, f)
}

func (s *sink) Gap(g Gap) {
	s.used = true
	if len(s.d.report.Gaps) >= s.d.limits.MaxGaps {
		s.d.lostGaps++
		return
	}
	s.d.report.Gaps = append(s.d.report.Gaps, g)
}

func (s *sink) Fact(f Fact) {
	s.used = true
	if len(s.d.report.Facts) < s.d.limits.MaxFacts {
		s.d.report.Facts = append(s.d.report.Facts, f)
	}
}

func (s *sink) Descend(ctx context.Context, src Source) {
	s.used = true
	s.d.scan(ctx, src, s.depth+1)
}

func (s *sink) Note(line string) { s.d.report.Coverage.Notes = append(s.d.report.Coverage.Notes, line) }

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
