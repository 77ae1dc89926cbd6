package modelscan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// Scan reads src with every format that claims it and everything found inside. It returns no error:
// a failure is a gap in the report and can't read as clean.
func Scan(ctx context.Context, src Source, formats []*Format, lim Limits) *Report {
	d := &driver{formats: formats, limits: lim, unpacked: NewBudget(&lim, src.Size), report: &Report{
		Artifact: src.Name, Findings: []Finding{}, Gaps: []Gap{}, Formats: []string{}, Coverage: Coverage{Mode: "full"},
	}}
	d.scan(ctx, src, 0)
	d.hollow(src)
	d.finish()
	return d.report
}

// driver owns the report of one Scan.
type driver struct {
	formats                []*Format
	limits                 Limits
	unpacked               *Budget
	report                 *Report
	lostFindings, lostGaps int
	lostFacts              int
}

func (d *driver) finish() {
	if d.lostFindings > 0 {
		d.report.Coverage.Notes = append(d.report.Coverage.Notes, fmt.Sprintf("%d more findings not listed", d.lostFindings))
	}
	if d.lostGaps > 0 {
		d.report.Coverage.Notes = append(d.report.Coverage.Notes, fmt.Sprintf("%d more gaps not listed", d.lostGaps))
	}
	if d.lostFacts > 0 && d.limits.MaxFacts > 0 {
		d.report.Coverage.Notes = append(d.report.Coverage.Notes, fmt.Sprintf("%d more facts not listed", d.lostFacts))
	}
	if d.report.Kind == "" {
		d.report.Kind = KindOther
	}
}

// scan gives src to every format that claims it, and tells whether a loader's format did. Depth 0 is the artifact itself.
func (d *driver) scan(ctx context.Context, src Source, depth int) bool {
	gap := func(id rule.ID, reason string) {
		d.sink(src, depth).Gap(Gap{Rule: id, Path: src.Name, Offset: 0, Reason: reason})
	}
	switch {
	case ctx.Err() != nil:
		gap(rule.LimitReached, "the scan was stopped: "+context.Cause(ctx).Error())
		return false
	case depth > d.limits.MaxDepth:
		gap(rule.LimitReached, fmt.Sprintf("nested deeper than %d containers", d.limits.MaxDepth))
		return false
	case d.report.Coverage.Sources >= d.limits.MaxSources:
		gap(rule.LimitReached, fmt.Sprintf("more than %d members", d.limits.MaxSources))
		return false
	}
	d.report.Coverage.Sources++
	fact := d.source(src)
	if src.Raw {
		return false
	}
	probe, err := probeOf(src)
	if err != nil {
		id := rule.ReadError
		if errors.Is(err, ErrLimit) { // what is decompressed on demand
			id = rule.LimitReached
		}
		gap(id, err.Error())
		return false
	}
	claimed, model := d.offer(ctx, src, probe, depth)
	if fact >= 0 {
		d.report.Facts[fact].Value = strings.Join(claimed, ", ")
	}
	if len(claimed) == 0 {
		d.unclaimed(src, depth, probe)
	}
	return model
}

// source records that src is scanned, where facts are wanted; -1 where they are not.
func (d *driver) source(src Source) int {
	if len(d.report.Facts) >= d.limits.MaxFacts {
		d.lostFacts++
		return -1
	}
	fact := Fact{Kind: SourceFact, Path: src.Name, Size: src.Size}
	if src.Raw {
		fact.Value = "raw"
	}
	d.report.Facts = append(d.report.Facts, fact)
	return len(d.report.Facts) - 1
}

// offer runs the formats that claim src. It returns the names of those that made sense of it, and tells
// whether one that is not inert did.
func (d *driver) offer(ctx context.Context, src Source, probe Probe, depth int) (claimed []string, model bool) {
	var covered []string
	if src.As != nil {
		covered = append(covered, src.As.Name)
		if model = d.turn(ctx, src.As, Yes, src, depth, &covered); model {
			claimed = append(claimed, src.As.Name)
		}
	}
	for _, f := range d.formats {
		if slices.Contains(covered, f.Name) {
			continue
		}
		c, err := sniff(f, probe)
		if err != nil {
			d.sink(src, depth).Gap(Gap{Rule: gapRule(err), Path: src.Name, Reason: f.Name + ": " + err.Error()})
			continue
		}
		if c != No && d.turn(ctx, f, c, src, depth, &covered) {
			claimed, model = append(claimed, f.Name), model || !f.Inert
		}
	}
	return claimed, model
}

// turn runs one format, and tells whether it made sense of src. It adds to covered what need not run any more.
func (d *driver) turn(ctx context.Context, f *Format, c Confidence, src Source, depth int, covered *[]string) bool {
	sink := d.sink(src, depth)
	src.As = nil
	err := run(ctx, f, &Pass{Source: src, Limits: &d.limits, Emit: sink, Unpacked: d.unpacked, Claimed: c})
	if err != nil && c == Maybe && !sink.used && !errors.Is(err, errDefect) {
		return false
	}
	d.claim(f, depth)
	if err != nil {
		sink.Gap(Gap{Rule: gapRule(err), Path: src.Name, Reason: f.Name + ": " + err.Error()})
	} else if c == Yes {
		*covered = append(*covered, f.Covers...)
	}
	return true
}

func (d *driver) claim(f *Format, depth int) {
	if !f.Inert {
		d.report.Kind = KindModel
	}
	if depth == 0 || !f.Inert {
		d.list(f.Name)
	}
}

// list adds a format's name to the report, once.
func (d *driver) list(name string) {
	if !slices.Contains(d.report.Formats, name) {
		d.report.Formats = append(d.report.Formats, name)
	}
}

// run keeps a defect in one format from hiding what the others see.
func run(ctx context.Context, f *Format, p *Pass) (err error) {
	defer recovered(&err)
	return f.Scan(ctx, p)
}

// sniff asks a format whether it claims a source; a defect there hides nothing either.
func sniff(f *Format, probe Probe) (c Confidence, err error) {
	defer recovered(&err)
	return f.Sniff(probe), nil
}

// recovered is deferred: it makes a panic an error.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %v", errDefect, r)
	}
}

// Fail reports err as a gap at an offset of the source of the given name.
func (p *Pass) Fail(path string, off int64, err error) {
	p.Emit.Gap(Gap{Rule: gapRule(err), Path: path, Offset: off, Reason: err.Error()})
}

// errDefect marks a panic inside a format.
var errDefect = errors.New("defect in the scanner")

// gapRule names the gap that an error is.
func gapRule(err error) rule.ID {
	if errors.Is(err, ErrNotSupported) {
		return rule.NotSupported
	}
	if errors.Is(err, errDefect) {
		return rule.InternalError
	}
	if errors.Is(err, ErrLimit) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return rule.LimitReached
	}
	return rule.Malformed
}

func probeOf(src Source) (Probe, error) {
	if src.Size < 0 {
		return Probe{}, fmt.Errorf("a source of %d bytes", src.Size)
	}
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
