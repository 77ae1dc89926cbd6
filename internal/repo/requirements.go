package repo

import (
	"context"
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// maxText bounds a text file that is read, in bytes.
const maxText = 16 << 20

// indexOption names where pip looks for packages.
var indexOption = pattern.Lazy(`^(?:-i|--index-url|--extra-index-url|-f|--find-links|--trusted-host|--proxy)(?:[ =]+|$)(\S*)`)

// included names a file with more requirements or constraints.
var included = pattern.Lazy(`^(?:-r|--requirement|-c|--constraint)[ =]*(\S+)`)

// knownIndices are run by the projects whose packages they hold.
var knownIndices = pattern.Lazy(`^https://(pypi\.org|files\.pythonhosted\.org|download\.pytorch\.org|pypi\.nvidia\.com|pypi\.ngc\.nvidia\.com|data\.pyg\.org|storage\.googleapis\.com/jax-releases|huggingface\.co|wheels\.vllm\.ai|flashinfer\.ai)(/|$)`)

// direct is a requirement that names a place instead of a version.
var direct = pattern.Lazy(`(?:^|@\s*|-e\s+)((?:git|hg|svn|bzr)\+\S+|https?://\S+|file:\S+)`)

// pinned names one state of a source repository on GitHub.
var pinned = pattern.Lazy(`^git\+https://github\.com/.*@[0-9a-f]{40}(?:#|$)`)

// requirements is what somebody who runs the repository's code installs first.
var requirements = &modelscan.Format{Name: "requirements", Inert: true, Scan: func(_ context.Context, p *modelscan.Pass) error {
	text, err := p.Bytes(0, p.Size, maxText)
	if err != nil {
		return err
	}
	off := int64(0)
	for line := range strings.Lines(string(text)) {
		requirement(p, off, strings.TrimSpace(line))
		off += int64(len(line))
	}
	return nil
}}

func requirement(p *modelscan.Pass, off int64, line string) {
	if line == "" || line[0] == '#' {
		return
	}
	if m := indexOption().FindStringSubmatch(line); m != nil {
		if !knownIndices().MatchString(m[1]) {
			report(p, modelscan.Finding{Rule: rule.RequirementsIndex, Offset: off, Subject: line, Message: fmt.Sprintf("packages would be installed from an index of the repository's choice: %s", line)})
		}
		return
	}
	if m := included().FindStringSubmatch(line); m != nil {
		if why := modelscan.Escapes(m[1]); why != "" {
			report(p, modelscan.Finding{Rule: rule.RequirementsIndex, Offset: off, Subject: m[1], Message: fmt.Sprintf("more requirements would be read from %s, which %s", m[1], why)})
		}
		return
	}
	m := direct().FindStringSubmatch(line)
	switch {
	case m == nil, knownIndices().MatchString(m[1]):
	case pinned().MatchString(m[1]):
	case strings.HasPrefix(m[1], "git+https://github.com/"), strings.HasPrefix(m[1], "https://github.com/"):
		report(p, modelscan.Finding{Rule: rule.RequirementsUnreleased, Offset: off, Subject: m[1], Message: fmt.Sprintf("a package would be built from %s", m[1])})
	default:
		report(p, modelscan.Finding{Rule: rule.RequirementsIndex, Offset: off, Subject: m[1], Message: fmt.Sprintf("a package would be installed from %s", m[1])})
	}
}
