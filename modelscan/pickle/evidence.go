package pickle

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// evidence is what an argument's text says about the callable it is given to.
type evidence uint8

const (
	noEvidence evidence = iota
	pathOrURL           // it names something outside the file
	codeOrShell
)

// Bounds of what is looked at in a call's arguments.
const (
	maxEvidenceText  = 16 << 10
	maxEvidenceItems = 256
)

// evidenceIn is the worst that the arguments of a call show.
func (m *machine) evidenceIn(id int) evidence {
	left := maxEvidenceItems
	c := m.calls[id]
	return max(m.weigh(c.args, &left, 0), m.weigh(c.extra, &left, 0))
}

func (m *machine) weigh(v value, left *int, depth int) evidence {
	if *left--; *left < 0 || depth > maxDepth {
		return noEvidence
	}
	worst := noEvidence
	switch v.kind() {
	case kStr:
		text, _ := m.text(v, maxEvidenceText)
		return weighText(text)
	case kBytes, kByteArray, kEncoded:
		text, _ := m.text(v, maxEvidenceText)
		return weighBytes(text)
	case kCall:
		c := m.calls[v.index()]
		return m.weigh(c.args, left, depth+1)
	case kTuple, kList, kDict, kSet, kFrozenSet:
		vs, _ := m.elements(v)
		for _, item := range vs {
			worst = max(worst, m.weigh(item, left, depth+1))
		}
	}
	return worst
}

var patterns = sync.OnceValue(func() [2]*regexp.Regexp {
	return [2]*regexp.Regexp{
		regexp.MustCompile(`__import__|\b(exec|eval|compile)\s*\(|\bos\.(system|popen|exec|spawn)|\bsubprocess\b|^\s*import\s+\w|\bfrom\s+[\w.]+\s+import\b|\blambda\b.*:|\bdef\s+\w+\s*\(|` +
			`/bin/(ba|da|z)?sh\b|\b(ba|z)?sh\s+-[ic]\b|\b(curl|wget|nc|ncat|powershell(\.exe)?|cmd(\.exe)?|certutil|bitsadmin|osascript|mshta)\s+[-/\w"']|` +
			`\bpython[23]?\s+-[cm]\b|\b(rm\s+-[rf]|chmod\s+[+0-7]|touch\s+/|cat\s+/|echo\s+.*(>|\|)|whoami|base64\s+-d)|/dev/tcp/|\$\(.*\)|\bnohup\b|` + "`[^`]+`"),
		regexp.MustCompile(`\b(https?|ftp|file|gopher|ssh|s3|gs)://|^(/|~/|[A-Za-z]:\\|\\\\|\.\./)[^\s]+|\.\./\.\.|/etc/(passwd|shadow|cron)|\.ssh/|\b\d{1,3}(\.\d{1,3}){3}:\d+`),
	}
})

// weighBytes is weighText of bytes. Those that are no text are numbers or compressed: what is short enough to stand
// there by chance, like two backticks or a slash at the front, is no evidence in them.
func weighBytes(b string) evidence {
	if !noText(b) {
		return weighText(b)
	}
	worst := noEvidence
	for run := range strings.FieldsFuncSeq(b, func(r rune) bool { return r < ' ' || r > '~' }) {
		if len(run) >= minRun {
			e := weighText(strings.NewReplacer("`", " ", "$(", " ").Replace(run))
			if e == pathOrURL && !strings.Contains(run, "://") {
				e = noEvidence
			}
			worst = max(worst, e)
		}
	}
	return worst
}

// minRun is the length of a run of printable characters that random bytes hardly have.
const minRun = 8

// noText tells whether bytes are none: a control character no text has, or what is no UTF-8.
func noText(b string) bool {
	return !utf8.ValidString(b) || strings.ContainsFunc(b, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' })
}

// weighText looks for a program, a command or an address in a text.
func weighText(text string) evidence {
	if len(text) < 4 || !strings.ContainsAny(text, "/:(\\ `_$") {
		return noEvidence
	}
	switch p := patterns(); {
	case p[0].MatchString(text):
		return codeOrShell
	case p[1].MatchString(text):
		return pathOrURL
	}
	return noEvidence
}
