// Package pyname judges the Python names that configuration files make a loader import: Keras configs,
// Hydra's _target_, skops nodes, diffusers and sentence-transformers indices. What may be called there
// gets its arguments from the same file.
package pyname

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// Standing of a name. The zero Standing is Unknown.
type Standing uint8

// Standings.
const (
	Unknown   Standing = iota // somebody's own code
	Known                     // a class or function of a machine-learning library that does not reach outside
	Dangerous                 // runs code or processes, or reaches files and network with the file's arguments
)

//go:embed stdlib.txt
var stdlibText string

//go:embed names.txt
var namesText string

type tables struct {
	stdlib    map[string]bool
	known     []string            // module prefixes
	harmless  map[string]bool     // standard library names that are plain data
	dangerous map[string][]string // patterns of names by module prefix
	leaves    map[string]bool     // last components that are dangerous in every library
}

var load = sync.OnceValue(func() *tables {
	t := &tables{stdlib: map[string]bool{}, harmless: map[string]bool{}, dangerous: map[string][]string{}, leaves: map[string]bool{}}
	for line := range strings.Lines(stdlibText) {
		if !strings.HasPrefix(line, "#") {
			for w := range strings.FieldsSeq(line) {
				t.stdlib[w] = true
			}
		}
	}
	for line := range strings.Lines(namesText) {
		head, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		words := strings.Fields(rest)
		kind, module, _ := strings.Cut(head, " ")
		switch kind {
		case "known":
			t.known = append(t.known, words...)
		case "harmless":
			for _, w := range words {
				t.harmless[module+"."+w] = true
			}
		case "danger":
			t.dangerous[module] = append(t.dangerous[module], words...)
		case "leaf":
			for _, w := range words {
				t.leaves[w] = true
			}
		}
	}
	return t
})

// Judge says what importing name from module amounts to. Both may be dotted.
func Judge(module, name string) Standing {
	t := load()
	full := strings.Trim(module+"."+name, ".")
	parts := strings.Split(full, ".")
	last := parts[len(parts)-1]
	switch {
	case t.harmless[full], t.harmless[parts[0]+".*"]:
		return Known
	case t.stdlib[parts[0]], slices.ContainsFunc(parts, reserved), t.listed(parts), t.leaves[last], slices.ContainsFunc(parts[1:], executes):
		return Dangerous
	}
	for _, prefix := range t.known {
		if full == prefix || strings.HasPrefix(full, prefix+".") {
			return Known
		}
	}
	return Unknown
}

// Target is Judge of one dotted path, as Hydra writes it.
func Target(path string) Standing { return Judge("", path) }

// reserved attributes lead to the interpreter's insides.
func reserved(part string) bool {
	return strings.HasPrefix(part, "__") && strings.HasSuffix(part, "__") && part != "__init__" && part != "__torch__" || part == ""
}

// executes: a module that libraries import under its own name (torch.serialization.os.system).
func executes(part string) bool {
	return slices.Contains([]string{"os", "sys", "subprocess", "shutil", "importlib", "builtins", "ctypes", "socket", "runpy", "pickle", "marshal", "pty", "posix", "nt"}, strings.TrimLeft(part, "_"))
}

// listed tells whether a danger line matches a prefix of the path and what follows it.
func (t *tables) listed(parts []string) bool {
	for i := range parts {
		rest := strings.Join(parts[i:], ".")
		for _, pattern := range t.dangerous[strings.Join(parts[:i], ".")] {
			prefix, wild := strings.CutSuffix(pattern, "*")
			if rest == pattern || wild && strings.HasPrefix(rest, prefix) || strings.HasPrefix(rest, pattern+".") {
				return true
			}
		}
	}
	return false
}
