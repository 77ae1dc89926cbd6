package check

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers"
)

// around is how many unchanged lines a hunk shows before and behind its changes.
const around = 3

// Diff is a unified diff of the edits in src, which must be in order and apart; empty without edits.
func Diff(name string, src []byte, edits []analyzers.Edit) string {
	var b strings.Builder
	lines := bytes.SplitAfter(src, []byte("\n"))
	if n := len(lines); len(lines[n-1]) == 0 {
		lines = lines[:n-1]
	}
	lineOf := func(at int) int { return min(bytes.Count(src[:at], []byte("\n")), max(len(lines)-1, 0)) }
	shift := 0
	for i := 0; i < len(edits); {
		first, last := lineOf(edits[i].Span.Start), lineOf(edits[i].Span.End)
		j := i + 1
		for j < len(edits) && lineOf(edits[j].Span.Start) <= last+2*around {
			last = max(last, lineOf(edits[j].Span.End))
			j++
		}
		from, to := max(first-around, 0), min(last+1+around, len(lines))
		old := bytes.Join(lines[from:to], nil)
		offset := len(bytes.Join(lines[:from], nil))
		var local []analyzers.Edit
		for _, e := range edits[i:j] {
			local = append(local, analyzers.Edit{Span: analyzers.Span{Start: e.Span.Start - offset, End: e.Span.End - offset}, New: e.New})
		}
		shift += hunk(&b, old, analyzers.Apply(old, local), from, from+shift)
		i = j
	}
	if b.Len() == 0 {
		return ""
	}
	return fmt.Sprintf("--- %s\n+++ %s\n%s", name, name, b.String())
}

// hunk writes one hunk and returns how many lines it adds.
func hunk(b *strings.Builder, old, changed []byte, from, to int) int {
	a, c := splitLines(old), splitLines(changed)
	head := 0
	for head < len(a) && head < len(c) && a[head] == c[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(c)-head && a[len(a)-1-tail] == c[len(c)-1-tail] {
		tail++
	}
	if head == len(a) && head == len(c) {
		return 0
	}
	fmt.Fprintf(b, "@@ -%d,%d +%d,%d @@\n", from+1, len(a), to+1, len(c))
	show := func(mark string, lines []string) {
		for _, line := range lines {
			b.WriteString(mark + line)
			if !strings.HasSuffix(line, "\n") {
				b.WriteString("\n\\ No newline at end of file\n")
			}
		}
	}
	show(" ", a[:head])
	show("-", a[head:len(a)-tail])
	show("+", c[head:len(c)-tail])
	show(" ", a[len(a)-tail:])
	return len(c) - len(a)
}

func splitLines(text []byte) []string {
	lines := strings.SplitAfter(string(text), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
