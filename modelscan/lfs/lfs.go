// Package lfs knows a Git LFS pointer: the text that stands in a repository in place of a large file.
package lfs

import (
	"bytes"
	"context"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Format is a pointer, version 1 of the specification (git-lfs docs/spec.md). It is always a gap: the model is elsewhere.
var Format = &modelscan.Format{Name: "git-lfs-pointer", Sniff: sniff, Scan: scan}

func sniff(p modelscan.Probe) modelscan.Confidence {
	if p.Size < 1024 && bytes.HasPrefix(p.Head, []byte("version https://git-lfs.github.com/spec/v1\n")) {
		return modelscan.Yes
	}
	return modelscan.No
}

func scan(_ context.Context, p *modelscan.Pass) error {
	p.Emit.Gap(modelscan.Gap{Rule: rule.NotRecognised, Path: p.Name, Reason: "this is a Git LFS pointer, the model itself was not fetched: run git lfs pull"})
	return nil
}
