package check

import (
	"slices"

	"github.com/secure-torch/secure-torch/analyzers"
)

// Fixes joins the fixes of diagnostics: of each the first that may be made, the safe ones alone unless
// unsafe is set. One that overlaps an earlier one is left for the next run. It returns the edits, in
// order, and how many fixes they make.
func Fixes(diagnostics []Diagnostic, unsafe bool) (edits []analyzers.Edit, made int) {
	for _, d := range diagnostics {
		i := slices.IndexFunc(d.Fixes, func(f analyzers.Fix) bool { return f.Safe || unsafe })
		if i < 0 {
			continue
		}
		next, added := merge(edits, d.Fixes[i].Edits)
		if !added {
			continue
		}
		edits = next
		made++
	}
	return edits, made
}

// merge adds the edits of one fix, all of them or none. An edit that is there already (an import that
// two fixes need) is not made twice; a fix of nothing but such edits adds nothing.
func merge(edits, more []analyzers.Edit) ([]analyzers.Edit, bool) {
	out := slices.Clone(edits)
	added := false
	for _, e := range more {
		if slices.Contains(edits, e) {
			continue
		}
		if slices.ContainsFunc(edits, func(o analyzers.Edit) bool { return overlap(o.Span, e.Span) }) {
			return edits, false
		}
		out = append(out, e)
		added = true
	}
	slices.SortStableFunc(out, func(a, b analyzers.Edit) int { return a.Span.Start - b.Span.Start })
	return out, added
}

// overlap says whether two edits touch the same bytes, or insert at the same place.
func overlap(a, b analyzers.Span) bool {
	return a.Start < b.End && b.Start < a.End || a.Start == b.Start && (a.Start == a.End || b.Start == b.End)
}

// Applied is src with edits made.
func Applied(src []byte, edits []analyzers.Edit) []byte { return analyzers.Apply(src, edits) }
