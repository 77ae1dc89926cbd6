package repo

import (
	"context"
	"iter"
	"path"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
)

// Tree is a file of a model repository together with what lies beside it in its folder.
type Tree struct {
	modelscan.Source
	// Names of all files in the folder, without the folder. Of those in folders below it, written with "/", only what
	// Python imports.
	Names []string
	// Cut says that there are more of them than are named.
	Cut bool
	// Modules are those of the files that Python imports that were opened, each named as in Names.
	Modules []modelscan.Source
}

// check looks at several files at once, where one of them says what the others are to a loader.
type check struct {
	wants func(name string) bool
	run   func(context.Context, *crossing)
	// starts are the files that it has a loader import; nil for a check that is not about code.
	starts func(*crossing) []start
}

// checks of which every one that wants a file is run.
var checks = []check{
	{wants: isIndex, run: shards},
	{func(n string) bool { return strings.HasSuffix(n, "config.json") }, mapped(mappedStarts), mappedStarts},
	{named("model_index.json"), mapped(pipelineStarts), pipelineStarts},
	{named("modules.json"), mapped(moduleStarts), moduleStarts},
	{named("hubconf.py"), hubconf, hubconfStarts},
}

// crossing is one check's turn at one tree.
type crossing struct {
	*Tree
	root   *jsontree.Node // nil where the file is no JSON
	lim    *modelscan.Limits
	report *modelscan.Report
	beside map[string]bool
}

// Beside adds to the report on a tree's file what only the files beside it tell. A file that nobody could read
// says so in its report already.
func Beside(ctx context.Context, r *modelscan.Report, t *Tree, lim modelscan.Limits) {
	for c, x := range crossings(t, &lim) {
		x.report = r
		c.run(ctx, x)
	}
}

// Wanted are the indices of those of the tree's names that were not opened, and have to be for all to be judged that a
// loader imports. What is opened for it may want more.
func Wanted(t *Tree, lim modelscan.Limits) []int {
	opened, want := map[string]bool{}, map[string]bool{}
	for _, m := range t.Modules {
		opened[m.Name] = true
	}
	for c, x := range crossings(t, &lim) {
		if c.starts == nil {
			continue
		}
		m := newImporter(x.beside)
		if path.Ext(t.Name) == ".py" {
			m.roots = []string{""}
		}
		var first []string
		for _, s := range c.starts(x) {
			first = append(first, s.file)
		}
		for _, name := range m.closure(first, x.module) {
			want[name] = path.Ext(name) == ".py"
			if m.roots == nil {
				continue
			}
			for _, kept := range m.copies(name) {
				want[kept] = true
			}
		}
	}
	out := []int{}
	for i, name := range t.Names {
		if want[name] && !opened[name] && name != path.Base(t.Name) {
			out = append(out, i)
		}
	}
	return out
}

// crossings are the checks that want a tree's file, each with its turn. There are none of a file that is no JSON where
// that is what they read.
func crossings(t *Tree, lim *modelscan.Limits) iter.Seq2[check, *crossing] {
	return func(yield func(check, *crossing) bool) {
		name := strings.ToLower(path.Base(t.Name))
		for _, c := range checks {
			if !c.wants(name) {
				continue
			}
			x := &crossing{Tree: t, lim: lim, beside: map[string]bool{}}
			if path.Ext(name) == ".json" {
				root, err := jsontree.Read(t.Source, lim)
				if err != nil {
					return
				}
				x.root = root
			}
			for _, n := range t.Names {
				x.beside[n] = true
			}
			if !yield(c, x) {
				return
			}
		}
	}
}

// finding and gap keep to the limits as a scan's sink does, which has told of a limit that was hit before.
func (x *crossing) finding(f modelscan.Finding) {
	if f.Path = x.Name; len(x.report.Findings) < x.lim.MaxFindings {
		x.report.Findings = append(x.report.Findings, f)
	}
}

func (x *crossing) gap(g modelscan.Gap) {
	if g.Path = x.Name; len(x.report.Gaps) < x.lim.MaxGaps {
		x.report.Gaps = append(x.report.Gaps, g)
	}
}

func (x *crossing) note(text string) {
	x.report.Coverage.Notes = append(x.report.Coverage.Notes, text)
}
