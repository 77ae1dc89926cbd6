package evidence

import (
	"strings"
	"time"
)

// Mode says what becomes of a model without a signature that counts.
type Mode string

// Modes of a trust policy.
const (
	Warn    Mode = "warn"    // it is said
	Require Mode = "require" // it is a finding that keeps the model out
	Deny    Mode = "deny"    // no signature lets it in
)

// TrustPolicy is the user's word on who may sign which models. It was read by trust/publisher.
type TrustPolicy struct {
	Default     Mode // where no rule matches
	Rules       []TrustRule
	TrustedRoot []byte // nil for the one that is built in
	Revoked     Revocations
}

// TrustRule is about the models that one of its patterns matches.
type TrustRule struct {
	Name        string
	Match       []string // "hf:org/*", "path:/models/**"
	Mode        Mode
	Authorities []Authority // any of them
	Lenient     bool        // files that nobody signed are let pass
	MinSignedAt time.Time
}

// Rule is the first that matches one of the names under which a model is known: "hf:org/name", "path:/models/m.pt".
// Where none does it is the default, with nobody in it.
func (p *TrustPolicy) Rule(sources ...string) TrustRule {
	for _, r := range p.Rules {
		for _, m := range r.Match {
			for _, s := range sources {
				if r.matches(m, s) {
					return r
				}
			}
		}
	}
	return TrustRule{Name: "default", Mode: p.Default}
}

// matches holds a pattern against a name of the same kind. The hub finds a repository by its name in capitals too.
func (r *TrustRule) matches(pattern, name string) bool {
	kind, pattern, _ := strings.Cut(pattern, ":")
	named, name, _ := strings.Cut(name, ":")
	if kind == "hf" {
		pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	}
	return kind == named && Glob(pattern, name)
}

// Glob tells whether a pattern matches a whole name: * stands for anything within one part between slashes, ** for any
// number of parts.
func Glob(pattern, name string) bool {
	return globParts(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

func globParts(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for len(pattern) > 0 && pattern[0] == "**" {
				pattern = pattern[1:]
			}
			if len(pattern) == 0 {
				return true
			}
			for i := range name {
				if globParts(pattern, name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 || !globPart(pattern[0], name[0]) {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}

// globPart matches within one part: * stands for anything. It takes the first place for each piece, which is enough.
func globPart(pattern, name string) bool {
	pieces := strings.Split(pattern, "*")
	if len(pieces) == 1 {
		return pattern == name
	}
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		i := strings.Index(name, piece)
		if i < 0 {
			return false
		}
		name = name[i+len(piece):]
	}
	return true
}
