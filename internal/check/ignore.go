package check

import (
	"bytes"
	"iter"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/rule"

	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// Ignore is a comment that asks for silence: `# secure-torch: ignore[ST101, ST110] why` about its own
// line, ignore-file about the whole file.
type Ignore struct {
	Rules    []rule.ID
	File     bool
	Reason   string
	RuleSpan analyzers.Span // what is between the brackets
	line     analyzers.Span // the line that it stands on
	unknown  bool           // a word between the brackets names no rule
}

var ignoreForm = pattern.Lazy(`#[ \t]*secure-torch:[ \t]*ignore(-file)?\[([^\]]*)\](.*)$`)

// Ignores lists the ignore comments of a source, in order. Rules are named by id or by name.
func Ignores(src []byte) []Ignore {
	if !bytes.Contains(src, []byte("secure-torch:")) {
		return nil
	}
	var out []Ignore
	for c := range Comments(src) {
		m := ignoreForm().FindSubmatchIndex(src[c.Start:c.End])
		if m == nil {
			continue
		}
		text := func(i int) string { return string(src[c.Start+m[2*i] : c.Start+m[2*i+1]]) }
		ig := Ignore{
			File: m[2] >= 0, Reason: strings.TrimSpace(text(3)),
			RuleSpan: analyzers.Span{Start: c.Start + m[4], End: c.Start + m[5]},
			line:     analyzers.Span{Start: bytes.LastIndexAny(src[:c.Start], "\r\n") + 1, End: c.End},
		}
		for _, word := range strings.Split(text(2), ",") {
			if id, ok := ruleOf(strings.TrimSpace(word)); ok {
				ig.Rules = append(ig.Rules, id)
			} else {
				ig.unknown = true
			}
		}
		out = append(out, ig)
	}
	return out
}

func ruleOf(word string) (rule.ID, bool) {
	if r, ok := rule.Get(rule.ID(word)); ok {
		return r.ID, true
	}
	all := rule.All()
	i := slices.IndexFunc(all, func(r rule.Rule) bool { return r.Name == word })
	if i < 0 {
		return "", false
	}
	return all[i].ID, true
}

// covers tells whether the comment speaks of a diagnostic.
func (ig Ignore) covers(d Diagnostic) bool {
	return slices.Contains(ig.Rules, d.Rule) && (ig.File || d.Span.Start <= ig.line.End && max(d.Span.End, d.Call.End) >= ig.line.Start)
}

// Ignorable tells whether a rule may be silenced by a comment. In an untrusted workspace no finding in a
// file (ST2xx to ST5xx) is: whoever wrote the model may have written the comment.
func Ignorable(id rule.ID, trusted bool) bool { return trusted || id < "ST2" || id >= "ST6" }

// ignored returns the comment that asks not to show a diagnostic.
func (c *Checked) ignored(d Diagnostic, trusted bool) (Ignore, bool) {
	if !Ignorable(d.Rule, trusted) {
		return Ignore{}, false
	}
	i := slices.IndexFunc(c.ignores, func(ig Ignore) bool { return ig.covers(d) })
	if i < 0 {
		return Ignore{}, false
	}
	return c.ignores[i], true
}

// Comments finds the comments of a Python source, from # to before the line's end.
func Comments(src []byte) iter.Seq[analyzers.Span] {
	return func(yield func(analyzers.Span) bool) {
		for i := 0; i < len(src); i++ {
			switch src[i] {
			case '#':
				end := len(src)
				if n := bytes.IndexAny(src[i:], "\r\n"); n >= 0 {
					end = i + n
				}
				if !yield(analyzers.Span{Start: i, End: end}) {
					return
				}
				i = end
			case '"', '\'':
				i = stringEnd(src, i) - 1
			}
		}
	}
}

// stringEnd returns the offset after the string that begins with the quote at i. One in single quotes
// ends with its line at the latest.
func stringEnd(src []byte, i int) int {
	quote := src[i : i+1]
	if triple := bytes.Repeat(quote, 3); bytes.HasPrefix(src[i:], triple) {
		quote = triple
	}
	for i += len(quote); i < len(src); i++ {
		switch {
		case src[i] == '\\':
			i++
		case bytes.HasPrefix(src[i:], quote):
			return i + len(quote)
		case len(quote) == 1 && src[i] == '\n':
			return i
		}
	}
	return len(src)
}

// CommentFits tells whether a comment can begin at the offset, which is the end of a line: the line is
// not continued by a backslash, and no string is open there.
func CommentFits(src []byte, at int) bool {
	if at > 0 && src[at-1] == '\\' {
		return false
	}
	for i := 0; i < at; i++ {
		switch src[i] {
		case '#':
			n := bytes.IndexAny(src[i:at], "\r\n")
			if n < 0 {
				return true
			}
			i += n
		case '"', '\'':
			if i = stringEnd(src, i) - 1; i >= at {
				return false
			}
		}
	}
	return true
}
