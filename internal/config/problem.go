package config

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// placed is an error that knows where in the text it belongs: on a line, or at a key.
type placed struct {
	error
	line  int    // from 1; 0: see key
	key   string // of the outermost table
	entry int    // of an array of tables
}

func (p *placed) Unwrap() error { return p.error }

func onLine(line int, err error) error { return &placed{error: err, line: line} }

func atKey(key string, err error) error { return &placed{error: err, key: key} }

// Problem is what is wrong with the text of a config, and the bytes it is about.
type Problem struct {
	Start, End int
	Message    string
}

// Check reads the text of a secure-torch.toml as Parse does and says where the first mistake stands. It is nil
// where there is none.
func Check(text []byte, origin Origin) *Problem {
	_, err := Parse(text, origin)
	if err == nil {
		return nil
	}
	line := 1
	if p, ok := errors.AsType[*placed](err); ok {
		line = max(1, p.line)
		if p.key != "" {
			line = lineOf(text, p.key, p.entry)
		}
	}
	start, end := 0, 0
	for i, part := range bytes.SplitAfter(text, []byte("\n")) {
		if start, end = end, end+len(part); i+1 == line {
			break
		}
	}
	trimmed := bytes.TrimSpace(text[start:end])
	start += bytes.Index(text[start:end], trimmed)
	return &Problem{Start: start, End: start + len(trimmed), Message: strings.TrimPrefix(err.Error(), "config: ")}
}

// lineOf finds the line, from 1, that sets a key or begins the n-th table of its name; 1 where it is hidden.
func lineOf(text []byte, key string, n int) int {
	for i, line := range bytes.Split(text, []byte("\n")) {
		word := strings.TrimLeft(string(line), " \t[\"'")
		rest, ok := strings.CutPrefix(word, key)
		if !ok || !strings.HasPrefix(strings.TrimLeft(rest, " \t\"'"), "=") && !strings.HasPrefix(strings.TrimLeft(rest, " \t\"'"), "]") && !strings.HasPrefix(rest, ".") {
			continue
		}
		if n--; n < 0 {
			return i + 1
		}
	}
	return 1
}

// Key is one that may stand in a config.
type Key struct {
	Name, Doc string
	Kind      reflect.Kind
	Values    []string // that it takes; nil where they cannot be listed
}

// Keys are those of the outermost table, or of a table by its name; nil where that takes any.
func Keys(table string) []Key {
	switch table {
	case "":
		return keysWithDoc(reflect.TypeFor[Config]())
	case "ignore":
		return keysWithDoc(reflect.TypeFor[Ignore]())
	}
	return nil
}

func keysWithDoc(t reflect.Type) []Key {
	var keys []Key
	for f := range t.Fields() {
		k := Key{Name: f.Tag.Get("toml"), Doc: f.Tag.Get("doc"), Kind: f.Type.Kind()}
		switch {
		case k.Name == "fail_on":
			k.Values = slices.Clone(severities)
		case k.Name == "sandbox":
			k.Values = slices.Clone(sandboxes)
		case k.Kind == reflect.Bool:
			k.Values = []string{"true", "false"}
		case k.Name == "rule":
			for _, r := range rule.All() {
				k.Values = append(k.Values, string(r.ID))
			}
		}
		keys = append(keys, k)
	}
	return keys
}
