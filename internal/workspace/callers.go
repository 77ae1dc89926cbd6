package workspace

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers"
)

// Bounds of a search for callers: a name that more files call says little about who calls this one.
const (
	maxCallerFiles = 12
	maxSites       = 16
)

// Callers implements analyzers.Workspace. Files near the definition come first.
func (v view) Callers(from *analyzers.Summary, name string, method bool) []analyzers.Site {
	return v.sites(from, analyzers.Hash(name), method && !telling(name), func(s *analyzers.Summary, file, path string) []analyzers.Callee {
		return slices.DeleteFunc(s.Callees(name), func(c analyzers.Callee) bool { return !v.calls(c, file, path, name, method) })
	})
}

// Subclasses implements analyzers.Workspace.
func (v view) Subclasses(from *analyzers.Summary, class string) []analyzers.Site {
	return v.sites(from, analyzers.HashBase(class), false, func(s *analyzers.Summary, file, path string) []analyzers.Callee {
		return slices.DeleteFunc(s.Derived(class), func(c analyzers.Callee) bool { return !v.calls(c, file, path, class, false) })
	})
}

// sites are what find finds in the files that were noted under a hash, those near the file of from first, only those in its
// folder where near is asked for, or many were noted.
func (v view) sites(from *analyzers.Summary, hash uint32, near bool, find func(s *analyzers.Summary, file, path string) []analyzers.Callee) []analyzers.Site {
	path := v.pathOf(from)
	v.mu.Lock()
	files := slices.Clone(v.callers[hash])
	v.mu.Unlock()
	if len(files) > maxCallerFiles || near {
		dir := path[:len(path)-len(filepath.Base(path))]
		files = slices.DeleteFunc(files, func(f string) bool {
			rest, ok := strings.CutPrefix(f, dir)
			return !ok || strings.ContainsRune(rest, filepath.Separator)
		})
	}
	slices.SortFunc(files, func(a, b string) int { return cmp.Or(common(b, path)-common(a, path), strings.Compare(a, b)) })
	files = files[:min(len(files), maxCallerFiles)]
	var out []analyzers.Site
	for _, f := range files {
		if f == path || len(out) >= maxSites {
			continue
		}
		s := v.summary(f)
		if s == nil {
			continue
		}
		m := analyzers.Module{Summary: s, Dir: filepath.ToSlash(filepath.Dir(f))}
		for _, c := range find(s, f, path) {
			out = append(out, analyzers.Site{Module: m, Call: c.Call})
		}
	}
	return out[:min(len(out), maxSites)]
}

// telling says whether a method's name is so much its own that a call of it is one of this method.
func telling(name string) bool { return len(name) >= 8 && strings.Contains(name, "_") }

// common counts the leading bytes that two paths share.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// classIn says whether a dotted name, as the file caller writes it, is that of a class in the file at path.
func (v view) classIn(caller, dotted, path string) bool {
	i := strings.LastIndexByte(dotted, '.')
	return i > 0 && v.find(caller, dotted[:i]) == path
}

// calls says whether a call in file caller is one of what the file at path defines.
func (v view) calls(c analyzers.Callee, caller, path, name string, method bool) bool {
	for _, full := range c.Names {
		module, ok := strings.CutSuffix(full, "."+name)
		if !ok {
			continue
		}
		if method {
			if strings.HasPrefix(full, "?") || strings.HasSuffix(module, "()") || v.find(caller, module) == path || v.classIn(caller, module, path) {
				return true
			}
			continue
		}
		if strings.Trim(module, ".") == "" {
			module += "."
		}
		if found := v.find(caller, strings.TrimSuffix(module, "")); found == path || found != "" && filepath.Base(found) == "__init__.py" && strings.HasPrefix(path, filepath.Dir(found)) {
			return true
		}
	}
	return false
}
