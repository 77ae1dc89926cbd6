// Package check turns what is known of a Python file and of the models it loads into diagnostics,
// the same ones for the editor and for the command line.
package check

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/ref"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// Related points into a file that explains a diagnostic.
type Related struct {
	Path    string // the model file
	Member  string // the finding's path inside it
	Offset  int64
	Message string
}

// Diagnostic is one line for the user about one span of a Python file.
type Diagnostic struct {
	Rule     rule.ID
	Severity rule.Severity
	Span     analyzers.Span
	Message  string
	Fixes    []analyzers.Fix
	Related  []Related
	Artifact *engine.Artifact // the model it speaks of, if any
	Call     analyzers.Span   // the whole call, where it is about one
}

// Options of a Checker. The zero Options are those of a file that lies alone.
type Options struct {
	// WorkDir is the working directory that the program is assumed to have; empty: the source's folder.
	WorkDir string
	// HubCache is the hub's cache folder; empty: the one that the environment names.
	HubCache string
	// Workspace knows the files around the checked one; nil for none.
	Workspace func(path string) analyzers.Workspace
	// Sinks are loading functions of the user's own.
	Sinks []*analyzers.Loader
	// Plan tells which of the files of a folder or repository a call reads; nil to go by the files' names alone.
	Plan func(ctx context.Context, o ref.Options, found artifact.Resolution) artifact.Resolution
	// Doctests looks at the examples in docstrings too; what is said of them is information.
	Doctests bool
	// NoResolve leaves the files that calls name alone: neither looked for nor scanned.
	NoResolve bool
}

// Checker reads Python sources. It is safe for concurrent use.
type Checker struct{ opts Options }

// New returns a Checker.
func New(opts Options) *Checker { return &Checker{opts} }

// Call is a load call and what it leads to on this machine.
type Call struct {
	analyzers.LoadCall
	// Example is true of a call in a docstring.
	Example bool
	// Files are the absolute paths of the existing files that it may load, weights before alternatives.
	Files []string
	// Absent are absolute paths that it names and that do not exist (yet).
	Absent []string
	// Found says, for each Ref, what it leads to, and what each of Code does.
	Found []artifact.Resolution

	code   int    // how many of Files, the last, Code led to
	unread string // why the code that an argument names is not among Files; empty where it is, or may not be meant
}

// Checked is what is known of one version of one source. It does not change.
type Checked struct {
	Path        string
	calls       []Call
	diagnostics []analyzers.Diagnostic
	ignores     []Ignore
	resolved    bool
	whole       bool // Python itself would parse it
	lines       *Lines
}

// Link reads a source that was summarised, and that lies (or would lie) at path. It never fails: what could not be
// understood is absent.
func (c *Checker) Link(ctx context.Context, path string, s *analyzers.Summary) *Checked {
	o := analyzers.Options{Sinks: c.opts.Sinks}
	if c.opts.Workspace != nil {
		o.Workspace = c.opts.Workspace(path)
	}
	linked := analyzers.Link(s, o)
	out := &Checked{Path: path, diagnostics: linked.Diagnostics, ignores: Ignores(s.Source()), resolved: !c.opts.NoResolve, whole: s.Whole(), lines: NewLines(s.Source())}
	if d, broken := unreadable(s); broken && c.relevant(s.Source()) {
		out.diagnostics = append(out.diagnostics, d)
	}
	if name, ok := analyzers.Encoded(s.Source()); ok {
		out.diagnostics = append(out.diagnostics, analyzers.Diagnostic{Rule: rule.SourceBroken, Message: "this source is encoded as " + name + ", which is not read here: load calls in it were not found"})
	}
	for _, call := range linked.Calls {
		if ctx.Err() != nil {
			break
		}
		out.calls = append(out.calls, c.resolve(ctx, path, call))
	}
	if c.opts.Doctests {
		c.examples(ctx, out, s, o)
	}
	return out
}

// examples adds the load calls in the docstrings of a source. They have no fixes: what a fix writes would
// not be an example.
func (c *Checker) examples(ctx context.Context, out *Checked, s *analyzers.Summary, o analyzers.Options) {
	for _, d := range analyzers.Doctests(s) {
		for _, call := range analyzers.Link(d.Summary, o).Calls {
			if ctx.Err() != nil {
				return
			}
			call.Span, call.FuncSpan, call.Fixes, call.Pin = d.InFile(call.Span), d.InFile(call.FuncSpan), nil, nil
			found := c.resolve(ctx, out.Path, call)
			found.Example = true
			out.calls = append(out.calls, found)
		}
	}
	slices.SortStableFunc(out.calls, func(a, b Call) int { return a.Span.Start - b.Span.Start })
}

// relevant says whether a source has to be parsed at all: whether anything could be said of it.
func (c *Checker) relevant(src []byte) bool {
	return analyzers.SkimSource(src, c.opts.Sinks).Relevant || hasIgnore(src)
}

// unreadable is what is said of a source that is no Python in places.
func unreadable(s *analyzers.Summary) (analyzers.Diagnostic, bool) {
	if s.Failed() {
		return analyzers.Diagnostic{Rule: rule.SourceBroken, Message: "this source is too large, or took too long, to be parsed: load calls in it were not found"}, true
	}
	span, broken := s.Broken()
	return analyzers.Diagnostic{Rule: rule.SourceBroken, Span: span, Message: "this is no Python that is understood: a load call near it may have been missed"}, broken
}

// resolve looks for the files that a call names.
func (c *Checker) resolve(ctx context.Context, path string, call analyzers.LoadCall) Call {
	out := Call{LoadCall: call}
	if c.opts.NoResolve {
		return out
	}
	base := c.base(path)
	base.Loader = call.Loader
	for _, r := range call.Refs {
		found := artifact.Resolve(r, base)
		if len(found.Targets) == 0 && r.Kind == ref.Path {
			out.Absent = append(out.Absent, absent(r, base)...)
		}
		out.add(c.planned(ctx, call.Options, found, base)...)
	}
	out.resolveCode(base)
	return out
}

// resolveCode looks for the Python that an argument has the call import.
func (c *Call) resolveCode(base artifact.Base) {
	before := len(c.Files)
	for _, r := range c.Code {
		found := artifact.Resolve(r, base)
		found.Hub = nil // the call's revision is another repository's
		if len(found.Targets) > 0 {
			c.add(found)
			continue
		}
		if r.Kind == ref.Path {
			c.Absent = append(c.Absent, absent(r, base)...)
		}
		if r.Sure > ref.Guess {
			c.unread = found.Why
		}
	}
	c.code = len(c.Files) - before
}

// maxElsewhere bounds the further repositories that one call leads to.
const maxElsewhere = 4

// planned is what was found, with the roles that its files have for the call, and what it leads to beside itself: an
// adapter's base model, where the hub's cache has it.
func (c *Checker) planned(ctx context.Context, o ref.Options, found artifact.Resolution, base artifact.Base) []artifact.Resolution {
	if c.opts.Plan == nil {
		return []artifact.Resolution{found}
	}
	out := []artifact.Resolution{c.opts.Plan(ctx, o, found)}
	if out[0].Plan == nil {
		return out
	}
	elsewhere := out[0].Plan.Elsewhere
	for _, repo := range elsewhere[:min(len(elsewhere), maxElsewhere)] {
		if !ref.IsRepo(repo) {
			continue
		}
		other := artifact.Resolve(ref.Ref{Kind: ref.Hub, Value: repo}, artifact.Base{HubCache: base.HubCache})
		out = append(out, c.opts.Plan(ctx, ref.Options{Library: "transformers", Class: o.Class, Safetensors: o.Safetensors}, other))
	}
	return out
}

// add takes what references led to.
func (c *Call) add(found ...artifact.Resolution) {
	c.Found = append(c.Found, found...)
	for _, f := range found {
		for _, t := range f.Targets {
			if abs, err := filepath.Abs(t.Path); err == nil && t.Role < artifact.Settings && !slices.Contains(c.Files, abs) {
				c.Files = append(c.Files, abs)
			}
		}
	}
}

func (c *Checker) base(path string) artifact.Base {
	dir := filepath.Dir(path)
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	base := artifact.Base{SourceDir: dir, WorkDir: c.opts.WorkDir, HubCache: c.opts.HubCache}
	if base.WorkDir == "" {
		base.WorkDir = dir
	}
	return base
}

// absent lists the places where a relative path would be looked for.
func absent(r ref.Ref, base artifact.Base) []string {
	name := filepath.FromSlash(r.Value)
	if filepath.IsAbs(name) {
		return []string{name}
	}
	out := []string{filepath.Join(base.SourceDir, name)}
	if p := filepath.Join(base.WorkDir, name); !r.RelativeToSource && p != out[0] {
		out = append(out, p)
	}
	return out
}

// Whole says whether Python itself would parse the source, as far as that is known: another is not rewritten.
func (c *Checked) Whole() bool { return c.whole }

// Calls are the source's load calls, in source order.
func (c *Checked) Calls() []Call { return c.calls }

// Targets are the files that the call may load, and the settings that it reads, by absolute path.
func (c *Call) Targets() []artifact.Target {
	var out []artifact.Target
	for _, f := range c.Found {
		for _, t := range f.Targets {
			if abs, err := filepath.Abs(t.Path); err == nil && (t.Role < artifact.Settings || c.sets(&f, t)) {
				t.Path = abs
				out = append(out, t)
			}
		}
	}
	return out
}
