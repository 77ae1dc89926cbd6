package lsp

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// fakeChecker understands `torch.load("PATH")` alone. It panics at `boom(` and waits at `slow(`.
type fakeChecker struct{ hold chan struct{} }

var fakeLoad = regexp.MustCompile(`torch\.load\("([^"]*)"\)`)

func (f fakeChecker) Check(ctx context.Context, in Source) Checked {
	path, src := in.Path, in.Text
	if strings.Contains(string(src), "boom(") {
		panic("boom")
	}
	if strings.Contains(string(src), "slow(") {
		select {
		case <-f.hold:
		case <-ctx.Done():
		}
	}
	var c fakeChecked
	for _, m := range fakeLoad.FindAllSubmatchIndex(src, -1) {
		file := filepath.Join(filepath.Dir(path), string(src[m[2]:m[3]]))
		c.calls = append(c.calls, check.Call{Files: []string{file}, Found: []artifact.Resolution{{Targets: []artifact.Target{{Path: file}}}}, LoadCall: analyzers.LoadCall{
			Loader: "torch.load", Span: analyzers.Span{Start: m[0], End: m[1]},
			FuncSpan: analyzers.Span{Start: m[0], End: m[0] + len("torch.load")},
		}})
	}
	return c
}

type fakeChecked struct{ calls []check.Call }

func (c fakeChecked) Calls() []check.Call { return c.calls }

func (c fakeChecked) Split(known map[string]*engine.Artifact, _ bool, more ...check.Diagnostic) ([]check.Diagnostic, []check.Suppressed) {
	out := slices.Clone(more)
	for _, call := range c.calls {
		d := check.Diagnostic{
			Rule: rule.TorchLoadUnguarded, Severity: rule.Medium, Span: call.FuncSpan, Message: "torch.load runs code",
			Fixes: []analyzers.Fix{{Title: "Replace with st.load", Edits: []analyzers.Edit{
				{Span: analyzers.Span{}, New: "import secure_torch as st\n"}, {Span: call.FuncSpan, New: "st.load"},
			}}},
		}
		if a := known[call.Files[0]]; a != nil && a.Verdict() == modelscan.Unsafe {
			f := a.Report.Findings[0]
			d.Rule, d.Severity, d.Message, d.Artifact = f.Rule, f.Rule.Severity(), f.Message, a
			d.Related = []check.Related{{Path: call.Files[0], Member: f.Path, Offset: f.Offset, Message: f.Message}}
		}
		out = append(out, d)
	}
	return out, nil
}

// fakeScanner finds what it was told to find, by base name, and counts.
type fakeScanner struct {
	mu       sync.Mutex
	findings map[string]string // base name: message
	scans    map[string]int
	hold     chan struct{} // when not nil, a scan waits for it
}

func (f *fakeScanner) set(base, message string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.findings == nil {
		f.findings = map[string]string{}
	}
	f.findings[base] = message
}

func (f *fakeScanner) count(base string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.scans[base]
}

func (f *fakeScanner) ScanTarget(ctx context.Context, t artifact.Target) *engine.Artifact {
	path := t.Path
	base := filepath.Base(path)
	f.mu.Lock()
	if f.scans == nil {
		f.scans = map[string]int{}
	}
	f.scans[base]++
	message := f.findings[base]
	f.mu.Unlock()
	if f.hold != nil {
		select {
		case <-f.hold:
		case <-ctx.Done():
		}
	}
	r := &modelscan.Report{Artifact: path, Kind: modelscan.KindModel}
	if message != "" {
		r.Findings = []modelscan.Finding{{Rule: rule.PickleOsSystem, Path: base + "!archive/data.pkl", Offset: 0x4a, Message: message}}
	}
	return &engine.Artifact{Path: path, Report: r}
}
