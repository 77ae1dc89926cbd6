package workspace

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/secure-torch/secure-torch/analyzers"

	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// requirement is one requirement (PEP 508) at the start of a line or of a quoted string.
var requirement = pattern.Lazy(`(?m)^[\s"'\[,]*(?:[\w.-]+\s*=\s*\[?\s*["'])?([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*((?:(?:===|==|~=|>=|<=|!=|>|<)\s*\d[\w.*+!-]*\s*,?\s*)+)`)

// inline are further requirements in a list on one line: ["torch>=2.6", "numpy"].
var inline = pattern.Lazy(`["']([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*((?:(?:===|==|~=|>=|<=|!=|>|<)\s*\d[\w.*+!-]*\s*,?\s*)+)`)

// locked is a package in uv.lock, poetry.lock or pdm.lock.
var locked = pattern.Lazy(`(?m)^name = "([^"]+)"\r?\nversion = "([^"]+)"`)

var clause = pattern.Lazy(`(===|==|~=|>=|<=|!=|>|<)\s*(\d[\w.*+!-]*)`)

// sources are the files that say which versions a project uses, the most exact first.
var sources = []string{"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements.lock", "requirements.txt", "requirements/base.txt", "pyproject.toml", "setup.cfg", "setup.py", "environment.yml"}

// IsRequirement says whether a file of that name may say which versions a project uses.
func IsRequirement(name string) bool {
	return slices.ContainsFunc(sources, func(s string) bool { return path.Base(s) == name })
}

// versions reads, when it is first asked, what the projects at the roots ask of their packages: alone
// leaves out the folders above them.
func versions(roots []string, alone bool, read func(string) ([]byte, error)) func(string) analyzers.Constraint {
	all := sync.OnceValue(func() map[string]analyzers.Constraint {
		found := map[string]analyzers.Constraint{}
		for _, root := range roots {
			dirs := projectDirs(root)
			if alone {
				dirs = dirs[:1]
			}
			for _, dir := range dirs {
				for _, name := range sources {
					if text, err := read(filepath.Join(dir, name)); err == nil {
						addVersions(found, string(text))
					}
				}
			}
		}
		return found
	})
	return func(pkg string) analyzers.Constraint { return all()[normal(pkg)] }
}

// projectDirs are a folder and those above it up to its project's root.
func projectDirs(root string) []string {
	dirs := []string{root}
	for d := root; filepath.Dir(d) != d && len(dirs) < 8; d = filepath.Dir(d) {
		for _, mark := range []string{".git", "pyproject.toml"} {
			if _, err := os.Lstat(filepath.Join(d, mark)); err == nil {
				return dirs
			}
		}
		dirs = append(dirs, filepath.Dir(d))
	}
	return dirs[:1]
}

// normal is a package name as PEP 503 compares it.
func normal(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(name))
}

// addVersions takes what a file says of packages that no file before it spoke of.
func addVersions(found map[string]analyzers.Constraint, text string) {
	here := map[string]analyzers.Constraint{}
	for _, m := range locked().FindAllStringSubmatch(text, -1) {
		if _, twice := here[normal(m[1])]; !twice {
			here[normal(m[1])] = constraint(m[1], "=="+m[2])
		}
	}
	for _, re := range []*regexp.Regexp{requirement(), inline()} {
		for _, m := range re.FindAllStringSubmatch(text, -1) {
			if _, twice := here[normal(m[1])]; !twice {
				here[normal(m[1])] = constraint(m[1], strings.Join(strings.Fields(m[2]), ""))
			}
		}
	}
	for name, c := range here {
		if _, known := found[name]; !known {
			found[name] = c
		}
	}
}

// constraint reads "==2.5.1" or ">=2.6,<3".
func constraint(name, spec string) analyzers.Constraint {
	c := analyzers.Constraint{Spec: name + strings.TrimRight(spec, ",")}
	raise := func(v string) {
		if c.Low == "" || analyzers.CompareVersions(v, c.Low) > 0 {
			c.Low = v
		}
	}
	lower := func(v string) {
		if c.High == "" || analyzers.CompareVersions(v, c.High) < 0 {
			c.High = v
		}
	}
	for _, m := range clause().FindAllStringSubmatch(spec, -1) {
		switch v := strings.TrimSuffix(m[2], ".*"); m[1] {
		case "==", "===":
			raise(v)
			lower(next(v))
		case "~=":
			raise(v)
			if i := strings.LastIndexByte(v, '.'); i > 0 {
				lower(next(v[:i]))
			}
		case ">=", ">":
			raise(v)
		case "<":
			lower(v)
		case "<=":
			lower(next(v))
		}
	}
	return c
}

// next is the first version behind all those that begin with v: "2.6" for "2.5".
func next(v string) string {
	i := strings.LastIndexByte(v, '.')
	last, n := v[i+1:], 0
	for _, r := range last {
		if r < '0' || r > '9' || n > 1<<30 {
			break
		}
		n = n*10 + int(r-'0')
	}
	return v[:i+1] + strconv.Itoa(n+1)
}
