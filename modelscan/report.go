package modelscan

import "github.com/secure-torch/secure-torch/internal/rule"

// Verdict on an artifact. The zero value is Unknown: nobody has looked.
type Verdict uint8

// Verdicts, in no order of badness: Report.Verdict says which holds.
const (
	Unknown Verdict = iota
	Safe
	Review
	Incomplete
	Error
	Unsafe
)

var verdictNames = [...]string{"unknown", "safe", "review", "incomplete", "error", "unsafe"}

func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return verdictNames[0]
}

// MarshalText writes the lower-case name.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads the lower-case name; any other text is Unknown.
func (v *Verdict) UnmarshalText(text []byte) error {
	*v = Unknown
	for i, name := range verdictNames {
		if name == string(text) {
			*v = Verdict(i)
		}
	}
	return nil
}

// Kind of an artifact.
type Kind string

// Kinds of artifact. The zero Kind means that nobody has looked.
const (
	KindModel Kind = "model" // some loader interprets it
	KindOther Kind = "other" // no loader reads this
)

// Coverage says how much was examined.
type Coverage struct {
	Mode    string   `json:"mode"`            // "full", or "ranges" for a remote scan of parts
	Sources int      `json:"sources"`         // sources scanned, the artifact itself included
	Notes   []string `json:"notes,omitempty"` // what was not examined and is no gap
}

// Report is everything found in one artifact.
type Report struct {
	Artifact string    `json:"artifact"`
	Kind     Kind      `json:"kind"`
	Formats  []string  `json:"formats"`
	Findings []Finding `json:"findings"`
	Gaps     []Gap     `json:"gaps"`
	Facts    []Fact    `json:"facts,omitempty"`
	// Documents are what the file's own metadata says of the model. They are untrusted, and parsed by nobody yet.
	Documents []Document `json:"documents,omitempty"`
	Coverage  Coverage   `json:"coverage"`
	// Failure is set when the artifact could not be scanned at all.
	Failure string `json:"failure,omitempty"`
}

// Verdict is the first that holds: unsafe (a finding of high or worse), error, incomplete (a gap),
// review (a finding of low or medium), safe. A nil or never-filled Report is Unknown.
func (r *Report) Verdict() Verdict {
	if r == nil {
		return Unknown
	}
	worst := rule.Severity(0)
	for _, f := range r.Findings {
		worst = max(worst, f.Rule.Severity())
	}
	switch {
	case worst >= rule.High:
		return Unsafe
	case r.Failure != "":
		return Error
	case len(r.Gaps) > 0:
		return Incomplete
	case worst >= rule.Low:
		return Review
	case r.Kind == "":
		return Unknown
	}
	return Safe
}

// Level of a threat score.
type Level string

// UnknownLevel is the level of an artifact that could not be scanned: its score of 0 clears nobody.
const UnknownLevel Level = "UNKNOWN"

// Score is the threat score: the sum of its parts, capped at 100. A rule counts once, however often it was broken.
type Score struct {
	Total int            `json:"total"`
	Level Level          `json:"level"`
	Parts map[string]int `json:"parts"` // by rule name
}

// Score adds up the parts of the rules that findings and gaps name.
func (r *Report) Score() Score {
	s := Score{Parts: map[string]int{}}
	add := func(id rule.ID) {
		if ru, ok := rule.Get(id); ok && ru.Score > 0 {
			s.Parts[ru.Name] = ru.Score
		}
	}
	for _, f := range r.Findings {
		add(f.Rule)
	}
	for _, g := range r.Gaps {
		add(g.Rule)
	}
	for _, points := range s.Parts {
		s.Total += points
	}
	s.Total = min(s.Total, 100)
	s.Level = LevelOf(s.Total)
	if s.Total == 0 && (r.Failure != "" || r.Kind == "") {
		s.Level = UnknownLevel
	}
	return s
}

// LevelOf names the band a score lies in: SAFE 0, LOW to 15, MEDIUM to 35, HIGH to 65, CRITICAL above.
func LevelOf(score int) Level {
	switch {
	case score <= 0:
		return "SAFE"
	case score <= 15:
		return "LOW"
	case score <= 35:
		return "MEDIUM"
	case score <= 65:
		return "HIGH"
	}
	return "CRITICAL"
}
