package workspace

import (
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
	dirs := append(slices.Clone(v.roots), filepath.Dir(v.pathOf(from)))
	if beside {
		dirs = []string{filepath.Dir(v.path)}
	}
	for _, dir := range dirs {
		file := filepath.FromSlash(path)
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		if s := v.config(file); s != nil {
			return analyzers.Module{Summary: s, Dir: filepath.ToSlash(filepath.Dir(file))}, true
		}
	}
	return analyzers.Module{}, false
}

// config is what a file says, looked at once for each source that is linked.
func (v view) config(file string) *analyzers.Summary {
	if s, ok := v.configs[file]; ok {
		return s
	}
	var s *analyzers.Summary
	if ext := filepath.Ext(file); v.inside(file) && (ext == ".yaml" || ext == ".yml" || ext == ".json") {
		if text, err := v.read(file); err == nil && len(text) <= maxConfig {
			if python, ok := asPython(text); ok {
				s = analyzers.Summarise([]byte(python), v.Grammar())
			}
		}
	}
	v.configs[file] = s
	return s
}

// inside says whether a file lies below one of the roots.
func (w *Workspace) inside(file string) bool {
	return slices.ContainsFunc(w.roots, func(root string) bool {
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
	var b strings.Builder
	ok := writePython(&b, doc.Content[0], 0)
	return b.String(), ok
}

// writePython returns false when there is too much of it.
func writePython(b *strings.Builder, n *yaml.Node, depth int) bool {
	if depth > maxConfigDepth || b.Len() > maxConfigText {
		return false
	}
	switch n.Kind {
	case yaml.AliasNode:
		return writePython(b, n.Alias, depth+1)
	case yaml.SequenceNode:
		b.WriteByte('[')
		for _, c := range n.Content {
			if !writePython(b, c, depth+1) {
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
			if !writePython(b, n.Content[i+1], depth+1) {
				return false
			}
			b.WriteString(", ")
		}
		b.WriteByte('}')
	default:
		b.WriteString(scalar(n))
	}
	return true
}

// scalar is a value as text. What OmegaConf puts in for ${…} is not known, and ??? stands for what has to be said elsewhere.
func scalar(n *yaml.Node) string {
	if n.Tag == "!!null" || n.Value == "???" {
		return "None"
	}
	if !strings.Contains(n.Value, "${") {
		return strconv.Quote(n.Value)
	}
	braces := strings.NewReplacer("{", "{{", "}", "}}")
	var b strings.Builder
	rest := n.Value
	for {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(braces.Replace(before))
		if !found {
			return "f" + strconv.Quote(b.String())
		}
		b.WriteString("{_}")
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
		if end < 0 {
			return "f" + strconv.Quote(b.String())
		}
		rest = after[end+1:]
	}
}
