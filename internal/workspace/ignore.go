package workspace

import (
	"path"
	"path/filepath"
	"strings"
)

// ignoreFile is a .gitignore and the folder that its patterns are relative to.
type ignoreFile struct {
	dir   string
	rules []ignoreRule
}

// ignoreRule is one line of a .gitignore (gitignore(5)).
type ignoreRule struct {
	segments []string // path.Match patterns; "**" is any number of folders
	negate   bool
	dirOnly  bool
}

// maxRules bounds the lines that are used of one .gitignore.
const maxRules = 2000

func readIgnore(dir string) []ignoreRule {
	text, err := Read(filepath.Join(dir, ".gitignore"))
	if err != nil {
		return nil
	}
	return parseIgnore(string(text))
}

// ValidPattern says why a pattern cannot be used.
func ValidPattern(p string) error {
	_, err := path.Match(p, "")
	return err
}

func parseIgnore(text string) []ignoreRule {
	var rules []ignoreRule
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if !strings.HasSuffix(line, `\ `) {
			line = strings.TrimRight(line, " \t")
		}
		if line == "" || line[0] == '#' || len(rules) == maxRules {
			continue
		}
		var r ignoreRule
		line, r.negate = strings.CutPrefix(line, "!")
		line, r.dirOnly = strings.CutSuffix(line, "/")
		anchored := strings.Contains(line, "/")
		line = strings.TrimPrefix(line, "/")
		if line == "" || strings.Count(line, "**") > 3 {
			continue
		}
		if _, err := path.Match(line, ""); err != nil {
			continue
		}
		if !anchored {
			line = "**/" + line
		}
		r.segments = strings.Split(line, "/")
		rules = append(rules, r)
	}
	return rules
}

// ignored asks the files from the innermost outwards; in one file the last rule that matches decides.
func ignored(files []ignoreFile, name string, isDir bool) bool {
	for i := len(files) - 1; i >= 0; i-- {
		rel, err := relative(files[i].dir, name)
		if err != nil {
			continue
		}
		segments := strings.Split(filepath.ToSlash(rel), "/")
		for j := len(files[i].rules) - 1; j >= 0; j-- {
			r := &files[i].rules[j]
			if (isDir || !r.dirOnly) && matchSegments(r.segments, segments) {
				return !r.negate
			}
		}
	}
	return false
}

// relative is filepath.Rel, which wants both paths absolute or neither.
func relative(dir, name string) (string, error) {
	if filepath.IsAbs(dir) != filepath.IsAbs(name) {
		abs, err := filepath.Abs(name)
		if err != nil {
			return "", err
		}
		name = abs
		if dir, err = filepath.Abs(dir); err != nil {
			return "", err
		}
	}
	return filepath.Rel(dir, name)
}

func matchSegments(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := range len(name) + 1 {
				if matchSegments(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
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

// Matches says whether a gitignore pattern names a file, or a folder that it lies in.
func Matches(pattern, name string) bool {
	rules := parseIgnore(pattern)
	segments := strings.Split(filepath.ToSlash(filepath.Clean(name)), "/")
	for i := range segments {
		for _, r := range rules {
			if (i+1 < len(segments) || !r.dirOnly) && matchSegments(r.segments, segments[:i+1]) {
				return true
			}
		}
	}
	return false
}
