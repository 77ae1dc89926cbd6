// Package xgboost reads the models of XGBoost in its three encodings: JSON, UBJSON and the binary one that versions
// before 3.1 read. Nothing in them runs. XGBoost follows the numbers in its trees without looking (src/tree and
// src/predictor): a child, a feature or a class outside its array is memory read or written outside of it.
package xgboost

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"
	"github.com/secure-torch/secure-torch/modelscan/jsonstream"
)

// JSON is a model as text.
var JSON = &modelscan.Format{Name: "xgboost-json", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	head := bytes.TrimLeft(p.Head, " \t\r\n")
	if !bytes.HasPrefix(head, []byte("{")) || bytes.HasPrefix(head, []byte("{L")) {
		return modelscan.No
	}
	if bytes.Contains(p.Head, []byte(`"learner"`)) { // keys come as they are: XGBoost leaves \u escapes alone
		return modelscan.Maybe
	}
	return modelscan.No
}, Scan: func(ctx context.Context, p *modelscan.Pass) error {
	return scan(ctx, p, jsonstream.NewText(io.NewSectionReader(p.R, 0, p.Size)))
}}

// UBJSON is a model in Universal Binary JSON, the default since 2.1.
var UBJSON = &modelscan.Format{Name: "xgboost-ubjson", Sniff: func(p modelscan.Probe) modelscan.Confidence {
	// An object whose first key is a text of 64-bit length, which no text begins with.
	if len(p.Head) > 10 && string(p.Head[:2]) == "{L" && binary.BigEndian.Uint64(p.Head[2:]) < uint64(p.Size) {
		return modelscan.Maybe
	}
	return modelscan.No
}, Scan: func(ctx context.Context, p *modelscan.Pass) error {
	return scan(ctx, p, jsonstream.NewUBJ(io.NewSectionReader(p.R, 0, p.Size), p.Size))
}}

var errNoBooster = errors.New("no learner with a gradient booster")

func scan(ctx context.Context, p *modelscan.Pass, r jsonstream.Reader) error {
	s := &scanner{p: p, checker: &checker{p: p}, parts: map[string]bool{}}
	s.Walker = jsonstream.Walker{Ctx: ctx, R: r, Twice: func(off int64, name string) {
		s.tell(off, name, "%q is given twice: XGBoost takes the last one in JSON, the first one in UBJSON", name)
	}}
	err := s.document()
	switch {
	case !s.booster && (err == nil || !s.learns):
		return errors.Join(err, errNoBooster)
	case err == nil:
		if i := slices.IndexFunc(needed, func(name string) bool { return !s.parts[name] }); i >= 0 {
			err = fmt.Errorf("no %s: %w", needed[i], jsonstream.ErrShape)
		} else if !s.counted {
			err = fmt.Errorf("no num_feature: %w", jsonstream.ErrShape)
		} else if err = s.finish(); err == nil {
			s.behind()
		}
	}
	if err != nil {
		p.Fail(p.Name, r.Offset(), fmt.Errorf("xgboost: %w", err))
	}
	p.Emit.Fact(modelscan.Fact{Kind: modelscan.MetadataFact, Path: p.Name, Name: "trees", Value: fmt.Sprint(s.trees)})
	return nil
}

// behind: XGBoost reads one value and ignores what follows.
func (s *scanner) behind() {
	off := s.R.Offset()
	rest := io.NewSectionReader(s.p.R, off, s.p.Size-off)
	if rest.Size() <= 0 || blank(rest) {
		return
	}
	s.p.Emit.Descend(s.Ctx, s.p.Member("[behind]", rest, rest.Size()))
}

// blank tells whether there is nothing but white space, in the first bytes at least.
func blank(r *io.SectionReader) bool {
	buf := make([]byte, min(r.Size(), 4096))
	n, err := io.ReadFull(r, buf)
	return err == nil && r.Size() == int64(n) && len(bytes.TrimSpace(buf)) == 0
}

// attribute texts are kept with the model by whoever trained it; no loader runs them.
func (s *scanner) attribute(name string, t jsonstream.Token) {
	if code := codetext.Find(string(t.Text)); code != "" {
		s.p.Emit.Finding(modelscan.Finding{Rule: rule.MetadataCode, Path: s.p.Name, Offset: t.Off, Subject: name, Message: fmt.Sprintf("the attribute %q holds code: %s", name, code)})
	}
}
