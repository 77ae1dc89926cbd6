package engine

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// job is one file on its way through a scanner.
type job struct {
	index   int
	target  artifact.Target
	entry   bool // found by a walk, which does not list links
	file    *artifact.File
	beside  *beside // nil where the file speaks of no other
	problem error   // why there is nothing to open
	digest  string
	owner   string // whose it is: a worker sees the files of one
	tried   bool   // once already, in a worker that died
	judge   func(*Artifact)
	cached  *Artifact // the report is known already
}

// label names the file to the worker, which never gets a path it could open.
func (j *job) label() string { return clip(modelscan.Text(filepath.Base(j.target.Path)), maxLabel) }

// scanner takes files through workers, a batch at a time. A batch grows while nothing suspicious
// comes up: a worker that has seen a hostile file is not asked about another one.
type scanner struct {
	e     *Engine
	batch int
	lost  *atomic.Bool // set when a worker was thrown away
}

// maxBatch bounds the files of one request.
const maxBatch = 32

// scan gives visit one Artifact for each job, in order.
func (s *scanner) scan(ctx context.Context, jobs []*job, visit func(int, *Artifact)) {
	var open []*job
	for _, j := range jobs {
		if err := j.open(); err != nil {
			visit(j.index, &Artifact{Path: j.target.Path, Report: unread(j.label(), err)})
			continue
		}
		switch err := s.begin(ctx, j); {
		case err != nil:
			visit(j.index, &Artifact{Path: j.target.Path, Report: unread(j.label(), err)})
		case j.cached != nil:
			visit(j.index, s.finish(j, j.cached))
			j.close()
		default:
			j.beside.follow(ctx, s.e, j)
			open = append(open, j)
		}
	}
	for len(open) > 0 {
		if err := ctx.Err(); err != nil {
			s.abandon(open, context.Cause(ctx), visit)
			return
		}
		n := min(len(open), s.batch)
		done := s.request(ctx, open[:n], visit)
		for _, j := range open[:done] {
			j.close()
		}
		open = open[done:]
	}
}

// abandon reports on files that nobody wants scanned any more.
func (s *scanner) abandon(jobs []*job, why error, visit func(int, *Artifact)) {
	for _, j := range jobs {
		visit(j.index, s.give(j, failed(j.label(), why), Sandbox{}, 0))
		j.close()
	}
}

func (j *job) open() (err error) {
	if j.problem != nil {
		return j.problem
	}
	if j.entry {
		j.file, err = artifact.OpenEntry(j.target.Path)
	} else {
		j.file, err = artifact.Open(j.target.Path, j.target.Within...)
	}
	if err == nil {
		j.beside = lookBeside(j.file, j.target.Path)
	}
	return err
}

func (j *job) close() {
	j.file.Close() // opened for reading: nothing can be lost
	j.beside.close()
}

// begin has the judge begin, and computes the digest of the job's open file, where that was asked for; the file
// is closed on an error.
func (s *scanner) begin(ctx context.Context, j *job) (err error) {
	if s.e.opts.Judge != nil {
		j.judge = s.e.opts.Judge.Begin(ctx, j.target.Path, j.file)
	}
	if j.cached = s.e.cached(j); j.cached != nil || !s.e.opts.Digest {
		return nil
	}
	if j.digest, err = fileDigest(ctx, j.file, j.file.Key.Size); err != nil {
		j.close()
	}
	return err
}

// unread is the report on a file that could not be opened.
func unread(label string, err error) *modelscan.Report {
	r := failed(label, err)
	r.Gaps = append(r.Gaps, modelscan.Gap{Rule: rule.ReadError, Path: label, Offset: -1, Reason: err.Error()})
	return r
}

// request has one batch scanned and returns how many of its jobs are done with, at least one.
func (s *scanner) request(ctx context.Context, jobs []*job, visit func(int, *Artifact)) int {
	for _, j := range jobs {
		j.owner = s.e.owners.Of(j.target.Path)
	}
	w, err := s.e.pool.Get(ctx, jobs[0].owner)
	if err != nil {
		visit(jobs[0].index, s.give(jobs[0], failed(jobs[0].label(), err), Sandbox{}, 0))
		return 1
	}
	req := sandbox.Request{Kind: "scan", Params: scanParams{Limits: s.e.limits}, MaxResult: maxReport}
	jobs = jobs[:fitting(jobs)]
	for _, j := range jobs {
		req.Items = append(req.Items, s.e.item(j))
	}
	box := confinement(w.Confinement())
	done, keep, start := 0, true, time.Now()
	var reports []*Artifact // judged when the worker is through: its deadlines are not for hashing and signatures
	err = w.Run(ctx, req, func(i int, answer []byte, handler error) bool {
		report, bad := readReport(answer, handler, jobs[i].label(), &s.e.limits)
		keep = !bad && !suspicious(report) && !s.e.opts.OnePerArtifact
		now := time.Now()
		reports = append(reports, s.artifact(jobs[i], report, box, now.Sub(start)))
		start = now
		done++
		return keep
	})
	for i, a := range reports {
		s.e.keep(jobs[i], a) // what the judge says of it later is not kept
		visit(jobs[i].index, s.finish(jobs[i], a))
	}
	if err == nil && keep {
		s.e.pool.Put(w)
		s.batch = min(2*s.batch, maxBatch)
		return done
	}
	if s.lost != nil {
		s.lost.Store(true)
	}
	s.e.pool.Discard(w)
	s.batch = 1
	if err != nil {
		done += s.fail(jobs[done], err, box, visit)
	}
	return done
}

// fail deals with the job that a worker died of: it is tried once more, unless the death is evidence.
// It returns 1 when the job is done with.
func (s *scanner) fail(j *job, err error, box Sandbox, visit func(int, *Artifact)) int {
	if retry(err) && !j.tried {
		j.tried = true
		return 0
	}
	visit(j.index, s.give(j, deathReport(j.label(), err), box, 0))
	return 1
}

// retry tells whether what a worker died of leaves room for another one's try.
func retry(err error) bool {
	f, ok := errors.AsType[*sandbox.Failure](err)
	return ok && f.Retry()
}

// give is the complete Artifact.
func (s *scanner) give(j *job, r *modelscan.Report, box Sandbox, took time.Duration) *Artifact {
	return s.finish(j, s.artifact(j, r, box, took))
}

func (s *scanner) artifact(j *job, r *modelscan.Report, box Sandbox, took time.Duration) *Artifact {
	return &Artifact{Path: j.target.Path, Report: r, Sandbox: box, Digest: j.digest, Size: j.file.Key.Size, Duration: took}
}

// finish adds what the judge found out. A file that is not what it was voids the verdict.
func (s *scanner) finish(j *job, a *Artifact) *Artifact {
	if j.judge != nil {
		j.judge(a)
	}
	if err := errors.Join(j.file.Changed(), j.beside.changed()); err != nil {
		a.Report.Gaps = append(a.Report.Gaps, modelscan.Gap{Rule: rule.ChangedDuringScan, Path: j.label(), Offset: -1, Reason: err.Error()})
	}
	return a
}

// deathReport turns a worker's death into a report that is never clean.
func deathReport(label string, err error) *modelscan.Report {
	r := failed(label, err)
	gap := modelscan.Gap{Rule: rule.WorkerFailed, Path: label, Offset: -1, Reason: err.Error()}
	var f *sandbox.Failure
	if !errors.As(err, &f) {
		r.Gaps = append(r.Gaps, gap)
		return r
	}
	switch f.Kind {
	case sandbox.Forbidden:
		r.Findings = append(r.Findings, modelscan.Finding{
			Rule: rule.ForbiddenCall, Path: label, Offset: -1, Subject: f.Detail,
			Message: "drove the confined scanner to a forbidden system call, which killed it",
		})
	case sandbox.TimedOut, sandbox.NoMemory:
		gap.Rule = rule.LimitReached
		fallthrough
	default:
		r.Gaps = append(r.Gaps, gap)
	}
	return r
}

// suspicious tells whether a worker may have been taken over by the file it reported on: nothing
// that was found to be hostile or broken leaves a worker behind that is trusted with another file.
// A format that nobody tried to read leaves none the worse.
func suspicious(r *modelscan.Report) bool {
	for _, f := range r.Findings {
		if f.Rule.Severity() > rule.Info {
			return true
		}
	}
	for _, g := range r.Gaps {
		if g.Rule != rule.NotSupported && g.Rule != rule.NotRecognised {
			return true
		}
	}
	return r.Failure != ""
}

var errInvalidReport = errors.New("the worker's report is not valid")
