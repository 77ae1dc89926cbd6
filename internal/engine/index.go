package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// maxIndex bounds one index with its report, in bytes.
const maxIndex = 256<<20 + maxReport

// IndexMode says when a file's objects are described beside its report.
type IndexMode uint8

// Modes of IndexFile.
const (
	IndexIfLoadable IndexMode = iota // when the verdict is safe or review
	IndexAlways                      // to show what is in an unsafe file
	IndexNever                       // the report only
)

// IndexFile scans an open file and describes its objects in one request to one worker, which sees no other
// file. The description is opaque to the engine and comes from the worker: whoever reads it checks it.
// It is nil when the verdict forbids it or the worker failed. The error is a *sandbox.UnavailableError.
func (e *Engine) IndexFile(ctx context.Context, f *artifact.File, mode IndexMode) (*Artifact, []byte, error) {
	return e.index(ctx, f, mode, e.opts.Judge)
}

// index is IndexFile with a judge of its own; nil for a file whose path is not where it comes from.
func (e *Engine) index(ctx context.Context, f *artifact.File, mode IndexMode, judge Judge) (*Artifact, []byte, error) {
	params := map[string]any{"Limits": e.limits, "Always": mode == IndexAlways, "Never": mode == IndexNever}
	a, graph, bad := e.detail(ctx, f, "index", params, maxIndex, judge)
	if v := a.Verdict(); bad || mode != IndexAlways && v != modelscan.Safe && v != modelscan.Review {
		graph = nil
	}
	return a, graph, nil
}

// PlanFile is like IndexFile with an index.Plan of the selected tensors (see index.Selection).
func (e *Engine) PlanFile(ctx context.Context, f *artifact.File, only string, all bool) (*Artifact, []byte, error) {
	params := map[string]any{"Limits": e.limits, "Plan": true, "Select": map[string]any{"Only": only, "All": all}}
	a, plan, bad := e.detail(ctx, f, "index", params, maxIndex, e.opts.Judge)
	if v := a.Verdict(); bad || v != modelscan.Safe && v != modelscan.Review {
		plan = nil
	}
	return a, plan, nil
}

// detail has a worker that sees no other file answer a report on f and something that describes it.
// bad means that the worker failed, and that the description is worth nothing.
func (e *Engine) detail(ctx context.Context, f *artifact.File, kind string, params any, maxResult int, by Judge) (a *Artifact, rest []byte, bad bool) {
	start := time.Now()
	if by != nil {
		if judge := by.Begin(ctx, f.Path, f); judge != nil { // nil for a signature, say
			defer func() { judge(a) }()
		}
	}
	for range 2 {
		var err error
		a, rest, bad, err = e.ask(ctx, f, kind, params, maxResult)
		if !retry(err) {
			break
		}
	}
	a.Duration = time.Since(start)
	return a, rest, bad
}

// ask is detail once. The error is that of a worker which gave no answer; the report tells of it too.
func (e *Engine) ask(ctx context.Context, f *artifact.File, kind string, params any, maxResult int) (a *Artifact, rest []byte, bad bool, err error) {
	label := clip(modelscan.Text(filepath.Base(f.Path)), maxLabel)
	w, err := e.pool.Get(ctx, sandbox.Nobody)
	if err != nil {
		return &Artifact{Path: f.Path, Report: failed(label, err), Size: f.Key.Size}, nil, true, nil
	}
	defer e.pool.Discard(w)
	req := sandbox.Request{Kind: kind, MaxResult: maxResult, Items: []sandbox.Item{{
		Params: params, Deadline: e.deadline(f.Key.Size),
		Files: []sandbox.File{{Name: label, Size: f.Key.Size, Descriptor: f.File}},
	}}}
	var report *modelscan.Report
	bad = true
	err = w.Run(ctx, req, func(_ int, answer []byte, handler error) bool {
		var body []byte
		if handler == nil {
			body, rest, handler = cutReport(answer, maxReport+int64(e.limits.MaxFacts)*factBytes)
		}
		report, bad = readReport(body, handler, label, &e.limits)
		return true
	})
	if err != nil {
		report, bad = deathReport(label, err), true
	}
	s := scanner{e: e}
	a = s.give(&job{target: artifact.Target{Path: f.Path}, file: f}, report, confinement(w.Confinement()), 0)
	return a, rest, bad, err
}

// cutReport divides an answer into the report and what follows it.
func cutReport(answer []byte, limit int64) (report, graph []byte, err error) {
	if len(answer) < 4 {
		return nil, nil, errors.New("answer without a report")
	}
	n := int64(binary.LittleEndian.Uint32(answer))
	if n > limit || n > int64(len(answer)-4) {
		return nil, nil, fmt.Errorf("report of %d bytes", n)
	}
	return answer[4 : 4+n], answer[4+n:], nil
}
