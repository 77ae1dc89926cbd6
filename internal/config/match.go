package config

import (
	"path"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// Match returns the first entry that suppresses a finding of the rule in a file: its slash-separated
// path relative to the config, and its digest where it is known. In an untrusted workspace findings in
// files (ST2xx to ST5xx) are never suppressed.
func (c *Config) Match(id rule.ID, file, digest string, trusted bool) (Ignore, bool) {
	if !trusted && inFile(id) {
		return Ignore{}, false
	}
	i := slices.IndexFunc(c.Ignore, func(ig Ignore) bool { return ig.matches(id, file, digest) })
	if i < 0 {
		return Ignore{}, false
	}
	return c.Ignore[i], true
}

// NeedsDigest tells whether an entry asks for a file's digest.
func (c *Config) NeedsDigest() bool {
	return slices.ContainsFunc(c.Ignore, func(ig Ignore) bool { return ig.Digest != "" })
}

func inFile(id rule.ID) bool { return id >= "ST2" && id < "ST6" }

func (ig Ignore) matches(id rule.ID, file, digest string) bool {
	r, _ := rule.Get(id)
	return (ig.Rule == "" || ig.Rule == string(id) || ig.Rule == r.Name) &&
		(ig.Path == "" || globMatch(strings.Split(ig.Path, "/"), strings.Split(file, "/"))) &&
		(ig.Digest == "" || ig.Digest == digest)
}

// globMatch matches segment by segment; "**" is any number of them. Each of the two recursions makes
// one list shorter, and consecutive "**" are one.
func globMatch(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for len(pattern) > 1 && pattern[1] == "**" {
				pattern = pattern[1:]
			}
			return len(pattern) == 1 || slices.ContainsFunc(tails(name), func(rest []string) bool { return globMatch(pattern[1:], rest) })
		}
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], name[0]); err != nil || !ok {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}

func tails(name []string) [][]string {
	var all [][]string
	for i := range len(name) + 1 {
		all = append(all, name[i:])
	}
	return all
}
