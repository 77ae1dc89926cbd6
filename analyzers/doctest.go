package analyzers

import (
	"bytes"
	"sort"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
)

// Doctest is the code of one docstring's examples: the lines behind ">>>" and "...".
type Doctest struct {
	*Summary
	from, at []int // where each line begins, in the examples alone and in the file
}

// HasDoctests says whether a source may hold an example at all.
func HasDoctests(src []byte) bool { return bytes.Contains(src, []byte(">>>")) }

// Doctests are the examples in the docstrings of a source, each docstring's apart from the others', as the
// module doctest runs them.
func Doctests(s *Summary) []Doctest {
	var out []Doctest
	for i, n := range s.tree.Nodes {
		if n.Kind != pyparse.ExpressionStatement {
			continue
		}
		content := s.first(s.child(node(i), 0), pyparse.StringContent)
		if content < 0 || s.kind(s.child(node(i), 0)) != pyparse.String {
			continue
		}
		if d, ok := examples(s, int(s.tree.Nodes[content].Start), int(n.End)); ok {
			out = append(out, d)
		}
	}
	return out
}

// examples takes the examples out of the docstring that lies between two offsets.
func examples(s *Summary, start, end int) (Doctest, bool) {
	var d Doctest
	var code strings.Builder
	at := start
	open := false
	for line := range strings.Lines(s.text[start:end]) {
		prompt := strings.TrimLeft(line, " \t")
		skip := len(line) - len(prompt)
		open = strings.HasPrefix(prompt, ">>>") || open && strings.HasPrefix(prompt, "...")
		if open {
			rest := strings.TrimRight(prompt[3:], "\r\n")
			if !strings.HasPrefix(prompt, ">>>") || rest == "" || rest[0] == ' ' {
				rest = strings.TrimPrefix(rest, " ")
				d.from, d.at = append(d.from, code.Len()), append(d.at, at+skip+3+min(1, len(prompt[3:])-len(strings.TrimPrefix(prompt[3:], " "))))
				code.WriteString(rest + "\n")
			}
		}
		at += len(line)
	}
	if len(d.from) == 0 {
		return d, false
	}
	d.Summary = Summarise([]byte(code.String()), s.grammar)
	return d, true
}

// InFile is a span of the examples as one of the file.
func (d Doctest) InFile(s Span) Span { return Span{d.place(s.Start), d.place(s.End)} }

func (d Doctest) place(offset int) int {
	i := max(sort.SearchInts(d.from, offset+1)-1, 0)
	return d.at[i] + offset - d.from[i]
}
