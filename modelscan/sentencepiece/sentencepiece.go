// Package sentencepiece reads the tokenizer models of SentencePiece (tokenizer.model, spiece.model): a protobuf
// ModelProto, whose fields are those of sentencepiece_model.proto. The library reads pieces, scores and a table of
// character mappings; nothing in the file names code or other files.
package sentencepiece

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/wire"
)

// Format is a SentencePiece model.
var Format = &modelscan.Format{Name: "sentencepiece", Sniff: sniff, Scan: func(_ context.Context, p *modelscan.Pass) error {
	return check(wire.Open(p.R, p.Size))
}}

// Fields of ModelProto; others from 200 up are extensions.
const (
	pieces         = 1
	lastField      = 5 // denormalizer_spec
	firstExtension = 200
)

// Fields of a SentencePiece.
const (
	text  = 1
	score = 2
	kind  = 3

	lastKind = 6 // BYTE
)

func sniff(p modelscan.Probe) modelscan.Confidence {
	if !wire.MayHold(p.Head, p.Size, pieces, lastField) {
		return modelscan.No
	}
	if err := check(wire.Head(p.Head, p.Size)); err == nil || errors.Is(err, wire.ErrHeadEnds) {
		return modelscan.Maybe
	}
	return modelscan.No
}

// check refuses what is no ModelProto with pieces.
func check(m wire.Message) error {
	n := 0
	err := m.Each(func(f wire.Field) error {
		switch {
		case f.Is(pieces):
			n++
			return piece(f)
		case f.Num >= firstExtension, f.Num <= lastField && f.Type == protowire.BytesType:
			return nil
		}
		return fmt.Errorf("field %d at %#x is none of a SentencePiece model", f.Num, f.Off)
	})
	if err == nil && n == 0 {
		return errors.New("a SentencePiece model without pieces")
	}
	return err
}

// piece is one entry of the vocabulary. Its score is a float, its kind an enum.
func piece(f wire.Field) error {
	named := false
	err := f.Body.Each(func(p wire.Field) error {
		switch {
		case p.Is(text):
			named = true
		case p.Num == score && p.Type == protowire.Fixed32Type, p.IsInt(kind) && p.Int >= 1 && p.Int <= lastKind, p.Num >= firstExtension:
		default:
			return fmt.Errorf("field %d at %#x is none of a piece", p.Num, p.Off)
		}
		return nil
	})
	if err == nil && !named {
		return fmt.Errorf("the piece at %#x has no text", f.Off)
	}
	return err
}
