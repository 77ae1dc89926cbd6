package check

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/workspace"
)

// File is one source that was checked.
type File struct {
	*Checked
	Source      []byte // nil where nothing was found; of a notebook the code cells alone
	Input       Input
	Notebook    bool
	Diagnostics []Diagnostic
	Suppressed  []Suppressed
}

// Lines maps the file's offsets to lines.
func (f File) Lines() *Lines {
	if f.lines == nil {
		return NewLines(nil)
	}
	return f.lines
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

// Input is a source to check.
type Input struct {
	Path string
	Text []byte // in place of what the file holds; nil to read it
}

// Run checks sources and scans what they load; a nil scanner scans nothing. Comments that suppress
// findings in model files hold where trusted is set.
//
// Every file is read once without parsing it; only those that may load something, or are asked about
// by them, are parsed.
func (c *Checker) Run(ctx context.Context, inputs []Input, ws *workspace.Workspace, scanner Scanner, trusted bool) *Result {
	out := &Result{Files: make([]File, len(inputs))}
	problems := make([]error, len(inputs))
	relevant, skims := make([]bool, len(inputs)), make([]analyzers.Skim, len(inputs))
	parallel(len(inputs), func(i int) {
		src, _, err := inputs[i].read()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			problems[i] = err
			return
		}
		skims[i] = analyzers.SkimSource(src, c.opts.Sinks)
		ws.Add(inputs[i].Path, skims[i])
		relevant[i] = hasIgnore(src) || c.opts.Doctests && analyzers.HasDoctests(src)
		out.Files[i] = File{Checked: &Checked{Path: inputs[i].Path, resolved: !c.opts.NoResolve}}
	})
	parallel(len(inputs), func(i int) {
		if out.Files[i].Checked == nil || !relevant[i] && !ws.Relevant(skims[i]) || ctx.Err() != nil {
			return
		}
		out.Files[i].Checked = nil
		out.Files[i], problems[i] = c.file(ctx, inputs[i], ws)
	})
	for i, err := range problems {
		if err != nil {
			out.Problems = append(out.Problems, workspace.Problem{Path: inputs[i].Path, Err: err})
		}
	}
	out.Files = slices.DeleteFunc(out.Files, func(f File) bool { return f.Checked == nil })
	out.finish(ctx, scanner, trusted)
	return out
}

// file checks one source.
func (c *Checker) file(ctx context.Context, in Input, ws *workspace.Workspace) (File, error) {
	var s *analyzers.Summary
	if in.Text == nil && !in.notebook() {
		s = ws.Summary(in.Path) // it may have been read for another, or be read by one
	}
	var nb *analyzers.Notebook
	if s == nil {
		src, n, err := in.read()
		if err != nil {
			return File{}, err
		}
		s, nb = analyzers.Summarise(src, ws.Grammar()), n
	}
	f := File{Checked: c.Link(ctx, in.Path, s), Input: in, Notebook: nb != nil}
	if nb != nil {
		f.lines.OfNotebook(nb)
	}
	if f.found() {
		f.Source = s.Source()
	} else {
		f.lines = nil
	}
	return f, nil
}

func (in Input) notebook() bool { return strings.EqualFold(filepath.Ext(in.Path), ".ipynb") }

// Bytes is what the file holds.
func (in Input) Bytes() ([]byte, error) {
	if in.Text != nil {
		return in.Text, nil
	}
	return workspace.Read(in.Path)
}

// read is the source, and the notebook that it was taken from.
func (in Input) read() ([]byte, *analyzers.Notebook, error) {
	src, err := in.Bytes()
	if err != nil || !in.notebook() {
		return src, nil, err
	}
	nb, err := analyzers.ReadNotebook(src)
	if err != nil {
		return nil, nil, err
	}
	return nb.Source, nb, nil
}

func hasIgnore(src []byte) bool { return len(Ignores(src)) > 0 }

// found says whether there is anything to tell of a file.
func (c *Checked) found() bool { return len(c.calls)+len(c.diagnostics)+len(c.ignores) > 0 }

// finish scans what the files load and fills in their diagnostics.
func (r *Result) finish(ctx context.Context, scanner Scanner, trusted bool) {
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
		f := &r.Files[i]
		f.Diagnostics, f.Suppressed = f.Split(known, trusted)
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
