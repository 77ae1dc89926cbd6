package lsp

import (
	"context"
	"slices"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
)

// NewChecker returns the Checker that `secure-torch check` uses too. Sources are assumed to run in their
// workspace folder.
func NewChecker(opts check.Options) Checker { return checker{opts} }

type checker struct{ opts check.Options }

func (c checker) Check(ctx context.Context, src Source) Checked {
	opts := c.opts
	opts.WorkDir, opts.Sinks = src.Root, slices.Concat(opts.Sinks, src.Sinks)
	if src.Modules != nil {
		opts.Workspace = src.Modules.At
	}
	parser := src.Parser
	if parser == nil {
		parser = analyzers.NewDocument()
	}
	return check.New(opts).Link(ctx, src.Path, parser.Summarise(src.Text, src.Modules.Grammar()))
}
