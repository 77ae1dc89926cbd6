package workspace

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"github.com/secure-torch/secure-torch/analyzers"
)

// Bounds of a composition: the files that are read for it, and how deep one names the next.
const (
	maxComposed = 64
	maxDefaults = 16
)

// Compose implements analyzers.Workspace.
func (v view) Compose(from *analyzers.Summary, file string, beside bool) (analyzers.Module, bool) {
	for _, file := range v.candidates(from, file, beside) {
		key := "hydra:" + file
		s, ok := v.configs[key]
		if !ok {
			if root := composed(file, v.text); root != nil {
				if python, ok := writeAll(root); ok {
					s = analyzers.Summarise([]byte(python), v.Grammar())
				}
			}
			v.configs[key] = s
		}
		if s != nil {
			return analyzers.Module{Summary: s, Dir: filepath.ToSlash(filepath.Dir(file))}, true
		}
	}
	return analyzers.Module{}, false
}

// composed is the configuration that a primary config file and its defaults list make, as Hydra does by
// https://hydra.cc/docs/advanced/defaults_list, unless the command line says otherwise; nil where the file cannot be read.
// text is what stands in a file.
func composed(file string, text func(file string) ([]byte, bool)) *yaml.Node {
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	c := composer{text: text, dir: filepath.Dir(file), chosen: map[string]*yaml.Node{}, ext: filepath.Ext(file)}
	c.left = maxComposed
	c.overrides(name, nil, 0)
	c.left, c.root = maxComposed, mapping()
	if !c.add(name, nil, 0) {
		return nil
	}
	return c.root
}

// composer puts one configuration together.
type composer struct {
	text   func(file string) ([]byte, bool)
	dir    string // of the primary config
	ext    string
	left   int                   // files that may still be read
	chosen map[string]*yaml.Node // by group and package: what an "override" entry chooses
	root   *yaml.Node
}

// layer is one config file.
type layer struct {
	values   *yaml.Node   // its mapping, without the defaults list
	defaults []*yaml.Node // the entries of that
	pkg      string       // what "# @package" says
}

var packageLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*#\s*@package\s+(\S+)`) })

// load reads a config by its name, which is its path in the folder of configs.
func (c *composer) load(name string) (layer, bool) {
	file := filepath.Join(c.dir, filepath.FromSlash(name)+c.ext)
	if c.left--; c.left < 0 {
		return layer{}, false
	}
	text, ok := c.text(file)
	if !ok {
		return layer{}, false
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return layer{}, false
	}
	l := layer{values: mapping()}
	if m := packageLine().FindSubmatch(text); m != nil {
		l.pkg = string(m[1])
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return l, true
	}
	all := doc.Content[0].Content
	for i := 0; i+1 < len(all); i += 2 {
		if all[i].Value == "defaults" && all[i+1].Kind == yaml.SequenceNode {
			l.defaults = all[i+1].Content
			continue
		}
		l.values.Content = append(l.values.Content, all[i], all[i+1])
	}
	return l, true
}

// item is one entry of a defaults list, read: a config of a group, under a package.
type item struct {
	group    string // from the folder of configs
	options  []string
	pkg      []string
	override bool
}

// read reads an entry of the defaults list of the config name, whose package is pkg.
func (c *composer) read(entry *yaml.Node, name string, pkg []string) (item, bool) {
	group := path.Dir(name)
	if entry.Kind == yaml.ScalarNode {
		dir, option := path.Split(entry.Value)
		return item{group: below(group, dir), options: []string{option}, pkg: pkg}, entry.Value != "" && !strings.Contains(entry.Value, "${")
	}
	if entry.Kind != yaml.MappingNode || len(entry.Content) != 2 {
		return item{}, false
	}
	key := strings.TrimPrefix(entry.Content[0].Value, "optional ")
	key, override := strings.CutPrefix(key, "override ")
	key, at, placed := strings.Cut(strings.TrimSpace(key), "@")
	it := item{group: below(group, key), override: override}
	switch {
	case !placed && strings.HasPrefix(key, "/"):
		it.pkg = words(key)
	case !placed:
		it.pkg = slices.Concat(pkg, words(key))
	case at == "_here_":
		it.pkg = pkg
	case at == "_global_", strings.HasPrefix(at, "_global_."):
		it.pkg = words(strings.ReplaceAll(strings.TrimPrefix(at, "_global_"), ".", "/"))
	default:
		it.pkg = slices.Concat(pkg, words(strings.ReplaceAll(at, ".", "/")))
	}
	value := entry.Content[1]
	if by := c.chosen[it.key()]; by != nil && !override {
		value = by
	}
	it.options = options(value)
	return it, it.group != "hydra" && !strings.HasPrefix(it.group, "hydra/")
}

// key tells a group's entries by where they are put.
func (it item) key() string { return it.group + "@" + strings.Join(it.pkg, ".") }

// options are what is chosen of a group; none where nobody says what.
func options(value *yaml.Node) []string {
	all := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		all = value.Content
	}
	var out []string
	for _, n := range all {
		if n.Kind == yaml.ScalarNode && n.Tag != "!!null" && n.Value != "" && n.Value != "???" && !strings.Contains(n.Value, "${") {
			out = append(out, n.Value)
		}
	}
	return out
}

// below is a folder of configs by its name in a config of another.
func below(group, name string) string {
	if strings.HasPrefix(name, "/") {
		return path.Clean(strings.TrimPrefix(name, "/") + "/.")
	}
	return path.Join(group, name)
}

func words(p string) []string {
	return strings.FieldsFunc(p, func(r rune) bool { return r == '/' })
}

// overrides finds the entries that choose another option of a group than the list above them does.
func (c *composer) overrides(name string, pkg []string, depth int) {
	l, ok := c.load(name)
	if !ok || depth > maxDefaults {
		return
	}
	for _, entry := range l.defaults {
		it, ok := c.read(entry, name, l.place(name, pkg))
		switch {
		case !ok:
		case it.override:
			c.chosen[it.key()] = entry.Content[1]
		default:
			for _, o := range it.options {
				if o != "_self_" {
					c.overrides(path.Join(it.group, strings.TrimSuffix(o, c.ext)), it.pkg, depth+1)
				}
			}
		}
	}
}

// add lays a config and those in its defaults list over what there is.
func (c *composer) add(name string, pkg []string, depth int) bool {
	l, ok := c.load(name)
	if !ok || depth > maxDefaults {
		return false
	}
	pkg = l.place(name, pkg)
	self := false
	for _, entry := range l.defaults {
		if entry.Value == "_self_" {
			self = true
			c.lay(l.values, pkg)
			continue
		}
		it, ok := c.read(entry, name, pkg)
		if !ok || it.override {
			continue
		}
		for _, o := range it.options {
			c.add(path.Join(it.group, strings.TrimSuffix(o, c.ext)), it.pkg, depth+1)
		}
	}
	if !self {
		c.lay(l.values, pkg)
	}
	return true
}

// place is the package of a config: that of the entry that names it, unless its first lines say another.
func (l layer) place(name string, pkg []string) []string {
	switch l.pkg {
	case "":
		return pkg
	case "_global_":
		return nil
	case "_group_":
		return words(path.Dir(name))
	}
	return words(strings.ReplaceAll(l.pkg, ".", "/"))
}

// lay puts values into the result, below a package.
func (c *composer) lay(values *yaml.Node, pkg []string) {
	for _, word := range slices.Backward(pkg) {
		outer := mapping()
		outer.Content = []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: word}, values}
		values = outer
	}
	c.root = merge(c.root, values, 0)
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"} }

// merge is a mapping with the values of two, those of the second where both have them.
func merge(a, b *yaml.Node, depth int) *yaml.Node {
	out := mapping()
	out.Content = slices.Clone(a.Content)
	at := make(map[string]int, len(out.Content)/2)
	for i := 0; i+1 < len(out.Content); i += 2 {
		at[out.Content[i].Value] = i + 1
	}
	for i := 0; i+1 < len(b.Content); i += 2 {
		key, value := b.Content[i], b.Content[i+1]
		old, ok := at[key.Value]
		switch {
		case !ok:
			at[key.Value] = len(out.Content) + 1
			out.Content = append(out.Content, key, value)
		case out.Content[old].Kind == yaml.MappingNode && value.Kind == yaml.MappingNode && depth < maxConfigDepth:
			out.Content[old] = merge(out.Content[old], value, depth+1)
		default:
			out.Content[old] = value
		}
	}
	return out
}
