package zip

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

const (
	// slack is what writers leave behind a raw member for alignment and extra fields that only its local
	// header has: that header is not read for less.
	slack = 128
	// maxHidden bounds the members and other bytes that no directory lists.
	maxHidden = 256
)

// between looks at the bytes that no directory accounts for: before, between and behind the members.
func (s *scanner) between(ctx context.Context) {
	order := slices.DeleteFunc(slices.Clone(s.a.Entries), func(e *Entry) bool { return s.lost[e] || e.Header >= s.Size })
	slices.SortStableFunc(order, func(a, b *Entry) int { return cmp.Compare(a.Header, b.Header) })
	stop := s.Size // of the part that holds members
	for _, d := range s.a.Dirs {
		stop = min(stop, d.Start)
	}
	if len(order) == 0 {
		s.region(ctx, 0, stop)
		return
	}
	s.prefix(ctx, order[0].Header)
	end := int64(0) // of the bytes accounted for
	for i, e := range order {
		next := stop
		if i+1 < len(order) {
			next = order[i+1].Header
		}
		least := e.Header + localLen + int64(len(e.Name)) + e.Compressed
		if next > e.Header && next < least && e.Compressed > 0 {
			s.disagree(e, e.Name, "%q overlaps what follows it at %#x: some readers refuse", e.Name, next)
		}
		end = max(end, least)
		if next-end > slack || next > end && !s.raw(e) {
			end = max(end, s.after(e))
			s.region(ctx, end, next)
		}
	}
	s.behind(ctx)
}

// after is the offset of the first byte behind a member and its data descriptor.
func (s *scanner) after(e *Entry) int64 {
	h, err := s.a.window.local(e.Header)
	if err != nil {
		return e.Header
	}
	end := h.data + e.Compressed
	if e.Flags&FlagDescriptor == 0 && h.flags&FlagDescriptor == 0 {
		return end
	}
	if b, err := s.a.window.bytes(end, 4); err == nil && bytes.Equal(b, []byte("PK\x07\x08")) {
		return end + 16 + 8*btoi(e.Size > 0xffffffff)
	}
	return end + 12
}

func btoi(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// region scans members without a directory entry in [from, to), and what is no member as a source of its own.
func (s *scanner) region(ctx context.Context, from, to int64) {
	for from < to && ctx.Err() == nil {
		if s.hidden++; s.hidden > maxHidden {
			s.Emit.Gap(modelscan.Gap{Rule: rule.LimitReached, Path: s.Name, Offset: from, Reason: fmt.Sprintf("zip: more than %d runs of bytes outside the directory", maxHidden)})
			return
		}
		h, err := s.a.window.local(from)
		if err != nil || h.data > to {
			if to-from >= localLen && len(s.a.Dirs) > 0 {
				s.loose(ctx, from, to)
			}
			return
		}
		e := &Entry{Name: h.name, At: -1, Header: from, Compressed: h.compressed, Size: h.size, CRC: h.crc, Flags: h.flags, Method: h.method}
		if h.sizesUnknown() || h.compressed > to-h.data {
			e.Compressed, e.Size = to-h.data, to-h.data
		}
		if len(s.a.Dirs) > 0 {
			s.find(rule.ZipHiddenMember, from, h.name, fmt.Sprintf("member %q is in no central directory: loaders pass over it, streaming readers unpack it", h.name))
		}
		s.entry(ctx, e, nil)
		from = max(s.after(e), from+localLen)
	}
}

// loose offers bytes that belong to no member to all formats.
func (s *scanner) loose(ctx context.Context, from, to int64) bool {
	name := fmt.Sprintf("[%#x-%#x]", from, to)
	src := s.Source.Member(name, io.NewSectionReader(s.R, from, to-from), to-from)
	return s.Emit.Descend(ctx, src)
}

// prefix judges what stands before the first member. The whole file, read from its first byte, is a
// source that all other formats are offered too.
func (s *scanner) prefix(ctx context.Context, first int64) {
	if first <= 0 {
		return
	}
	head, err := s.Bytes(0, min(first, 512), 512)
	switch {
	case err != nil:
	case s.a.Torch(): // another zip, or the likeness of one
		s.disagree(&Entry{}, "first bytes", "%d bytes stand before the first member and begin like a zip: loaders start reading at different places", first)
		s.loose(ctx, 0, first)
	case loadable(head):
		s.disagree(&Entry{}, "first bytes", "%d bytes stand before the first member and begin like another model: torch.load reads that, zipfile the zip", first)
	default:
		s.find(rule.ZipUnusual, 0, "prefix", fmt.Sprintf("%d bytes stand before the first member: torch.load takes the file for a pickle, zipfile for a zip", first))
	}
}

// loadable tells whether a loader that starts at the first byte would find something of its own there.
func loadable(head []byte) bool {
	return len(head) > 1 && head[0] == 0x80 && head[1] <= 5 || len(head) > 262 && string(head[257:262]) == "ustar" ||
		bytes.HasPrefix(head, []byte{0x1f, 0x8b}) || bytes.HasPrefix(head, []byte("\x93NUMPY")) || bytes.HasPrefix(head, []byte("\x89HDF"))
}

// behind offers what follows the last end record.
func (s *scanner) behind(ctx context.Context) {
	end := int64(0)
	for _, d := range s.a.Dirs {
		end = max(end, d.end.at+endLen)
	}
	if end > 0 && s.Size-end > 16 {
		s.loose(ctx, end, s.Size)
	}
}
