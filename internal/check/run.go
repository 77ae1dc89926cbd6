package check

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/workspace"
)

// File is one source that was checked.
type File struct {
	*Checked
	Source      []byte
	Diagnostics []Diagnostic
}

// Result is what Run found out.
type Result struct {
	Files     []File
	Artifacts []*engine.Artifact
	Problems  []workspace.Problem
}

// Scanner scans model files; *engine.Engine is one.
type Scanner interface {
	ScanTarget(ctx context.Context, target artifact.Target) *engine.Artifact
}

// Run checks the sources at the given paths and scans what they load; a nil scanner scans nothing.
//
// Every file is read once without parsing it; only those that may load something, or are asked about
// by them, are parsed.
func (c *Checker) Run(ctx context.Context, paths []string, ws *workspace.Workspace, scanner Scanner) *Result {
	out := &Result{Files: make([]File, len(paths))}
	problems := make([]error, len(paths))
	relevant := make([]bool, len(paths))
	parallel(len(paths), func(i int) {
		src, err := workspace.Read(paths[i])
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			problems[i] = err
			return
		}
		skim := analyzers.SkimSource(src, c.opts.Sinks)
		ws.Add(paths[i], skim)
		relevant[i] = skim.Relevant
		out.Files[i] = File{Checked: &Checked{Path: paths[i], resolved: !c.opts.NoResolve}}
	})
	parallel(len(paths), func(i int) {
		if !relevant[i] || ctx.Err() != nil {
			return
		}
		src, err := workspace.Read(paths[i])
		if err != nil {
			problems[i], out.Files[i].Checked = err, nil
			return
		}
		out.Files[i] = File{Checked: c.Check(ctx, paths[i], src), Source: src}
	})
	for i, err := range problems {
		if err != nil {
			out.Problems = append(out.Problems, workspace.Problem{Path: paths[i], Err: err})
		}
	}
	out.Files = slices.DeleteFunc(out.Files, func(f File) bool { return f.Checked == nil })
	out.Finish(ctx, scanner)
	return out
}

// Finish scans what the files load and fills in their diagnostics.
func (r *Result) Finish(ctx context.Context, scanner Scanner) {
	var targets []artifact.Target
	seen := map[string]bool{}
	for _, f := range r.Files {
		for i := range f.calls {
			for _, t := range f.calls[i].Targets() {
				if !seen[t.Path] {
					seen[t.Path] = true
					targets = append(targets, t)
				}
			}
		}
	}
	known := map[string]*engine.Artifact{}
	if scanner != nil {
		r.Artifacts = make([]*engine.Artifact, len(targets))
		parallel(len(targets), func(i int) { r.Artifacts[i] = scanner.ScanTarget(ctx, targets[i]) })
		for i, a := range r.Artifacts {
			known[targets[i].Path] = a
		}
	}
	for i := range r.Files {
		r.Files[i].Diagnostics = r.Files[i].Checked.Diagnostics(known)
	}
}

// parallel calls f for 0 to n-1, on every processor.
func parallel(n int, f func(int)) {
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
}
