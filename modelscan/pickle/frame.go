package pickle

import (
	"context"
	"fmt"
	"io"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// CPython's C unpickler, given a file that can't peek (io.BytesIO, which torch.load uses, among them),
// reads a FRAME's bytes at once. An argument that begins inside the frame and ends behind it is then
// read from the frame's end on: the bytes before that are lost (Modules/_pickle.c,
// _Unpickler_ReadImpl and _Unpickler_Readline). Given bytes or a file that can peek, it loses nothing. So
// `FRAME 2, 'c', 'X', "posix\nsystem\n"` names Xposix.system to one reader and posix.system to the
// other. No pickler writes such frames: a stream that has one is accused and read both ways.

// hole is a run of source bytes that the unpickler loses.
type hole struct{ from, to int64 }

// maxHoles bounds the second readings; more than one is nobody's accident.
const maxHoles = 64

// cut is where the instruction crosses the end of its frame, or an empty hole.
func (m *machine) cut(op *Op) hole {
	end := m.frameEnd
	arg := op.Pos + 1
	switch kind := ops[op.Code].arg; {
	case kind == argLine, kind == argLines && end <= op.Off+op.Split:
		if arg < end {
			return hole{arg, end}
		}
	case kind == argLines:
		if second := op.Off + op.Split + 1; second < end {
			return hole{second, end}
		}
	case end < arg+int64(argSize[kind]):
		if arg < end {
			return hole{arg, end}
		}
	case kind >= argLen1 && op.Off < end:
		return hole{op.Off, end}
	}
	return hole{}
}

// frame is FRAME.
func (m *machine) frame(op *Op) {
	if op.Int < 0 || op.Int > m.src.Size-op.End {
		m.refuse(op, "the frame ends behind the source")
		return
	}
	end := op.End + op.Int
	if m.without != nil {
		end = m.without.inside(m.without.outside(op.End) + op.Int)
	}
	if op.End >= m.frameEnd {
		m.frameEnd = end
	} else if end > m.frameEnd && m.crossed == (hole{}) {
		m.crossed = hole{op.End, m.frameEnd}
	}
}

// holed is a source without the bytes that are lost.
type holed struct {
	r     io.ReaderAt
	holes []hole // in order, apart
}

// outside maps an offset without the holes to the source's own.
func (h *holed) outside(off int64) int64 {
	for _, x := range h.holes {
		if off >= x.from {
			off += x.to - x.from
		}
	}
	return off
}

// inside maps an offset of the source to one without the holes; one inside a hole to its begin.
func (h *holed) inside(off int64) int64 {
	lost := int64(0)
	for _, x := range h.holes {
		if off > x.from {
			lost += min(off, x.to) - x.from
		}
	}
	return off - lost
}

// ReadAt reads up to the next hole at a time.
func (h *holed) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && err == nil {
		at := h.outside(off + int64(n))
		part := p[n:]
		for _, x := range h.holes {
			if at < x.from && x.from-at < int64(len(part)) {
				part = part[:x.from-at]
			}
		}
		var got int
		got, err = h.r.ReadAt(part, at)
		n += got
		if err == io.EOF && n == len(p) {
			err = nil
		}
	}
	return n, err
}

// size of the source without its holes.
func (h *holed) size(whole int64) int64 { return h.inside(whole) }

// framed reads the stream at off again as the C unpickler reads it from a file that can't peek, after a
// first reading crossed the end of a frame there, and reports what only this reading shows.
func (s *scanner) framed(ctx context.Context, off int64, first *machine) error {
	s.pass.Emit.Finding(modelscan.Finding{
		Rule: rule.PickleFrameCut, Path: s.pass.Name, Offset: first.crossed.from, Subject: "FRAME",
		Message: fmt.Sprintf("the frame's end at %#x cuts an instruction in two: unpicklers read different programs", first.crossed.to),
	})
	said := map[string]bool{}
	for _, f := range first.findings {
		said[string(f.rule)+f.subject] = true
	}
	view := &holed{r: s.pass.R}
	for m := first; m.crossed != (hole{}); {
		if len(view.holes) == maxHoles {
			return fmt.Errorf("more than %d instructions cut by frames: %w", maxHoles, modelscan.ErrLimit)
		}
		view.holes = append(view.holes, hole{view.outside(m.crossed.from), view.outside(m.crossed.to)})
		src := s.pass.Source
		src.R, src.Size = view, view.size(s.pass.Size)
		m = newMachine(src, s.pass.Limits, s.opts)
		m.without = view
		_, err := m.run(ctx, off)
		m.finish()
		s.facts(m)
		for _, f := range m.findings {
			if key := string(f.rule) + f.subject; !said[key] {
				said[key] = true
				f.off = view.outside(f.off)
				s.pass.Emit.Finding(f.at(s.pass.Name))
			}
		}
		if err != nil && m.crossed == (hole{}) {
			return nil // the first reading's error stands; a program made to break here is accused already
		}
	}
	return nil
}
