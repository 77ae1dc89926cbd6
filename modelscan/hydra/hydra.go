// Package hydra judges YAML from which loaders build objects: Hydra's and NeMo's _target_, the target
// and class_path of similar builders, MLflow's loader_module, and YAML tags that make PyYAML call Python.
package hydra

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/pattern"
	"github.com/secure-torch/secure-torch/modelscan/pyname"
)

// Format is YAML that builds objects. Other YAML is no loader's and not claimed.
var Format = &modelscan.Format{Name: "yaml", Sniff: sniff, Scan: scan}

// maxSize of a YAML file that is parsed, in bytes: its tree takes twenty times that.
const maxSize = 8 << 20

// maxDepth of the tree. PyYAML is recursive too, and gives up at about 1000.
const maxDepth = 1000

var errPlain = errors.New("no YAML that builds objects")

func sniff(p modelscan.Probe) modelscan.Confidence {
	head := bytes.TrimPrefix(p.Head, []byte("\xef\xbb\xbf"))
	if opens(bytes.TrimLeft(head, space)) && bytes.IndexByte(head[:min(len(head), 4096)], 0) < 0 {
		return modelscan.Maybe
	}
	return modelscan.No
}

const space = " \t\n\f\r"

// opens tells whether a document starts so: with a directive, a marker, a comment, a tag, an anchor, a flow
// collection, an item or a key.
func opens(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	switch text[0] {
	case '%', '#', '{', '[', '!', '&':
		return true
	case '-':
		return bytes.HasPrefix(text, []byte("---")) || len(text) > 1 && strings.IndexByte(space, text[1]) >= 0
	case '"', '\'':
		text = text[1:]
	}
	return opensKey(text)
}

// opensKey tells whether a plain key and its colon come first.
func opensKey(text []byte) bool {
	const longest = 200 // bytes of a key
	end := 0            // of the key, without the spaces behind it
	for i, c := range text {
		switch {
		case isWord(c), i > 0 && strings.IndexByte(`.-/"'`, c) >= 0:
			end = i + 1
		case i > 0 && c == ' ':
		default:
			text = bytes.TrimLeft(text[i:], space)
			return end > 0 && len(text) > 0 && text[0] == ':' && (len(text) == 1 || strings.IndexByte(space, text[1]) >= 0)
		}
		if end > longest+1 {
			return false
		}
	}
	return false
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// targetKey is a word common enough that only a key counts.
var targetKey = pattern.Lazy(`_target_|\btarget\s*["']?\s*:`)

// mayBuild tells whether the text has one of the words without which nothing here applies.
func mayBuild(text []byte) bool {
	for _, word := range []string{"!", "class_path", "cls", "loader_module", "python/", "%TAG", "class_name", `\x`, `\u`, `\U`} {
		if bytes.Contains(text, []byte(word)) {
			return true
		}
	}
	return bytes.Contains(text, []byte("target")) && targetKey().Match(text)
}

func scan(ctx context.Context, p *modelscan.Pass) error {
	text, err := p.Bytes(0, p.Size, maxSize)
	if err != nil {
		return err
	}
	if !mayBuild(text) {
		return errPlain
	}
	j := &judge{p: p, told: map[string]bool{}}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		switch {
		case errors.Is(err, io.EOF) && j.builds:
			return nil
		case errors.Is(err, io.EOF):
			return errPlain
		case err != nil: // PyYAML may read on where this parser does not
			j.text(text)
			return fmt.Errorf("YAML: %w", err)
		case ctx.Err() != nil:
			return ctx.Err()
		}
		j.root = &doc
		if err := j.walk(&doc, 0); err != nil {
			return err
		}
		j.keras(text, &doc)
	}
}

type judge struct {
	p      *modelscan.Pass
	root   *yaml.Node
	told   map[string]bool
	builds bool // something in here makes a loader build an object
}

func (j *judge) tell(id rule.ID, line int, subject, format string, args ...any) {
	if key := string(id) + subject; !j.told[key] {
		j.told[key] = true
		message := fmt.Sprintf("line %d: ", line) + fmt.Sprintf(format, args...)
		j.p.Emit.Finding(modelscan.Finding{Rule: id, Path: j.p.Name, Offset: -1, Subject: subject, Message: message})
	}
}

func (j *judge) walk(n *yaml.Node, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("line %d: nested deeper than %d: %w", n.Line, maxDepth, modelscan.ErrLimit)
	}
	j.tag(n)
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			value := n.Content[i+1]
			if value.Kind == yaml.AliasNode {
				value = value.Alias
			}
			if value.Kind == yaml.ScalarNode {
				j.key(n.Content[i].Value, value)
			}
		}
	}
	for _, child := range n.Content { // aliases are not followed: their anchors are walked
		if err := j.walk(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// dotted is a Python path.
var dotted = pattern.Lazy(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$`)

// key judges a value that some builder imports.
func (j *judge) key(key string, value *yaml.Node) {
	path := strings.TrimSpace(j.interpolate(value.Value))
	switch key {
	case "_target_":
		j.builds = true
		j.target(value.Line, key, path)
	case "loader_module":
		switch {
		case path == "" || strings.HasPrefix(path, "mlflow."):
		case pyname.Judge(path, "_load_pyfunc") == pyname.Dangerous:
			j.builds = true
			j.target(value.Line, key, path+"._load_pyfunc")
		default:
			j.builds = true
			j.tell(rule.HydraUnknownTarget, value.Line, path, "%s has MLflow import %s, perhaps from the model's own folder, and call its _load_pyfunc", key, path)
		}
	case "target", "class_path", "cls": // common words: only what is clear
		if dotted().MatchString(path) && pyname.Target(path) == pyname.Dangerous {
			j.builds = true
			j.target(value.Line, key, path)
		}
	}
}

func (j *judge) target(line int, key, path string) {
	switch {
	case pyname.Target(path) == pyname.Dangerous:
		j.tell(rule.HydraTarget, line, path, "%s has the loader call %s with arguments from the file", key, path)
	case pyname.Target(path) == pyname.Unknown:
		j.tell(rule.HydraUnknownTarget, line, path, "%s has the loader call %s, which is not of a library known here", key, path)
	}
}

// hyper takes apart a tag of HyperPyYAML, which SpeechBrain's models are configured with.
func hyper(tag string) (how, path string, ok bool) {
	how, path, ok = strings.Cut(tag, ":")
	switch how {
	case "!new", "!apply", "!name", "!module", "!obj":
		return how, path, ok
	}
	return "", "", false
}

// fallback is the value that OmegaConf takes for an environment variable that is not set.
var fallback = pattern.Lazy(`\$\{oc\.env:\s*\w+\s*,\s*([^{}$]*)\}`)

var reference = pattern.Lazy(`\$\{([\w.]+)\}`)

// interpolate resolves OmegaConf's ${a.b} where that is a scalar of the document.
func (j *judge) interpolate(s string) string {
	s = fallback().ReplaceAllString(s, "$1")
	for range 4 { // references to references
		if !strings.Contains(s, "${") {
			break
		}
		s = reference().ReplaceAllStringFunc(s, func(ref string) string {
			if v := j.at(strings.Split(ref[2:len(ref)-1], ".")); v != nil && len(v.Value) < 4096 {
				return v.Value
			}
			return ref
		})
		if len(s) > 1<<16 {
			break
		}
	}
	return s
}

// at finds the scalar under a path of keys from the root.
func (j *judge) at(path []string) *yaml.Node {
	n := j.root
	if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
		n = n.Content[0]
	}
	for _, key := range path {
		var next *yaml.Node
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				next = n.Content[i+1]
			}
		}
		if next == nil {
			return nil
		}
		if n = next; n.Kind == yaml.AliasNode {
			n = n.Alias
		}
	}
	if n.Kind != yaml.ScalarNode {
		return nil
	}
	return n
}

// plainTags of PyYAML build plain data.
var plainTags = pattern.Lazy(`^(none|bool|str|unicode|bytes|int|long|float|complex|list|tuple|dict)$`)

// tag judges !!python/object/apply:os.system and its like.
func (j *judge) tag(n *yaml.Node) {
	if how, path, ok := hyper(n.Tag); ok {
		if pyname.Target(path) == pyname.Dangerous {
			j.builds = true
			j.tell(rule.HydraTarget, n.Line, path, "the tag %s has HyperPyYAML call or import %s", how, path)
		}
		return
	}
	tag := strings.ReplaceAll(strings.ReplaceAll(n.Tag, "%2f", "/"), "%2F", "/")
	_, what, ok := strings.Cut(tag, "python/")
	if !ok || plainTags().MatchString(what) {
		return
	}
	j.builds = true
	how, path, _ := strings.Cut(what, ":")
	switch pyname.Target(path) {
	case pyname.Dangerous:
		j.tell(rule.YamlPythonTag, n.Line, path, "the tag python/%s has PyYAML import %s", how, path)
	case pyname.Unknown:
		j.tell(rule.HydraUnknownTarget, n.Line, path, "the tag python/%s needs %s, which is not of a library known here", how, path)
	}
}

var (
	targetText = pattern.Lazy(`["']?_target_["']?\s*:\s*["']?([\w.]+)`)
	tagText    = pattern.Lazy(`python/(?:object|name|module)[\w/]*:([\w.]+)`)
)

// text looks for the same in a document that could not be parsed.
func (j *judge) text(text []byte) {
	for id, pattern := range map[rule.ID]*regexp.Regexp{rule.HydraTarget: targetText(), rule.YamlPythonTag: tagText()} {
		for _, m := range pattern.FindAllSubmatchIndex(text, 1000) {
			if path := string(text[m[2]:m[3]]); pyname.Target(path) == pyname.Dangerous {
				j.tell(id, 1+bytes.Count(text[:m[0]], []byte("\n")), path, "names %s", path)
			}
		}
	}
}
