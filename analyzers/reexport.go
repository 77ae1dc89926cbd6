package analyzers

import "strings"

// maxReexports is how many modules a name is followed through to where it is imported from.
const maxReexports = 3

// elsewhereNames are the names, in the libraries they come from, of what modules of the workspace pass on: for
// "..io.read" where io.py has `from torch import load as read`, "torch.load".
func (l *linker) elsewhereNames(names []string) []string {
	if l.o.Workspace == nil {
		return nil
	}
	var out []string
	for _, name := range names {
		out = append(out, l.reexported(l.s, name, maxReexports)...)
	}
	return dedupe(out)
}

// reexported follows one name out of a file.
func (l *linker) reexported(from *Summary, name string, hops int) []string {
	if hops == 0 || strings.ContainsAny(name, "?@()[]") {
		return nil
	}
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] != '.' {
			continue
		}
		module, attr := splitDotted(name[:i] + "." + firstPart(name[i+1:]))
		if module == "" || attr == "" {
			continue
		}
		m, ok := l.o.Workspace.Module(from, module)
		if !ok {
			continue
		}
		rest := strings.TrimPrefix(name[i+1:], attr)
		var out []string
		for _, other := range m.Summary.topNames(attr) {
			out = append(append(out, other+rest), l.reexported(m.Summary, other+rest, hops-1)...)
		}
		return out[:min(len(out), maxNames)]
	}
	return nil
}

// firstPart is what stands before a name's first dot.
func firstPart(name string) string {
	first, _, _ := strings.Cut(name, ".")
	return first
}

// topNames are the qualified names of what a module has under a name.
func (s *Summary) topNames(name string) []string {
	nm := &naming{s, maxNaming}
	var out []string
	for _, i := range s.top(name) {
		out = append(out, nm.boundNames(&s.binds[i], name, 0)...)
	}
	if len(out) == 0 {
		for _, star := range s.stars {
			out = append(out, joinDotted(star, name))
		}
	}
	return dedupe(out)
}

// joinDotted is a name in a module, which may be a relative one: ".m" in the package itself, "..m".
func joinDotted(module, name string) string {
	if strings.HasSuffix(module, ".") {
		return module + name
	}
	return module + "." + name
}
