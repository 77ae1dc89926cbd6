package tar

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/extract"
)

// Profile is one loader's use of archives: it tells the format in which that loader reads a member of the
// given name, whatever it looks like.
type Profile struct {
	Name string
	// Open looks at the members' names, and answers nil when the loader would not take the archive for its own.
	Open func(names map[string]bool) func(name string) *modelscan.Format
}

// New returns the tar format with the given loaders' profiles.
func New(profiles ...*Profile) *modelscan.Format {
	return &modelscan.Format{
		Name: "tar", Sniff: sniff, Container: true,
		// A zip's end record near the end of a tar is a member's, or behind the archive: both are sources of their own.
		Covers: []string{"zip"},
		Scan:   func(ctx context.Context, p *modelscan.Pass) error { return scan(ctx, p, profiles) },
	}
}

func sniff(p modelscan.Probe) modelscan.Confidence {
	if len(p.Head) < blockSize || p.Head[0] == 0 || !validChecksum(p.Head[:blockSize]) {
		return modelscan.No
	}
	return modelscan.Yes
}

func scan(ctx context.Context, p *modelscan.Pass, profiles []*Profile) error {
	entries, end, err := list(ctx, p)
	names := make(map[string]bool, len(entries))
	count := map[string]int{}
	for _, e := range entries {
		names[e.name] = true
		count[e.name]++
	}
	var readers []func(string) *modelscan.Format
	for _, pr := range profiles {
		if as := pr.Open(names); as != nil {
			readers = append(readers, as)
			p.Emit.Claim(pr.Name)
		}
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		member(ctx, p, e, readers)
		if count[e.name] > 1 {
			p.Emit.Finding(modelscan.Finding{Rule: rule.TarDuplicate, Path: p.Name, Offset: e.header, Subject: e.name,
				Message: fmt.Sprintf("%d members are named %q: readers take the first or the last", count[e.name], e.name)})
			count[e.name] = 0
		}
	}
	behind(ctx, p, end)
	return err
}

// list reads all headers. With an error the entries are those before it; one that is cut off is among them.
func list(ctx context.Context, p *modelscan.Pass) (entries []entry, end int64, err error) {
	r := &reader{src: p.Source}
	for r.off < p.Size {
		if len(entries)&0xfff == 0 && ctx.Err() != nil {
			return entries, r.off, context.Cause(ctx)
		}
		if len(entries) >= p.Limits.MaxEntries {
			return entries, r.off, fmt.Errorf("more than %d members: %w", p.Limits.MaxEntries, modelscan.ErrLimit)
		}
		e, err := r.next()
		switch {
		case errors.Is(err, errZero):
			return entries, r.off, nil
		case errors.Is(err, errCut):
			e.size = p.Size - e.data
			return append(entries, e), p.Size, err
		case err != nil:
			return entries, r.off, fmt.Errorf("member at %#x: %w", r.off, err)
		}
		entries = append(entries, e)
	}
	return entries, r.off, nil
}

// member reports what unpacking e would do, and scans its content.
func member(ctx context.Context, p *modelscan.Pass, e entry, readers []func(string) *modelscan.Format) {
	x := extract.Member{Name: e.name, Target: e.link, Offset: e.header}
	switch e.kind {
	case '1':
		x.Kind = extract.Hardlink
	case '2':
		x.Kind = extract.Symlink
	case '3', '4', '6':
		x.Kind = extract.Device
	case '5':
		x.Kind = extract.Folder
	}
	extract.Check(p, x)
	if e.size == 0 {
		return
	}
	if e.sparse {
		p.Fail(p.Member(e.name, nil, 0).Name, e.header, fmt.Errorf("tar: sparse member: %w", modelscan.ErrNotSupported))
	}
	src := p.Member(e.name, io.NewSectionReader(p.R, e.data, e.size), e.size)
	offered := false
	for _, as := range readers {
		if f := as(e.name); f != nil {
			src.As, offered = f, true
			p.Emit.Descend(ctx, src)
		}
	}
	if !offered {
		p.Emit.Descend(ctx, src)
	}
}

// behind offers what follows the end of the archive, where it is not all zeros: tar --ignore-zeros reads on.
func behind(ctx context.Context, p *modelscan.Pass, end int64) {
	buf := make([]byte, 32<<10)
	for end < p.Size {
		n, err := p.R.ReadAt(buf[:min(int64(len(buf)), p.Size-end)], end)
		for i, c := range buf[:n] {
			if c != 0 {
				at := end + int64(i)&^(blockSize-1)
				p.Emit.Descend(ctx, p.Member(fmt.Sprintf("[%#x-%#x]", at, p.Size), io.NewSectionReader(p.R, at, p.Size-at), p.Size-at))
				return
			}
		}
		if end += int64(n); err != nil || n == 0 {
			return
		}
	}
}
