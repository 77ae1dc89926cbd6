package gguf

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/codetext"
	"github.com/secure-torch/secure-torch/modelscan/jinja"
)

// Types of metadata values.
const (
	typeUint32 = 4
	typeString = 8
	typeArray  = 9
)

// sizes of the fixed types, by type number; 0 for the others.
var sizes = [...]int{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}

// maxArrayDepth: arrays of arrays are allowed by the format and written by nobody.
const maxArrayDepth = 4

const (
	maxTemplate = 64 << 10                  // of one that is told of
	maxKey      = 64 << 10                  // the format's own limit
	maxWord     = 1 << 10                   // of a vocabulary's word that is looked at
	maxValue    = modelscan.MaxDocument + 1 // of metadata that is only looked at
)

func (f *file) pair() error {
	off := f.off
	key, err := f.name()
	if err != nil {
		return err
	}
	kind, err := f.number(4)
	if err != nil {
		return err
	}
	if err := f.value(off, key, kind, 0); err != nil {
		return fmt.Errorf("%q: %w", key, err)
	}
	if !f.names.add("key ", key) { // llama.cpp refuses the file, gguf-py renames the second
		f.p.Fail(f.p.Name, off, fmt.Errorf("the metadata %q is there twice: readers take one or the other, or refuse", key))
	}
	return nil
}

func (f *file) value(off int64, key string, kind uint64, depth int) error {
	switch {
	case kind == typeString:
		return f.textValue(off, key, depth)
	case kind == typeArray:
		return f.array(off, key, depth+1)
	case kind >= uint64(len(sizes)):
		return fmt.Errorf("value of type %d at %#x", kind, f.off)
	}
	at := f.off
	v, err := f.number(sizes[kind])
	if err == nil && key == "general.alignment" {
		f.alignment = v
		if kind != typeUint32 {
			f.p.Fail(f.p.Name, at, fmt.Errorf("%q is of type %d: readers want 4 (uint32)", key, kind))
		}
		if v == 0 || v > 1<<20 || bits.OnesCount64(v) != 1 {
			return f.hostile(at, key, fmt.Sprintf("the tensor data is aligned to %d bytes", v))
		}
	}
	return err
}

func (f *file) textValue(off int64, key string, depth int) error {
	template := strings.Contains(key, "chat_template")
	keep := uint64(maxValue)
	switch {
	case template:
		keep = jinja.MaxSize + 1
	case depth > 0: // a vocabulary
		return f.word()
	}
	at := f.off
	s, err := f.text(keep)
	if err != nil {
		return err
	}
	if !utf8.ValidString(s) && uint64(len(s)) < keep { // of what was cut, the last letter may be too
		f.p.Fail(f.p.Name, at, fmt.Errorf("the text of %q is not UTF-8: the gguf package refuses to read it", key))
	}
	if template {
		f.template(off, key, s)
		return nil
	}
	f.description(off, key, s)
	kind := modelscan.MetadataFact
	if key == "general.license" {
		kind = modelscan.LicenceFact
	}
	f.p.Emit.Fact(modelscan.Fact{Kind: kind, Path: f.p.Name, Name: key, Value: s, Offset: off})
	return nil
}

// word looks at one of a vocabulary.
func (f *file) word() error {
	n, err := f.count("bytes of text", 1)
	if err != nil {
		return err
	}
	if n > maxWord {
		return f.skip(int64(n))
	}
	b, err := f.bytes(int(n))
	if err == nil && !utf8.Valid(b) {
		f.odd++
	}
	return err
}

// description judges text that a person or a tool reads. A template that breaks out is one wherever it stands.
func (f *file) description(off int64, key, s string) {
	if code := codetext.Find(s); code != "" {
		f.finding(rule.MetadataCode, off, key, fmt.Sprintf("the metadata %q holds code: %s", key, code))
		return
	}
	if !strings.Contains(s, "{{") && !strings.Contains(s, "{%") {
		return
	}
	if issues, _ := jinja.Judge(s); slices.ContainsFunc(issues, func(i jinja.Issue) bool { return i.Rule == rule.TemplateSandboxEscape }) {
		f.finding(rule.MetadataCode, off, key, fmt.Sprintf("the metadata %q holds a template that breaks out of Jinja", key))
	}
}

func (f *file) template(off int64, key, s string) {
	issues, complete := jinja.Judge(s)
	for _, i := range issues {
		f.finding(i.Rule, off, i.Subject, fmt.Sprintf("%s: %s", key, i.Message))
	}
	if !complete {
		f.p.Emit.Gap(modelscan.Gap{Rule: rule.LimitReached, Path: f.p.Name, Offset: off, Reason: key + " is too long or too deeply nested to be judged"})
	}
	f.p.Emit.Fact(modelscan.Fact{Kind: modelscan.TemplateFact, Path: f.p.Name, Name: key, Value: s[:min(len(s), maxTemplate)], Offset: off})
}

func (f *file) array(off int64, key string, depth int) error {
	if depth > maxArrayDepth {
		return fmt.Errorf("arrays nested deeper than %d at %#x: %w", maxArrayDepth, f.off, modelscan.ErrLimit)
	}
	kind, err := f.number(4)
	if err != nil {
		return err
	}
	size := 8 // of a string's or an array's length
	if kind < uint64(len(sizes)) && sizes[kind] > 0 {
		size = sizes[kind]
	}
	if f.version == 1 {
		size = min(size, 4)
	}
	n, err := f.count("array items", uint64(size))
	if err != nil {
		return err
	}
	if kind < uint64(len(sizes)) && sizes[kind] > 0 {
		return f.skip(int64(n) * int64(sizes[kind]))
	}
	for range n {
		if err := f.value(off, key, kind, depth); err != nil {
			return err
		}
		if err := f.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
