package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/secure-torch/secure-torch/internal/artifact"
)

// window bounds the files that are listed and not yet visited, which wait for an earlier one.
const window = 4096

// ScanAll scans files and folders, and visits their Artifacts in the order of paths; a folder's in
// lexical order. Links inside a folder are followed as long as they stay in it. visit is called from
// one goroutine at a time.
func (e *Engine) ScanAll(ctx context.Context, paths []string, visit func(*Artifact)) {
	ctx, cancel := context.WithCancel(bulk(ctx))
	defer cancel()
	jobs := make(chan *job, window/4)
	done := make(chan result, window/4)
	slots := make(chan struct{}, window)
	go func() {
		defer close(jobs)
		l := &lister{ctx: ctx, jobs: jobs, slots: slots}
		for _, path := range paths {
			l.list(path)
		}
	}()
	var scanners sync.WaitGroup
	var lost atomic.Bool
	for i := range e.opts.Workers {
		scanners.Go(func() {
			s := scanner{e: e, batch: 1, lost: &lost}
			for first := range jobs {
				switch {
				case lost.Load(): // among files that cost workers, replacements are wanted sooner than they can start
					e.pool.Tune(e.opts.Workers, itemsInBulk)
				case i > 0 || len(jobs) > 0: // more than one file: no worker is started that nobody is sure to need
					e.pool.Tune(0, itemsInBulk)
				}
				s.scan(ctx, take(jobs, first, s.batch), func(i int, a *Artifact) { done <- result{i, a} })
			}
		})
	}
	go func() { scanners.Wait(); close(done) }()
	inOrder(done, slots, visit)
	e.pool.Tune(e.ahead(), 0)
}

// itemsInBulk is how many files of one ScanAll a worker sees before it is replaced; it is replaced at
// once after anything suspicious. A worker's start, with its first file, costs as much as a hundred small files.
const itemsInBulk = 512

type result struct {
	index int
	a     *Artifact
}

// take adds what is already listed to a batch of at most n.
func take(jobs <-chan *job, first *job, n int) []*job {
	batch := []*job{first}
	for len(batch) < n {
		select {
		case j, ok := <-jobs:
			if !ok {
				return batch
			}
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// inOrder visits results by index.
func inOrder(done <-chan result, slots <-chan struct{}, visit func(*Artifact)) {
	waiting := map[int]*Artifact{}
	next := 0
	for r := range done {
		waiting[r.index] = r.a
		for a, ok := waiting[next]; ok; a, ok = waiting[next] {
			delete(waiting, next)
			next++
			visit(a)
			<-slots
		}
	}
}

// lister turns paths into jobs.
type lister struct {
	ctx   context.Context
	jobs  chan<- *job
	slots chan<- struct{}
	count int
}

func (l *lister) add(j *job) {
	j.index = l.count
	l.count++
	l.slots <- struct{}{}
	l.jobs <- j
}

// list adds one path that was asked for. What cannot be listed is a job too, which then fails visibly.
func (l *lister) list(path string) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		l.add(&job{target: artifact.Target{Path: path}})
		return
	}
	// With the separator a path that is itself a link is walked as what it leads to.
	err = filepath.WalkDir(path+string(filepath.Separator), func(p string, d fs.DirEntry, err error) error {
		switch {
		case l.ctx.Err() != nil:
			return l.ctx.Err()
		case err != nil:
			l.add(&job{target: artifact.Target{Path: p}, problem: err})
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir():
		case d.Type()&fs.ModeSymlink != 0:
			l.link(p, path)
		default:
			l.add(&job{target: artifact.Target{Path: p}, entry: true})
		}
		return nil
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		l.add(&job{target: artifact.Target{Path: path}, problem: err})
	}
}

// link adds a link to a file. A link to a folder is left out where what it leads to is listed in its
// own place; one that leads out of what was asked for is a job that fails: a loader would follow it.
func (l *lister) link(path, root string) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		l.add(&job{target: artifact.Target{Path: path, Within: linkRoots(path, root)}})
		return
	}
	if err := artifact.Contained(path, root); err != nil {
		l.add(&job{target: artifact.Target{Path: path}, problem: fmt.Errorf("a link to a folder: %w: scan that folder too", err)})
	}
}

// linkRoots are the folders that a link may lead to: the one that was asked for, and the blobs of the
// hub cache repository that the link is a part of.
func linkRoots(path, root string) []string {
	roots := []string{root}
	if abs, err := filepath.Abs(path); err == nil {
		roots = append(roots, artifact.BlobsFor(abs)...)
	}
	return roots
}
