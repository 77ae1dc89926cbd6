package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/modelscan"
)

// Inspect writes what is in an artifact: its tree of sources, its tensors, its metadata, and what could
// not be read.
func Inspect(w io.Writer, a *engine.Artifact) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s: %s\n", Escape(filepath.ToSlash(a.Path)), strings.Join(slices.Concat([]string{a.Verdict().String(), byteSize(a.Size)}, a.Report.Formats), ", "))
	for _, f := range ofKind(a.Report.Facts, modelscan.SourceFact) {
		if inside := members(a.Report.Artifact, f.Path); len(inside) > 0 {
			line := strings.Repeat("  ", len(inside)) + Escape(inside[len(inside)-1]) + "  " + byteSize(f.Size) + "  " + Escape(f.Value)
			fmt.Fprintln(out, strings.TrimRight(line, " "))
		}
	}
	table(out, "tensors", ofKind(a.Report.Facts, modelscan.TensorFact), func(f modelscan.Fact) string {
		return fmt.Sprintf("%s\t%s\t%v\t%s", Escape(f.Name), Escape(f.DType), f.Shape, byteSize(f.Size))
	})
	rest := slices.DeleteFunc(slices.Clone(a.Report.Facts), func(f modelscan.Fact) bool {
		return f.Kind == modelscan.TensorFact || f.Kind == modelscan.SourceFact
	})
	table(out, "facts", rest, func(f modelscan.Fact) string {
		return fmt.Sprintf("%s\t%s\t%s", Escape(string(f.Kind)), Escape(f.Name), Escape(f.Value))
	})
	inspectProvenance(out, a)
	for _, note := range a.Report.Coverage.Notes {
		fmt.Fprintf(out, "note: %s\n", Escape(note))
	}
	for _, g := range a.Report.Gaps {
		if g.Reason == a.Report.Failure {
			continue // said below
		}
		fmt.Fprintf(out, "not read: %s: %s\n", place(Escape(a.Path), a.Report.Artifact, g.Path, g.Offset), Escape(g.Reason))
	}
	if a.Report.Failure != "" {
		fmt.Fprintf(out, "error: %s\n", Escape(a.Report.Failure))
	}
	return out.Flush()
}

// inspectProvenance says what lies beside an artifact, where somebody asked.
func inspectProvenance(out io.Writer, a *engine.Artifact) {
	say := func(title string, words ...string) {
		words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
		fmt.Fprintf(out, "%s: %s\n", title, strings.Join(words, ", "))
	}
	if a.Signature != nil {
		s := escapeSignature(*a.Signature)
		say("signature", string(s.State), s.Signer, s.Bundle, s.Message)
	}
	if a.SBOM != nil {
		s := sbomJSON(a.SBOM)
		unbound := ""
		if s.Present && !s.Bound {
			unbound = "which does not name this file"
		}
		say("bill of materials", string(s.State), s.Format, s.Document, unbound, s.Message)
	}
}

func ofKind(facts []modelscan.Fact, kind modelscan.FactKind) []modelscan.Fact {
	var some []modelscan.Fact
	for _, f := range facts {
		if f.Kind == kind {
			some = append(some, f)
		}
	}
	return some
}

func table(w io.Writer, title string, facts []modelscan.Fact, row func(modelscan.Fact) string) {
	if len(facts) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s: %d\n", title, len(facts))
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range facts {
		fmt.Fprintf(columns, "  %s\n", row(f))
	}
	_ = columns.Flush() // to a bufio.Writer, which keeps the error
}

// Listing escapes a listing of a model's pickles, line by line.
func Listing(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(Escape(strings.TrimSuffix(line, "\n")))
		b.WriteByte('\n')
	}
	return b.String()
}

// InspectJSON writes the same for programs: the artifact as in a scan's report, with its facts, and the listing
// that was asked for.
func InspectJSON(w io.Writer, a *engine.Artifact, listing string) error {
	facts := []modelscan.Fact{}
	for _, f := range a.Report.Facts {
		f.Path, f.Name, f.Value, f.DType = Escape(f.Path), Escape(f.Name), Escape(f.Value), Escape(f.DType)
		facts = append(facts, f)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Version  int              `json:"version"`
		Artifact jsonArtifact     `json:"artifact"`
		Facts    []modelscan.Fact `json:"facts"`
		Listing  string           `json:"listing,omitempty"`
	}{schemaVersion, toJSON(Result{Artifact: a}), facts, Listing(listing)})
}
