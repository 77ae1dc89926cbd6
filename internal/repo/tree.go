package repo

import (
	"context"
	"path"
	"strings"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/jsontree"
)

// Tree is a file of a model repository together with what lies beside it in its folder.
type Tree struct {
	modelscan.Source
	// Names of all files in the folder, without the folder.
	Names []string
	// Modules are those of its Python files that were opened, each named as in Names.
	Modules []modelscan.Source
}

// check looks at several files at once, where one of them says what the others are to a loader.
type check struct {
	wants func(name string) bool
	run   func(context.Context, *crossing)
}

// checks of which every one that wants a file is run.
var checks = []check{
	{isIndex, shards},
	{func(n string) bool { return strings.HasSuffix(n, "config.json") }, mappedCode},
	{named("hubconf.py"), hubconf},
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
	name := strings.ToLower(path.Base(t.Name))
	for _, c := range checks {
		if !c.wants(name) {
			continue
		}
		x := &crossing{Tree: t, lim: &lim, report: r, beside: map[string]bool{}}
		if path.Ext(name) == ".json" {
			root, err := jsontree.Read(t.Source, &lim)
			if err != nil {
				return
			}
			x.root = root
		}
		for _, n := range t.Names {
			x.beside[n] = true
		}
		c.run(ctx, x)
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
