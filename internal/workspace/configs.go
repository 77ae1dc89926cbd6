package workspace

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/secure-torch/secure-torch/analyzers"
)

// Bounds of a configuration file whose values are looked up: its size, how deep it nests, and what its aliases may make of it.
const (
	maxConfig      = 256 << 10
	maxConfigDepth = 32
	maxConfigText  = 1 << 20
)

// Config implements analyzers.Workspace. Nothing outside of the workspace is read.
func (v view) Config(from *analyzers.Summary, path string, beside bool) (analyzers.Module, bool) {
	for _, file := range v.candidates(from, path, beside) {
		if s := v.config(file); s != nil {
			return analyzers.Module{Summary: s, Dir: filepath.ToSlash(filepath.Dir(file))}, true
		}
	}
	return analyzers.Module{}, false
}

// candidates are where a config may lie: where the program runs first, which is not known but by its looks.
func (v view) candidates(from *analyzers.Summary, path string, beside bool) []string {
	file := filepath.FromSlash(path)
	if filepath.IsAbs(file) {
		return []string{file}
	}
	dirs := append(slices.Concat(v.above, v.roots), filepath.Dir(v.pathOf(from)))
	if beside {
		dirs = []string{filepath.Dir(v.path)}
	}
	var out []string
	for _, dir := range dirs {
		if f := filepath.Join(dir, file); !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// config is what a file says, looked at once for each source that is linked.
func (v view) config(file string) *analyzers.Summary {
	if s, ok := v.configs[file]; ok {
		return s
	}
	var s *analyzers.Summary
	if text, ok := v.text(file); ok {
		if python, ok := asPython(text); ok {
			s = analyzers.Summarise([]byte(python), v.Grammar())
		}
	}
	v.configs[file] = s
	return s
}

// text is what stands in a configuration file of the workspace.
func (v view) text(file string) ([]byte, bool) {
	if !v.inside(file) || !IsSettings(file) {
		return nil, false
	}
	v.consult(file)
	return v.peek(file)
}

// peek is text that is only looked through.
func (v view) peek(file string) ([]byte, bool) {
	text, err := v.read(file)
	return text, err == nil && len(text) <= maxConfig
}

// IsSettings says whether sources may be followed into a file of that name for their settings.
func IsSettings(name string) bool {
	switch filepath.Ext(name) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// maxConsulted bounds the configuration files that are remembered.
const maxConsulted = 1024

// consult remembers a configuration file that was asked for, whether it is there or not.
func (w *Workspace) consult(file string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.consulted) < maxConsulted {
		w.consulted[file] = true
	}
}

// Consulted are the configuration files that sources of the workspace read their settings from, or would where they
// are there, in lexical order. Another text in one of them changes what calls load.
func (w *Workspace) Consulted() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.consulted))
}

// inside says whether a file lies below one of the roots, or in a folder of the project that they are part of.
func (w *Workspace) inside(file string) bool {
	return slices.ContainsFunc(slices.Concat(w.above, w.roots), func(root string) bool {
		rel, err := filepath.Rel(root, file)
		return err == nil && filepath.IsLocal(rel)
	})
}

// asPython writes a YAML document, as JSON is one too, as a literal of Python. All that is not a list or a dictionary
// becomes a string, or None.
func asPython(text []byte) (string, bool) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil || len(doc.Content) != 1 {
		return "", false
	}
	return writeAll(doc.Content[0])
}

// writeAll writes a whole document.
func writeAll(root *yaml.Node) (string, bool) {
	b := writer{root: root}
	ok := b.write(root, 0)
	return b.String(), ok
}

// writer writes YAML as Python.
type writer struct {
	strings.Builder
	root  *yaml.Node // what ${…} names values of
	named int        // the ${…} that were looked at
}

// write returns false when there is too much of it.
func (b *writer) write(n *yaml.Node, depth int) bool {
	if depth > maxConfigDepth || b.Len() > maxConfigText {
		return false
	}
	switch n.Kind {
	case yaml.AliasNode:
		return b.write(n.Alias, depth+1)
	case yaml.SequenceNode:
		b.WriteByte('[')
		for _, c := range n.Content {
			if !b.write(c, depth+1) {
				return false
			}
			b.WriteString(", ")
		}
		b.WriteByte(']')
	case yaml.MappingNode:
		b.WriteByte('{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Kind != yaml.ScalarNode {
				continue
			}
			b.WriteString(strconv.Quote(n.Content[i].Value) + ": ")
			if !b.write(n.Content[i+1], depth+1) {
				return false
			}
			b.WriteString(", ")
		}
		b.WriteByte('}')
	default:
		b.WriteString(b.scalar(n))
	}
	return true
}

// scalar is a value as text. ??? stands for what has to be said elsewhere.
func (b *writer) scalar(n *yaml.Node) string {
	if n.Tag == "!!null" || n.Value == "???" {
		return "None"
	}
	if !strings.Contains(n.Value, "${") {
		return strconv.Quote(n.Value)
	}
	var f strings.Builder
	b.interpolated(&f, n.Value, 0)
	return "f" + strconv.Quote(f.String())
}

// Bounds of ${…}: how many are looked at in a document, and how deep one stands for the next.
const (
	maxInterpolations     = 2048
	maxInterpolationDepth = 8
)

// interpolated writes the text of an f-string in which ${a.b} is what OmegaConf puts in for it, where that is another
// value of the same document; {_} where it is not known.
func (b *writer) interpolated(f *strings.Builder, text string, depth int) {
	braces := strings.NewReplacer("{", "{{", "}", "}}")
	for rest := text; ; {
		before, after, found := strings.Cut(rest, "${")
		f.WriteString(braces.Replace(before))
		if !found {
			return
		}
		open := 1
		end := strings.IndexFunc(after, func(r rune) bool {
			switch r {
			case '{':
				open++
			case '}':
				open--
			}
			return open == 0
		})
		name := after
		if end >= 0 {
			name, rest = after[:end], after[end+1:]
		}
		switch value, ok := b.lookup(name); {
		case name == "hydra:runtime.cwd":
			f.WriteByte('.')
		case ok && depth < maxInterpolationDepth && f.Len() < maxConfigText:
			b.interpolated(f, value, depth+1)
		default:
			f.WriteString("{_}")
		}
		if end < 0 {
			return
		}
	}
}

// lookup is the text that a.b names in the document.
func (b *writer) lookup(name string) (string, bool) {
	n := b.root
	if b.named++; b.named > maxInterpolations {
		return "", false
	}
	for word := range strings.SplitSeq(strings.TrimSpace(name), ".") {
		if n.Kind != yaml.MappingNode {
			return "", false
		}
		i := 0
		for i+1 < len(n.Content) && n.Content[i].Value != word {
			i += 2
		}
		if i+1 >= len(n.Content) {
			return "", false
		}
		n = n.Content[i+1]
	}
	return n.Value, n.Kind == yaml.ScalarNode && n.Tag != "!!null" && n.Value != "???"
}
