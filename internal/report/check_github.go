package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// CheckGitHub writes diagnostics as GitHub Actions workflow commands, which show on the lines of a pull request.
func CheckGitHub(w io.Writer, run *CheckRun) error {
	b := bufio.NewWriter(w)
	for _, f := range run.Files {
		for _, d := range f.Diagnostics {
			line, col := f.Lines.At(d.Span.Start)
			endLine, endCol := f.Lines.At(d.Span.End)
			fmt.Fprintf(b, "::%s file=%s,line=%d,col=%d,endLine=%d,endColumn=%d,title=%s::%s\n", githubLevel(d.Severity),
				property(filepath.ToSlash(f.Path)), line, col, endLine, endCol, property("secure-torch "+string(d.Rule)), commandText(Escape(d.Message)))
		}
	}
	for _, g := range run.Gaps {
		fmt.Fprintf(b, "::warning file=%s,title=secure-torch::%s\n", property(filepath.ToSlash(g.Path)), commandText("not examined: "+Escape(g.Reason)))
	}
	return b.Flush()
}

func githubLevel(s rule.Severity) string {
	switch s {
	case rule.Info, rule.Low:
		return "notice"
	case rule.Medium:
		return "warning"
	}
	return "error"
}

// commandText escapes what would end a workflow command.
func commandText(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

// CheckStatistics writes how often each rule was broken, the most frequent first.
func CheckStatistics(w io.Writer, run *CheckRun) error {
	counts, fixable := map[rule.ID]int{}, map[rule.ID]bool{}
	for _, f := range run.Files {
		for _, d := range f.Diagnostics {
			counts[d.Rule]++
			fixable[d.Rule] = fixable[d.Rule] || len(d.Fixes) > 0
		}
	}
	b := bufio.NewWriter(w)
	ids := slices.SortedFunc(maps.Keys(counts), func(x, y rule.ID) int {
		if counts[x] != counts[y] {
			return counts[y] - counts[x]
		}
		return strings.Compare(string(x), string(y))
	})
	for _, id := range ids {
		r, _ := rule.Get(id)
		mark := "   "
		if fixable[id] {
			mark = "[*]"
		}
		fmt.Fprintf(b, "%6d  %s  %-8s  %s %s\n", counts[id], id, r.Severity, mark, r.Title)
	}
	return b.Flush()
}
