// Package modeltest turns recipes into model files in memory, so that no hostile bytes lie in the repository
// and a case can be read in review. It is for tests only.
//
// A recipe is a txtar file:
//
//	What the case shows.
//	-- model.pt/archive/data.pkl.asm --
//	PROTO 2
//	GLOBAL posix system
//	…
//	-- model.pt/archive/data/0.hex --
//	00 00 80 3f
//	-- want --
//	model.pt!archive/data.pkl@2: ST201 posix.system
//	verdict: unsafe
//
// The first element of a section's name is the model file; what follows is a member of it. "!" goes one
// container deeper ("a.tar!b.zip!c.pkl.asm"). The last suffix says how the text becomes bytes: ".asm" is a
// pickle program (package pickleasm), ".hex" the notation of func Bytes, ".text" the text without its last
// newline, ".proto" is a protobuf message (package wiretest); any other is taken as it stands, suffix included.
//
// A section "NAME.make" says how the container NAME is made (zip when there is none): see zip.go, tar.go,
// sevenzip.go and stream.go for the words it knows.
package modeltest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/secure-torch/secure-torch/modelscan/wire/wiretest"
)

// File is a model file made from a recipe.
type File struct {
	Name string
	Data []byte
}

// Recipe is a parsed case.
type Recipe struct {
	Files []File
	Want  string // the section "want", "" where there is none
}

// node is a file or a container in the making.
type node struct {
	name     string
	data     []byte // of a file
	children []*node
	make     string // of a container
}

// Parse makes the files of a recipe. assemble turns a pickle program into bytes.
func Parse(text []byte, assemble func(string) ([]byte, error)) (*Recipe, error) {
	r := &Recipe{}
	root := &node{}
	for _, f := range txtar.Parse(text).Files {
		if f.Name == "want" {
			r.Want = string(f.Data)
			continue
		}
		if err := root.put(f.Name, f.Data, assemble); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	for _, n := range root.children {
		b, err := n.bytes()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.name, err)
		}
		r.Files = append(r.Files, File{n.name, b})
	}
	return r, nil
}

// put adds one section.
func (n *node) put(name string, data []byte, assemble func(string) ([]byte, error)) error {
	parts := strings.Split(name, "!")
	if len(parts) == 1 {
		parts = strings.SplitN(name, "/", 2)
	}
	for _, part := range parts[:len(parts)-1] {
		n = n.child(part)
	}
	last := parts[len(parts)-1]
	if made, ok := strings.CutSuffix(last, ".make"); ok {
		n.child(made).make = string(data)
		return nil
	}
	last, data, err := decode(last, data, assemble)
	if err != nil {
		return err
	}
	n.children = append(n.children, &node{name: last, data: data})
	return nil
}

// child returns the container of the given name.
func (n *node) child(name string) *node {
	i := slices.IndexFunc(n.children, func(c *node) bool { return c.name == name && c.data == nil })
	if i < 0 {
		n.children = append(n.children, &node{name: name})
		i = len(n.children) - 1
	}
	return n.children[i]
}

func decode(name string, data []byte, assemble func(string) ([]byte, error)) (string, []byte, error) {
	var err error
	switch base, suffix := cutSuffix(name); suffix {
	case "asm":
		name = base
		data, err = assemble(string(data))
	case "hex":
		name = base
		data, err = Bytes(string(data))
	case "proto":
		name = base
		data, err = wiretest.Parse(string(data))
	case "text":
		name = base
		data = []byte(strings.TrimSuffix(string(data), "\n"))
	}
	if data == nil {
		data = []byte{}
	}
	return name, data, err
}

func cutSuffix(name string) (base, suffix string) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return name, ""
	}
	return name[:i], name[i+1:]
}

// makers by the first word of a "make" section.
var makers = map[string]func(children []*node, how []line) ([]byte, error){
	"zip": makeZip, "tar": makeTar, "7z": make7z,
	"gzip": makeStream, "zlib": makeStream, "xz": makeStream, "lzma": makeStream, "zstd": makeStream, "lz4": makeStream, "concat": makeStream, "zf": makeStream,
}

// bytes makes n and all that is in it.
func (n *node) bytes() ([]byte, error) {
	if n.data != nil {
		return n.data, nil
	}
	for _, c := range n.children {
		b, err := c.bytes()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		c.data = b
	}
	how, err := parseLines(n.make)
	if err != nil {
		return nil, err
	}
	if len(how) == 0 || makers[how[0].words[0]] == nil {
		how = append([]line{{words: []string{"zip"}}}, how...)
	}
	return makers[how[0].words[0]](n.children, how)
}

// line of a "make" section: words, then key=value pairs. Both may be quoted as in Go.
type line struct {
	words []string
	opts  map[string]string
}

// parseLines skips blank lines and those that begin with "#".
func parseLines(text string) ([]line, error) {
	var lines []line
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' {
			continue
		}
		fields, err := splitQuoted(l)
		if err != nil {
			return nil, err
		}
		parsed := line{opts: map[string]string{}}
		for _, f := range fields {
			if key, value, ok := strings.Cut(f.text, "="); ok && !f.quoted {
				if parsed.opts[key], err = unquote(value); err != nil {
					return nil, err
				}
				continue
			}
			parsed.words = append(parsed.words, f.text)
		}
		lines = append(lines, parsed)
	}
	return lines, nil
}
