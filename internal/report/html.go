package report

import (
	"cmp"
	_ "embed" // for the page's style
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

//go:embed page.css
var styleText string

// What the page tells of a file. All text in it is escaped twice: by Escape, for what can't be seen, and where
// the page is written.
type (
	pageArtifact struct {
		Path, Verdict, ScoreLine, Formats, Size, Digest, Sandbox, Failure string
		Score                                                             modelscan.Score
		Findings                                                          []pageFinding
		Notes                                                             []string
		Map                                                               *pageMap
	}
	pageFinding struct {
		Severity, Name, Rule, URI, CWE, Place, Message, Reason string
	}
	pageMap struct {
		Width, Height int
		Cells         []pageCell
		Caption       string
	}
	pageCell struct {
		X, Y, W, H, TextX, TextY string
		Class                    int
		Title, Label             string
	}
)

// HTML writes the run as one page that loads nothing: no script, no font, no picture, and a content
// security policy that forbids them.
func HTML(w io.Writer, run *Run) error {
	artifacts := make([]pageArtifact, 0, len(run.Results))
	for _, r := range run.Results {
		artifacts = append(artifacts, pageOf(r))
	}
	slices.SortStableFunc(artifacts, func(a, b pageArtifact) int {
		return cmp.Compare(slices.Index(worstFirst, a.Verdict), slices.Index(worstFirst, b.Verdict))
	})
	return html.Render(w, document(run, artifacts))
}

// worstFirst is the order of a page: what a person must act on comes first.
var worstFirst = []string{modelscan.Unsafe.String(), modelscan.Unknown.String(), modelscan.Error.String(), modelscan.Incomplete.String(), modelscan.Review.String(), modelscan.Safe.String()}

// Quiet tells whether nothing needs to be seen of a file unless it is asked for.
func (a pageArtifact) Quiet() bool {
	return a.Verdict == modelscan.Safe.String() && len(a.Findings) == 0 && a.Failure == ""
}

func pageOf(r Result) pageArtifact {
	path := Escape(filepath.ToSlash(r.Path))
	score := r.Report.Score()
	a := pageArtifact{
		Path: path, Verdict: r.Verdict().String(), Score: score, ScoreLine: scoreLine(score),
		Formats: cmp.Or(strings.Join(r.Report.Formats, ", "), "none recognised"), Size: byteSize(r.Size), Digest: r.Digest,
		Sandbox: cmp.Or(r.Sandbox.Grade, "no worker was needed"), Failure: Escape(r.Report.Failure),
		Notes: escapeAll(r.Report.Coverage.Notes), Map: mapOf(r.Report.Facts),
	}
	add := func(f modelscan.Finding, severity, reason string) {
		ru, _ := rule.Get(f.Rule)
		a.Findings = append(a.Findings, pageFinding{
			Severity: severity, Name: ru.Name, Rule: string(f.Rule), URI: fmt.Sprintf("%s/blob/main/docs/rules/%s.md", informationURI, f.Rule),
			CWE: strings.Join(ru.CWE, ", "), Place: place(path, r.Report.Artifact, f.Path, f.Offset), Message: Escape(f.Message), Reason: Escape(reason),
		})
	}
	for _, f := range r.findings() {
		add(f, f.Rule.Severity().String(), "")
	}
	for _, g := range r.Report.Gaps {
		add(modelscan.Finding{Rule: g.Rule, Path: g.Path, Offset: g.Offset, Message: "not examined: " + g.Reason}, "incomplete", "")
	}
	for _, s := range r.Suppressed {
		add(s.Finding, s.Finding.Rule.Severity().String(), cmp.Or(s.Reason, "no reason given"))
	}
	return a
}

// Treemap: its size in user units, and how many tensors get a box of their own.
const (
	mapWidth, mapHeight = 960, 420
	mapCells            = 400
)

// mapOf draws the tensors by size; nil when fewer than two are known.
func mapOf(facts []modelscan.Fact) *pageMap {
	var tensors []modelscan.Fact
	total := 0.0
	for _, f := range facts {
		if f.Kind == modelscan.TensorFact && f.Size > 0 {
			tensors = append(tensors, f)
			total += float64(f.Size)
		}
	}
	if len(tensors) < 2 { // one box says nothing
		return nil
	}
	slices.SortStableFunc(tensors, func(a, b modelscan.Fact) int { return cmp.Compare(b.Size, a.Size) })
	shown := tensors[:min(len(tensors), mapCells)]
	weights := make([]float64, 0, len(shown))
	drawn := 0.0
	for _, f := range shown {
		weights = append(weights, float64(f.Size))
		drawn += float64(f.Size)
	}
	m := &pageMap{Width: mapWidth, Height: mapHeight, Caption: fmt.Sprintf("%d tensors, %s", len(tensors), byteSize(int64(total)))}
	if len(shown) < len(tensors) {
		m.Caption += fmt.Sprintf("; the %d largest are drawn, %.1f %% of the bytes", len(shown), 100*drawn/total)
	}
	for i, b := range treemap(weights, box{0, 0, mapWidth, mapHeight}) {
		m.Cells = append(m.Cells, cellOf(shown[i], b))
	}
	return m
}

func cellOf(f modelscan.Fact, b box) pageCell {
	name := Escape(f.Name)
	c := pageCell{
		X: units(b.X), Y: units(b.Y), W: units(b.W), H: units(b.H), TextX: units(b.X + 4), TextY: units(b.Y + 14),
		Class: dtypeClass(f.DType), Title: fmt.Sprintf("%s %s %v: %s", name, Escape(f.DType), f.Shape, byteSize(f.Size)),
	}
	runes := []rune(name)
	switch room := int((b.W - 6) / 6.5); { // a label takes about so much for each letter
	case b.H < 18:
	case len(runes) <= room:
		c.Label = name
	case room >= 8:
		c.Label = "…" + string(runes[len(runes)-room+1:]) // the end of a name tells more than its start
	}
	return c
}

func units(v float64) string { return fmt.Sprintf("%.2f", v) }

// dtypeClass picks a colour: floats by width, integers, and the rest.
func dtypeClass(dtype string) int {
	d := strings.ToLower(dtype)
	switch {
	case strings.Contains(d, "bf16") || strings.Contains(d, "bfloat16"):
		return 1
	case strings.Contains(d, "16") || strings.Contains(d, "half"):
		return 2
	case strings.HasPrefix(d, "f") || strings.Contains(d, "float") || strings.Contains(d, "double"):
		return 0
	case strings.HasPrefix(d, "i") || strings.HasPrefix(d, "u") || strings.Contains(d, "int") || strings.Contains(d, "long"):
		return 3
	case strings.HasPrefix(d, "q"):
		return 4
	}
	return 5
}

// byteSize is a size for people.
func byteSize(n int64) string {
	units := []string{"bytes", "KB", "MB", "GB", "TB"}
	v, i := float64(n), 0
	for v >= 1000 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}
