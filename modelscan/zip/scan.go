package zip

import (
	"context"
	"errors"
	"fmt"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/extract"
)

// scanner is one turn of the format.
type scanner struct {
	*modelscan.Pass
	a        *Archive
	uses     []*Use // by the loaders that would take the archive for their own
	rawCount int    // raw records that were not read
	rawBytes int64
	summed   int64           // bytes of those that were
	noSums   bool            // no member has a checksum: torch.serialization.set_crc32_options(False)
	hidden   int             // runs of bytes outside the directory, seen so far
	lost     map[*Entry]bool // without a local header where the directory says
}

func scan(ctx context.Context, p *modelscan.Pass, holder Holder, all []*Profile) error {
	a, err := Open(ctx, p)
	if err != nil && p.Claimed == modelscan.Maybe && len(a.Dirs) == 0 {
		return err
	}
	if err == nil {
		if in, ok := a.literal(ctx, p, holder); ok {
			p.Emit.Descend(ctx, in)
			return nil
		}
	}
	s := &scanner{Pass: p, a: a, lost: map[*Entry]bool{}}
	for _, pr := range all {
		if u := pr.Open(a); u != nil {
			s.uses = append(s.uses, u)
			p.Emit.Claim(pr.Name)
		}
	}
	s.directories()
	names := s.names()
	s.noSums = a.noSums()
	if s.noSums {
		p.Emit.Note(p.Name + ": the archive was written without checksums")
	}
	for _, e := range a.Entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.entry(ctx, e, names)
	}
	s.between(ctx)
	for _, u := range s.uses {
		if u.Scan != nil {
			err = errors.Join(err, u.Scan(ctx, p))
		}
	}
	if s.rawCount > 0 {
		p.Emit.Note(fmt.Sprintf("%s: %d raw tensor records (%d bytes), their local headers and checksums, not read", p.Name, s.rawCount, s.rawBytes))
	}
	return err
}

func (s *scanner) disagree(e *Entry, subject, format string, args ...any) {
	s.find(rule.ZipLoadersDisagree, e.place(), subject, fmt.Sprintf(format, args...))
}

func (s *scanner) find(id rule.ID, off int64, subject, message string) {
	s.Emit.Finding(modelscan.Finding{Rule: id, Path: s.Name, Offset: off, Subject: subject, Message: message})
}

// refused tells what in the directory makes miniz refuse a record that a loader would read as numbers.
func (e *Entry) refused() string {
	switch {
	case e.Flags&(FlagEncrypted|FlagStrong|FlagMasked) != 0:
		return "encrypted"
	case e.Flags&FlagPatch != 0:
		return "patch data"
	case e.Disk > 1:
		return fmt.Sprintf("begins on disk %d", e.Disk)
	case e.External&0x10 != 0 && e.Size > 0:
		return "marked as a folder"
	case e.Method == 0 && e.Compressed != e.Size:
		return fmt.Sprintf("stored as it is, yet %d bytes in and %d out", e.Compressed, e.Size)
	}
	return ""
}

// place is the offset at which a finding about e points.
func (e *Entry) place() int64 {
	if e.At < 0 {
		return e.Header
	}
	return e.At
}

// raw tells whether all loaders that know the member read it as numbers.
func (s *scanner) raw(e *Entry) bool {
	raw := false
	for _, u := range s.uses {
		if u.As != nil && u.As(e) != nil {
			return false
		}
		raw = raw || u.Raw != nil && u.Raw(e)
	}
	return raw
}

// entry scans one member.
func (s *scanner) entry(ctx context.Context, e *Entry, names names) {
	if s.raw(e) {
		if why := e.refused(); why != "" {
			s.gap(e, fmt.Errorf("%s: torch refuses the record", why))
		}
		s.rawRecord(e)
		src := s.Source.Member(e.Name, nil, e.Compressed)
		src.Raw = true
		s.Emit.Descend(ctx, src)
		return
	}
	if e.Dir() && e.Size == 0 && e.Compressed == 0 {
		extract.Check(s.Pass, extract.Member{Name: e.Name, Kind: extract.Folder, Offset: e.place()})
		return
	}
	m, err := s.a.open(e)
	s.attributes(e, m)
	if err != nil {
		s.gap(e, err)
	}
	if m.R == nil {
		s.lost[e] = m.h.data == 0
		return
	}
	matters := s.descend(ctx, e, m) || len(s.uses) > 0
	s.compare(e, m, matters)
	names.compare(s, e, matters)
	if matters && e.At >= 0 { // no directory claims a checksum of a member that is in none
		s.checksum(e, &m)
	}
}

func (s *scanner) checksum(e *Entry, m *Member) {
	if s.noSums {
		return
	}
	if sum, err := m.checksum(e); err == nil && sum != e.CRC {
		s.find(rule.ZipChecksum, e.place(), e.Name,
			fmt.Sprintf("content of %q has CRC-32 %08x, the archive says %08x: torch loads it all the same, zipfile refuses", e.Name, sum, e.CRC))
	}
}

// rawRecord compares the checksum of a record that is nothing but numbers, as far as the limits allow.
func (s *scanner) rawRecord(e *Entry) {
	if most := s.Limits.MaxRawSummed; most >= 0 && (most == 0 || e.Compressed > most-s.summed) {
		s.rawCount++
		s.rawBytes += e.Compressed
		return
	}
	m, err := s.a.open(e)
	if err != nil {
		s.gap(e, err)
	}
	if m.R == nil {
		return
	}
	s.summed += e.Compressed
	if e.At >= 0 {
		s.checksum(e, &m)
	}
}

// descend offers the member to all formats, in the way its loader reads it.
func (s *scanner) descend(ctx context.Context, e *Entry, m Member) bool {
	claimed, offered := false, false
	for _, u := range s.uses {
		if u.As == nil {
			continue
		}
		if f := u.As(e); f != nil {
			m.Source.As = f
			claimed = s.Emit.Descend(ctx, m.Source) || claimed
			offered = true
		}
	}
	if !offered {
		claimed = s.Emit.Descend(ctx, m.Source)
	}
	return claimed
}

func (s *scanner) gap(e *Entry, err error) {
	s.Fail(s.Source.Member(e.Name, nil, 0).Name, e.place(), fmt.Errorf("zip: %w", err))
}

// attributes judges what unpacking the member would do.
func (s *scanner) attributes(e *Entry, m Member) {
	x := extract.Member{Name: e.Name, Offset: e.place()}
	const typeMask, link, dir, regular = 0o170000, 0o120000, 0o040000, 0o100000
	switch e.Mode() & typeMask {
	case 0, regular, dir:
	case link:
		x.Kind = extract.Symlink
		if m.R != nil {
			target, err := m.Bytes(0, m.Size, 4096)
			if err != nil {
				s.gap(e, fmt.Errorf("link target: %w", err))
			}
			x.Target = string(target)
		}
	default:
		x.Kind = extract.Device
	}
	extract.Check(s.Pass, x)
}
