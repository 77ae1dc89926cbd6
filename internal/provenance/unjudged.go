package provenance

import (
	"context"
	"regexp"
	"sync"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/modelscan"
)

// hubName is a file of a hub's repository as reports name it: hf:org/name@revision/path.
var hubName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^hf:(?://)?([^/@]+/[^/@]+)(?:@([^/]+))?(?:/|$)`)
})

// Unjudged applies what the user wants to an artifact that no Begin was called for, because it is not on this machine:
// signatures of remote files are not looked at yet, so that one which is required is missing, and policies decide
// without them.
func (c *Checker) Unjudged(ctx context.Context, a *engine.Artifact) {
	if a.Signature != nil || a.Report.Kind == modelscan.KindOther || a.Origin == nil {
		return
	}
	s := &subject{c: c, ctx: ctx, path: a.Path, source: Source{Kind: "url", Path: a.Path}}
	if m := hubName().FindStringSubmatch(a.Path); m != nil {
		s.source = Source{Kind: "hub", Path: a.Path, Repo: m[1], Revision: m[2], Commit: a.Origin.Commit, Pinned: m[2] != "" && m[2] == a.Origin.Commit}
	}
	a.Signature = &evidence.Signature{State: evidence.NotChecked, Message: "signatures of remote files are not looked at yet"}
	r := s.rule()
	a.Signature.Rule = r.Name
	for _, f := range s.accuse(&evidence.Signature{State: evidence.StateNone}, r) {
		finding(a, f)
	}
	s.policies(a)
}
