package lsp

import (
	"bytes"
	"slices"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/engine"
)

// cellSource is the text of a cell behind that of the Python cells before it, and where the cell begins.
func (st *state) cellSource(d *document) (text []byte, from int) {
	for _, u := range d.notebook.cells {
		if u == d.uri {
			break
		}
		if before := st.docs[u]; before != nil {
			text = append(append(text, analyzers.Magics(before.text)...), '\n')
		}
	}
	return append(text, analyzers.Magics(d.text)...), len(text)
}

// cell is what is known of a cell: the part of a longer source that begins at from.
type cell struct {
	Checked
	from  int
	calls []check.Call
}

func newCell(c Checked, from int) *cell {
	out := &cell{Checked: c, from: from}
	for _, call := range c.Calls() {
		if call.Span.Start >= from {
			call.Span, call.FuncSpan, call.Fixes = out.span(call.Span), out.span(call.FuncSpan), out.fixes(call.Fixes)
			out.calls = append(out.calls, call)
		}
	}
	return out
}

func (c *cell) Calls() []check.Call { return c.calls }

func (c *cell) Split(artifacts map[string]*engine.Artifact, trusted bool, more ...check.Diagnostic) (shown []check.Diagnostic, suppressed []check.Suppressed) {
	whole := slices.Clone(more)
	for i := range whole {
		whole[i].Span.Start, whole[i].Span.End = whole[i].Span.Start+c.from, whole[i].Span.End+c.from
	}
	all, dropped := c.Checked.Split(artifacts, trusted, whole...)
	for _, d := range all {
		if d.Span.Start >= c.from {
			shown = append(shown, c.here(d))
		}
	}
	for _, s := range dropped {
		if s.Span.Start >= c.from {
			s.Diagnostic = c.here(s.Diagnostic)
			suppressed = append(suppressed, s)
		}
	}
	return shown, suppressed
}

// here is a diagnostic of the whole source as one of the cell.
func (c *cell) here(d check.Diagnostic) check.Diagnostic {
	d.Span, d.Call, d.Fixes = c.span(d.Span), c.span(d.Call), c.fixes(d.Fixes)
	return d
}

func (c *cell) span(s analyzers.Span) analyzers.Span {
	return analyzers.Span{Start: s.Start - c.from, End: s.End - c.from}
}

// fixes keeps what can be done in this cell: what would be inserted in one before it (an import) goes to
// its begin, what would change one before it is left out.
func (c *cell) fixes(all []analyzers.Fix) []analyzers.Fix {
	var out []analyzers.Fix
	for _, f := range all {
		edits := slices.Clone(f.Edits)
		good := true
		for i, e := range edits {
			switch {
			case e.Span.Start >= c.from:
				edits[i].Span = c.span(e.Span)
			case e.Span.Start == e.Span.End:
				edits[i].Span = analyzers.Span{}
				if !bytes.HasSuffix([]byte(e.New), []byte("\n")) {
					edits[i].New += "\n"
				}
			default:
				good = false
			}
		}
		if f.Edits = edits; good {
			out = append(out, f)
		}
	}
	return out
}
