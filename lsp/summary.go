package lsp

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/modelscan"
)

// This file says in words what is known of a model.

func mark(v modelscan.Verdict) string {
	switch v {
	case modelscan.Safe:
		return "✓"
	case modelscan.Review:
		return "⚠"
	case modelscan.Unsafe:
		return "✗"
	}
	return "?"
}

// headline is one plain line: "✗ evil.pt · unsafe · 2 findings".
func headline(a *engine.Artifact) string {
	parts := []string{mark(a.Verdict()) + " " + visible(filepath.Base(a.Path)), a.Verdict().String()}
	if a.Report != nil {
		if n := len(a.Report.Findings); n > 0 {
			parts = append(parts, count(n, "finding"))
		}
		if n := len(a.Report.Gaps); n > 0 {
			parts = append(parts, count(n, "gap"))
		}
	}
	if by := signedBy(a); by != "" {
		parts = append(parts, by)
	}
	return strings.Join(parts, " · ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// badness orders artifacts for people: the worst first.
func badness(a *engine.Artifact) int {
	return slices.Index([]modelscan.Verdict{
		modelscan.Unsafe, modelscan.Error, modelscan.Incomplete, modelscan.Unknown, modelscan.Review, modelscan.Safe,
	}, a.Verdict())
}

// known are the artifacts of a call's files that have been scanned, the worst first, and how many have not.
func (snap *snapshot) known(c check.Call) (found []*engine.Artifact, waiting int) {
	for _, f := range c.Files {
		if a := snap.artifacts[f]; a != nil {
			found = append(found, a)
		} else {
			waiting++
		}
	}
	slices.SortStableFunc(found, func(a, b *engine.Artifact) int { return cmp.Compare(badness(a), badness(b)) })
	return found, waiting
}

// listed bounds the lines of one kind in a hover.
const listed = 8

// summary is Markdown about one artifact, short enough for a hover. A limit of 0 lists everything.
func summary(a *engine.Artifact, limit int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s %s — %s\n", mark(a.Verdict()), code(filepath.Base(a.Path)), strings.ToUpper(a.Verdict().String()))
	r := a.Report
	if r == nil {
		return b.String()
	}
	if r.Failure != "" {
		fmt.Fprintf(&b, "\nCould not be scanned: %s\n", plain(r.Failure))
	}
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, fmt.Sprintf("**%s** [%s](%s) %s%s", f.Rule.Severity(), f.Rule, rulePage(f.Rule), where(f.Path, f.Offset), code(f.Message)))
	}
	for _, g := range r.Gaps {
		lines = append(lines, fmt.Sprintf("**not examined** [%s](%s) %s%s", g.Rule, rulePage(g.Rule), where(g.Path, g.Offset), plain(g.Reason)))
	}
	b.WriteString(bullets(lines, limit))
	b.WriteString(bullets(facts(a), 0))
	return b.String()
}

func where(path string, offset int64) string {
	if offset < 0 {
		return code(path) + ": "
	}
	return fmt.Sprintf("%s, offset %#x: ", code(path), offset)
}

// bullets writes a Markdown list of at most limit lines, and says how many are left out.
func bullets(lines []string, limit int) string {
	var b strings.Builder
	for i, line := range lines {
		if limit > 0 && i == limit {
			fmt.Fprintf(&b, "\n- … and %d more", len(lines)-limit)
			break
		}
		b.WriteString("\n- " + line)
	}
	if len(lines) > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}

// facts are what is true of an artifact and accuses nobody.
func facts(a *engine.Artifact) []string {
	r := a.Report
	var lines []string
	if len(r.Formats) > 0 {
		lines = append(lines, "format: "+plain(strings.Join(r.Formats, ", ")))
	}
	score := r.Score()
	line := fmt.Sprintf("threat score: %d of 100 (%s)", score.Total, score.Level)
	var parts []string
	for _, name := range sortedKeys(score.Parts) {
		parts = append(parts, fmt.Sprintf("%s %d", plain(name), score.Parts[name]))
	}
	if len(parts) > 0 {
		line += " = " + strings.Join(parts, " + ")
	}
	lines = append(lines, line, "size: "+size(a.Size)+tensors(r))
	for _, f := range r.Facts {
		if f.Kind == modelscan.LicenceFact {
			lines = append(lines, "licence: "+plain(cmp.Or(f.Value, f.Name)))
		}
	}
	lines = append(lines, provenance(a)...)
	if o := a.Origin; o != nil && o.Status.Level != "" {
		lines = append(lines, "the hub's own scanners say: "+plain(o.Status.Level))
	}
	if a.Sandbox.Grade != "" {
		lines = append(lines, "scanned in a sandbox of grade "+plain(a.Sandbox.Grade)+" ("+plain(strings.Join(a.Sandbox.Layers, ", "))+")")
	}
	for _, note := range r.Coverage.Notes {
		lines = append(lines, "not looked at: "+plain(note))
	}
	return lines
}

func tensors(r *modelscan.Report) string {
	n, bytes := 0, int64(0)
	for _, f := range r.Facts {
		if f.Kind == modelscan.TensorFact {
			n, bytes = n+1, bytes+f.Size
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %s of %s", count(n, "tensor"), size(bytes))
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// reportScheme is that of the virtual documents that hold a model's report.
const reportScheme = "secure-torch-report"

// reportURI names the report on a model. It ends in .md, by which editors know the language.
func reportURI(path string) uri.URI {
	u, err := uri.From(uri.Components{Scheme: reportScheme, Path: filepath.ToSlash(path) + ".md"})
	if err != nil {
		return ""
	}
	return u
}

// reportPath is the model that a report's URI names, or empty.
func reportPath(u uri.URI) string {
	rest, ok := strings.CutPrefix(string(u), reportScheme+":")
	if !ok {
		return ""
	}
	file, err := uri.Parse("file:" + "//" + strings.TrimPrefix(rest, "//"))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(file.FsPath(), ".md")
}

// reportText is the whole report as Markdown.
func reportText(a *engine.Artifact) string {
	var b strings.Builder
	b.WriteString(summary(a, 0))
	fmt.Fprintf(&b, "- file: %s\n", code(a.Path))
	if a.Report == nil {
		return b.String()
	}
	section(&b, "Globals that it names", a.Report.Facts, modelscan.GlobalFact, func(f modelscan.Fact) string { return code(f.Name) })
	section(&b, "Tensors", a.Report.Facts, modelscan.TensorFact, func(f modelscan.Fact) string {
		return fmt.Sprintf("%s %s %v, %s", code(f.Name), plain(f.DType), f.Shape, size(f.Size))
	})
	section(&b, "Metadata", a.Report.Facts, modelscan.MetadataFact, func(f modelscan.Fact) string {
		return code(f.Name) + ": " + code(f.Value)
	})
	section(&b, "Templates", a.Report.Facts, modelscan.TemplateFact, func(f modelscan.Fact) string {
		return code(f.Name) + ": " + code(f.Value)
	})
	return b.String()
}

// inReport bounds the lines of one section.
const inReport = 2000

func section(b *strings.Builder, title string, all []modelscan.Fact, kind modelscan.FactKind, line func(modelscan.Fact) string) {
	var lines []string
	for _, f := range all {
		if f.Kind == kind {
			lines = append(lines, line(f))
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(b, "\n## %s\n%s", title, bullets(lines, inReport))
	}
}

// markdown wraps a text in what the protocol calls markup.
func markdown(text string) *protocol.MarkupContent {
	return &protocol.MarkupContent{Kind: protocol.MarkupKindMarkdown, Value: text}
}
