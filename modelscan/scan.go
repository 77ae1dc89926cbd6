package modelscan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// Scan reads src with every format that claims it and everything found inside. It returns no error:
// a failure is a gap in the report and can't read as clean.
func Scan(ctx context.Context, src Source, formats []*Format, lim Limits) *Report {
	d := &driver{formats: formats, limits: lim, report: &Report{
		Artifact: src.Name, Findings: []Finding{}, Gaps: []Gap{}, Formats: []string{}, Coverage: Coverage{Mode: "full"},
	}}
	d.scan(ctx, src, 0)
	d.finish()
	return d.report
}

// driver owns the report of one Scan.
type driver struct {
	formats                []*Format
	limits                 Limits
	report                 *Report
	lostFindings, lostGaps int
}

func (d *driver) finish() {
	if d.lostFindings > 0 {
		d.report.Coverage.Notes = append(d.report.Coverage.Notes, fmt.Sprintf("%d more findings not listed", d.lostFindings))
	}
	if d.lostGaps > 0 {
		d.report.Coverage.Notes = append(d.report.Coverage.Notes, fmt.Sprintf("%d more gaps not listed", d.lostGaps))
	}
	if d.report.Kind == "" {
		d.report.Kind = KindOther
	}
}

// scan gives src to every format that claims it. Depth 0 is the artifact itself.
func (d *driver) scan(ctx context.Context, src Source, depth int) {
	gap := func(id rule.ID, reason string) {
		d.sink(src, depth).Gap(Gap{Rule: id, Path: src.Name, Offset: 0, Reason: reason})
	}
	switch {
	case ctx.Err() != nil:
		gap(rule.LimitReached, "the scan was stopped: "+context.Cause(ctx).Error())
		return
	case depth > d.limits.MaxDepth:
		gap(rule.LimitReached, fmt.Sprintf("nested deeper than %d containers", d.limits.MaxDepth))
		return
	case d.report.Coverage.Sources >= d.limits.MaxSources:
		gap(rule.LimitReached, fmt.Sprintf("more than %d members", d.limits.MaxSources))
		return
	}
	d.report.Coverage.Sources++
	if src.Raw {
		return
	}
	probe, err := probeOf(src)
	if err != nil {
		gap(rule.ReadError, err.Error())
		return
	}
	if !d.offer(ctx, src, probe, depth) {
		d.unclaimed(src, depth, probe)
	}
}

// offer runs the formats that claim src, and tells whether one of them made sense of it.
func (d *driver) offer(ctx context.Context, src Source, probe Probe, depth int) bool {
	claimed := false
	for _, f := range d.formats {
		c := f.Sniff(probe)
		if c == No {
			continue
		}
		sink := d.sink(src, depth)
		err := run(ctx, f, &Pass{Source: src, Limits: &d.limits, Emit: sink, Claimed: c})
		if err != nil && c == Maybe && !sink.used {
			continue
		}
		claimed = true
		d.claim(f, depth)
		if err != nil {
			sink.Gap(Gap{Rule: gapRule(err), Path: src.Name, Reason: f.Name + ": " + err.Error()})
		}
	}
	return claimed
}

func (d *driver) claim(f *Format, depth int) {
	if depth == 0 && !f.Inert || depth > 0 && !f.Inert {
		d.report.Kind = KindModel
	}
	if !slices.Contains(d.report.Formats, f.Name) && (depth == 0 || !f.Inert) {
		d.report.Formats = append(d.report.Formats, f.Name)
	}
}

// run keeps a defect in one format from hiding what the others see.
func run(ctx context.Context, f *Format, p *Pass) (err error) {
	defer func() {
		if r := recover(); r != nil {
			p.Emit.Gap(Gap{Rule: rule.InternalError, Path: p.Name, Reason: fmt.Sprintf("%s: %v", f.Name, r)})
		}
	}()
	return f.Scan(ctx, p)
}

func gapRule(err error) rule.ID {
	if errors.Is(err, ErrLimit) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return rule.LimitReached
	}
	return rule.Malformed
}

func probeOf(src Source) (Probe, error) {
	n := min(src.Size, ProbeSize)
	head := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(src.R, 0, n), head); err != nil {
		return Probe{}, fmt.Errorf("read the first bytes: %w", err)
	}
	if src.Size <= ProbeSize {
		return Probe{Head: head, Tail: head, Size: src.Size}, nil
	}
	tail := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(src.R, src.Size-n, n), tail); err != nil {
		return Probe{}, fmt.Errorf("read the last bytes: %w", err)
	}
	return Probe{Head: head, Tail: tail, Size: src.Size}, nil
}
