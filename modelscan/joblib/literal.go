package joblib

import (
	"context"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pickle"
)

// Literal returns the bounds of the bytes literal, or array, that holds all of [from, to) in a source that is one
// pickle to its last byte.
func Literal(ctx context.Context, p *modelscan.Pass, from, to int64) (start, end int64, ok bool) {
	see := func(off, n int64) {
		if off <= from && to <= off+n {
			start, end, ok = off, off+n, true
		}
	}
	w := &witness{}
	quiet := *p
	quiet.Emit = w
	r := &reading{Pass: &quiet, see: see}
	res, err := pickle.Scan(ctx, &quiet, pickle.Options{Dialect: pickle.Joblib, AfterBuild: r.afterBuild, MaxStreams: 1, Bytes: see})
	return start, end, ok && err == nil && !w.doubt && res.End == p.Size
}

// witness keeps nothing of a reading but whether there are others.
type witness struct{ doubt bool }

func (w *witness) Finding(f modelscan.Finding) { w.doubt = w.doubt || f.Rule == rule.PickleFrameCut }
func (w *witness) Gap(modelscan.Gap)           { w.doubt = true }

func (*witness) Fact(modelscan.Fact)                            {}
func (*witness) Descend(context.Context, modelscan.Source) bool { return false }
func (*witness) Claim(string)                                   {}
func (*witness) Note(string)                                    {}
