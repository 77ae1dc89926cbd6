package pickle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// scanner runs machine after machine over one source.
type scanner struct {
	ctx  context.Context
	pass *modelscan.Pass
	opts Options
	res  Result
}

// maxStreams bounds the streams of one source: the rest is a limit that was reached.
const maxStreams = 50_000

func (s *scanner) run() (Result, error) {
	off := s.opts.Start
	for {
		end, err := s.stream(off, false)
		s.res.End = end
		if err != nil {
			return s.res, errors.Join(err, s.resync(end))
		}
		s.res.Streams++
		off = end
		switch {
		case off >= s.pass.Size, s.opts.MaxStreams > 0 && s.res.Streams >= s.opts.MaxStreams:
			return s.res, nil
		case s.res.Streams >= maxStreams:
			return s.res, fmt.Errorf("more than %d streams at %#x: %w", maxStreams, off, modelscan.ErrLimit)
		case s.plausibleAt(off) < modelscan.Maybe:
			return s.res, s.resync(off)
		}
	}
}

// stream runs one stream and reports on it. Hidden says that a loader gets there only by another way
// than reading on.
func (s *scanner) stream(off int64, hidden bool) (end int64, err error) {
	m := s.machine()
	end, err = m.run(s.ctx, off)
	m.finish()
	m.judgeSize(off)
	if m.missed && !hidden {
		// Some call was judged without arguments that were dropped to save memory: look again with more of it.
		m = s.machine()
		m.keep = s.pass.Limits.MaxMemory / 2
		end, err = m.run(s.ctx, off)
		m.finish()
		m.judgeSize(off)
		if m.missed {
			m.limited = fmt.Errorf("more arguments than fit into memory: %w", modelscan.ErrLimit)
		}
	}
	if hidden {
		if err != nil || !m.names() {
			return end, err
		}
		s.pass.Emit.Finding(modelscan.Finding{
			Rule: rule.PickleHiddenStream, Path: s.pass.Name, Offset: off, Subject: "stream",
			Message: fmt.Sprintf("a pickle stream begins at %#x, behind bytes that are none", off),
		})
	}
	s.report(m)
	s.res.FrameEnd = m.frameEnd
	if s.res.Storages = m.storages; m.crossed != (hole{}) {
		s.res.Storages = nil
	}
	if m.crossed != (hole{}) {
		err = errors.Join(err, s.framed(s.ctx, off, m))
	}
	return end, errors.Join(err, m.limited)
}

func (s *scanner) machine() *machine {
	m := newMachine(s.pass.Source, s.pass.Limits, s.opts)
	if s.opts.AfterBuild != nil {
		m.hook = func(b Built) (int64, error) { return s.opts.AfterBuild(s.ctx, b) }
	}
	return m
}

// report hands over what a machine found, and has what the stream would unpickle in its turn scanned.
func (s *scanner) report(m *machine) {
	for _, f := range m.findings {
		s.pass.Emit.Finding(f.at(s.pass.Name))
	}
	if m.unsaid > 0 {
		s.pass.Emit.Note(fmt.Sprintf("%s: %d more findings of the same kinds", s.pass.Name, m.unsaid))
	}
	s.facts(m)
	for _, in := range m.inner {
		var r io.ReaderAt = strings.NewReader(in.data)
		n := int64(len(in.data))
		if in.data == "" {
			r, n = io.NewSectionReader(s.pass.R, in.off, in.n), in.n
		}
		s.judgeOnly(in, modelscan.Source{R: r, Size: n})
		s.pass.Emit.Descend(s.ctx, s.pass.Member(in.name, r, n))
	}
}

// facts lists the names that a stream imports.
func (s *scanner) facts(m *machine) {
	if s.pass.Limits.MaxFacts == 0 {
		return
	}
	for i := range m.globals {
		g := &m.globals[i]
		s.pass.Emit.Fact(modelscan.Fact{Kind: modelscan.GlobalFact, Path: s.pass.Name, Name: g.String(), Value: g.module, Offset: g.off})
	}
}

// names tells whether the stream imports anything.
func (m *machine) names() bool { return len(m.globals) > 0 || len(m.findings) > 0 }

func (s *scanner) plausibleAt(off int64) modelscan.Confidence {
	head, err := s.pass.Bytes(off, min(4096, s.pass.Size-off), 4096)
	if err != nil {
		return modelscan.No
	}
	return sniff(head, int64(len(head)) == s.pass.Size-off)
}

// Bounds of the search for streams behind junk.
const (
	resyncBytes   = 256 << 20
	resyncStreams = 1000
)

// resync looks behind off, where no stream follows, for further ones that begin with a PROTO opcode
// and end in STOP: a loader may seek there, or a container's reader may have been fooled.
func (s *scanner) resync(off int64) error {
	if s.opts.MaxStreams > 0 {
		return nil
	}
	found := 0
	end := min(s.pass.Size, off+resyncBytes)
	buf := make([]byte, windowSize)
	for off < end && found < resyncStreams {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		n := min(int64(len(buf)), end-off)
		if _, err := s.pass.R.ReadAt(buf[:n], off); err != nil && err != io.EOF {
			return fmt.Errorf("read at %#x: %w", off, err)
		}
		at := protoAt(buf[:n])
		if at < 0 {
			off += max(n-3, 1)
			continue
		}
		off += int64(at)
		next := off + 1
		if s.plausibleAt(off) == modelscan.Yes {
			if stop, err := s.stream(off, true); err == nil {
				next = stop
				found++
			}
		}
		off = next
	}
	return nil
}

// protoAt finds a PROTO opcode followed by a known protocol and an opcode.
func protoAt(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], opProto)
		if i < 0 || at+i+2 >= len(b) {
			return -1
		}
		at += i
		if v := b[at+1]; v >= 2 && v <= HighestProtocol && ops[b[at+2]].arg != argInvalid {
			return at
		}
		at++
	}
}

// built tells the caller's hook of an instance that just got its state.
func (m *machine) built(op *Op) error {
	g := m.classOf(m.top(op))
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

// classOf is the class that an instance was made of, or nil.
func (m *machine) classOf(v value) *global {
	switch v.kind() {
	case kInst:
		return &m.globals[v.index()]
	case kCall:
		c := m.calls[v.index()]
		if vs, _ := m.elements(c.args); len(vs) > 0 {
			if g := m.asGlobal(c.callee); g != nil && g.entry.check == "reconstruct" {
				return m.asGlobal(vs[0])
			}
		}
		return m.asGlobal(c.callee)
	}
	return nil
}

// judgeOnly reports a nested pickle of functions that will be called, where it names others than the library's own.
func (s *scanner) judgeOnly(in inner, src modelscan.Source) {
	if in.only == nil {
		return
	}
	m := newMachine(src, s.pass.Limits, Options{})
	m.recordAll = true
	_, err := m.run(s.ctx, 0)
	for i := range m.globals {
		if g := &m.globals[i]; !in.only[root(g.module)] {
			err = fmt.Errorf("it names %s", g)
		}
	}
	if err != nil {
		s.pass.Emit.Finding(modelscan.Finding{
			Rule: rule.PickleUnknownCall, Path: s.pass.Name, Offset: in.off, Subject: in.name,
			Message: "holds a pickle of functions that the library will call, and not only its own: " + err.Error(),
		})
	}
}
