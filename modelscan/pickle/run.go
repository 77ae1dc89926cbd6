package pickle

import (
	"context"
	"errors"
	"fmt"

	"github.com/secure-torch/secure-torch/modelscan"
)

// scanner runs machine after machine over one source.
type scanner struct {
	ctx  context.Context
	pass *modelscan.Pass
	opts Options
	res  Result
}

func (s *scanner) run() (Result, error) {
	off := s.opts.Start
	for {
		end, err := s.stream(off)
		s.res.End = end
		if err != nil {
			return s.res, err
		}
		s.res.Streams++
		if off = end; off >= s.pass.Size || s.opts.MaxStreams > 0 && s.res.Streams >= s.opts.MaxStreams {
			return s.res, nil
		}
		if !s.plausibleAt(off) {
			return s.res, nil
		}
	}
}

// stream runs one stream and reports on it.
func (s *scanner) stream(off int64) (end int64, err error) {
	m := newMachine(s.pass.Source, s.pass.Limits, s.opts)
	if s.opts.AfterBuild != nil {
		m.hook = func(b Built) (int64, error) { return s.opts.AfterBuild(s.ctx, b) }
	}
	end, err = m.run(s.ctx, off)
	m.finish()
	for _, f := range m.findings {
		s.pass.Emit.Finding(f.at(s.pass.Name))
	}
	if m.unsaid > 0 {
		s.pass.Emit.Note(fmt.Sprintf("%s: %d more findings of the same kinds", s.pass.Name, m.unsaid))
	}
	return end, err
}

func (s *scanner) plausibleAt(off int64) bool {
	head, err := s.pass.Bytes(off, min(512, s.pass.Size-off), 512)
	return err == nil && sniff(head, int64(len(head)) == s.pass.Size-off) >= modelscan.Maybe
}

// built tells the caller's hook of an instance that just got its state.
func (m *machine) built(op *Op) error {
	target := m.top(op)
	var g *global
	switch target.kind() {
	case kInst:
		g = &m.globals[target.index()]
	case kCall:
		if callee := m.calls[target.index()].callee; callee.kind() == kGlobal {
			g = &m.globals[callee.index()]
		}
	}
	if g == nil {
		return nil
	}
	next, err := m.hook(Built{Module: g.module, Name: g.name, State: m.node(m.lastState, 0), Pos: op.End})
	if err != nil {
		return err
	}
	if next < op.End || next > m.src.Size {
		return fmt.Errorf("inline data after BUILD at %#x ends outside the source: %w", op.Pos, ErrMalformed)
	}
	m.dec.MoveTo(next)
	return nil
}

// isStop tells a malformed stream from a limit or a broken-off scan.
func isMalformed(err error) bool { return errors.Is(err, ErrMalformed) }
