package provenance

import (
	"context"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Unjudged applies what the user wants to an artifact that neither Begin nor Repository.Judge was called for: the file
// at a URL with a query, beside which nothing is asked for. A signature that is required is missing, and policies decide
// without one.
func (c *Checker) Unjudged(ctx context.Context, a *engine.Artifact) {
	if a.Signature != nil || a.Report.Kind == modelscan.KindOther || a.Origin == nil || a.Origin.Commit != "" {
		return
	}
	s := &subject{c: c, ctx: ctx, path: a.Path, source: sourceOf(ref.Ref{Kind: ref.URL, Value: a.Path}, "")}
	a.Signature = &evidence.Signature{State: evidence.NotChecked, Message: "beside a URL with a query nothing is looked for"}
	r := s.rule()
	a.Signature.Rule = r.Name
	for _, f := range s.accuse(&evidence.Signature{State: evidence.StateNone}, r) {
		finding(a, f)
	}
	s.materials(a)
	s.policies(a)
}
