// Package paddle reads PaddlePaddle's inference models: the program (.pdmodel, __model__), a protobuf ProgramDesc
// (framework.proto), and the parameters behind one another in one file (.pdiparams, lod_tensor.cc). A program can name
// operators that open files, and ones that call Python. Its .pdparams and .pdopt are pickles.
package paddle

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"
	"github.com/secure-torch/secure-torch/modelscan/wire"
)

// Program is the graph. It has no magic number, so that structure decides.
var Program = &modelscan.Format{Name: "paddle", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	if !wire.MayHold(p.Head, p.Size, programBlocks, programVersion) {
		return modelscan.No
	}
	if mainBlock(p.Head) {
		return modelscan.Maybe
	}
	first := true
	err := wire.Head(p.Head, p.Size).Each(func(f wire.Field) error {
		if first && !f.Is(programBlocks) || f.Num > lastField {
			return errNoProgram
		}
		first = false
		return nil
	})
	if first || err != nil && !errors.Is(err, wire.ErrHeadEnds) {
		return modelscan.No
	}
	return modelscan.Maybe
}, Scan: scan}

// mainBlock tells whether a program begins here as Paddle writes it, cut or not: block 0, whose parent is -1.
func mainBlock(head []byte) bool {
	if len(head) == 0 || head[0] != programBlocks<<3|byte(protowire.BytesType) {
		return false
	}
	_, n := protowire.ConsumeVarint(head[1:])
	return n > 0 && bytes.HasPrefix(head[1+n:], []byte("\x08\x00\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
}

// Fields of the messages.
const (
	programBlocks, programVersion, lastField = 1, 4, 5

	blockIndex, blockParent, blockVars, blockOps = 1, 2, 3, 4

	opType, opAttributes = 3, 4

	attributeName, attributeText, attributeTexts, attributeBlock, attributeBlocks = 1, 5, 8, 12, 14
)

const (
	maxText = 64 << 10
	maxTold = 50
)

var errNoProgram = errors.New("no program of PaddlePaddle")

type program struct {
	ctx    context.Context
	p      *modelscan.Pass
	blocks int64
	ops    int
	told   map[string]bool
}

func scan(ctx context.Context, p *modelscan.Pass) error {
	s := &program{ctx: ctx, p: p, told: map[string]bool{}}
	m := wire.Open(p.R, p.Size)
	err := m.Each(func(f wire.Field) error {
		if f.Is(programBlocks) {
			s.blocks++
			return isBlock(f.Body)
		}
		return nil
	})
	head, short := p.Bytes(0, min(p.Size, 32), 32)
	if errors.Is(err, errNoProgram) || s.blocks == 0 && (short != nil || !mainBlock(head)) {
		return errNoProgram
	}
	if err == nil {
		err = m.Each(func(f wire.Field) error {
			if f.Is(programBlocks) {
				return s.block(f.Body)
			}
			return nil
		})
	}
	if err != nil {
		p.Fail(p.Name, 0, fmt.Errorf("paddle: %w", err))
	}
	p.Emit.Fact(modelscan.Fact{Kind: modelscan.MetadataFact, Path: p.Name, Name: "operators", Value: fmt.Sprint(s.ops)})
	return nil
}

// isBlock: a BlockDesc begins with its number and its parent's, and has variables or operators with types.
func isBlock(m wire.Message) error {
	n, known := 0, false
	err := m.Each(func(f wire.Field) error {
		n++
		switch {
		case n == 1 && !f.IsInt(blockIndex), n == 2 && !f.IsInt(blockParent):
			return errNoProgram
		case f.Is(blockVars), f.Is(blockOps):
			known = true
		}
		return nil
	})
	if err == nil && !known {
		err = errNoProgram
	}
	return err
}

func (s *program) tell(id rule.ID, off int64, subject, format string, args ...any) {
	if key := string(id) + subject; len(s.told) < maxTold && !s.told[key] {
		s.told[key] = true
		s.p.Emit.Finding(modelscan.Finding{Rule: id, Path: s.p.Name, Offset: off, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
}

func (s *program) block(m wire.Message) error {
	return m.Each(func(f wire.Field) error {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if f.Is(blockOps) {
			s.ops++
			return s.op(f)
		}
		return nil
	})
}

// fileOps read or write under a name in their attributes, or reach other hosts.
var fileOps = map[string]bool{
	"load": true, "load_combine": true, "save": true, "save_combine": true, "read_file": true, "sparse_tensor_load": true, "load_selected_rows": true,
	"open_files": true, "create_recordio_file_reader": true, "listen_and_serv": true, "heter_listen_and_serv": true,
	"send": true, "recv": true, "send_and_recv": true, "recv_save": true, "checkpoint_notify": true, "fetch_barrier": true, "send_barrier": true,
	"gen_nccl_id": true, "c_gen_nccl_id": true, "c_gen_bkcl_id": true, "gen_bkcl_id": true, "c_gen_hccl_id": true,
}

func (s *program) op(f wire.Field) error {
	kind := ""
	err := f.Body.Each(func(o wire.Field) error {
		if o.Is(opType) {
			kind = o.Body.Text(maxText)
		}
		return nil
	})
	if err != nil {
		return err
	}
	switch {
	case kind == "py_func" || kind == "py_layer":
		s.tell(rule.PaddlePythonOperator, f.Off, kind, "the operator %s calls Python code when the program runs", kind)
	case fileOps[kind]:
		s.tell(rule.PaddleFileOperator, f.Off, kind, "the operator %s reaches files or hosts of the program's choice", kind)
	}
	return f.Body.Each(func(o wire.Field) error {
		if o.Is(opAttributes) {
			return s.attribute(o, kind)
		}
		return nil
	})
}

func (s *program) attribute(a wire.Field, op string) error {
	name := ""
	return a.Body.Each(func(f wire.Field) error {
		switch {
		case f.Is(attributeName):
			name = f.Body.Text(maxText)
		case f.IsInt(attributeBlock), f.IsInt(attributeBlocks):
			if b := int64(f.Int); b < 0 || b >= s.blocks {
				s.tell(rule.ModelOutside, a.Off, op, "the operator %s runs block %d of %d", op, b, s.blocks)
			}
		case (f.Is(attributeText) || f.Is(attributeTexts)) && name != "op_callstack": // source lines of who exported it
			if code := codetext.Find(f.Body.Text(maxText)); code != "" {
				s.tell(rule.MetadataCode, f.Off, name, "the attribute %q holds code: %s", name, code)
			}
		}
		return nil
	})
}
