package publisher

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/secure-torch/secure-torch/internal/nearest"
)

// decode reads a policy's YAML. What does not fit is named by its line and key, in the policy's words: the library's
// errors name the types of this package.
func decode(text []byte) (*wirePolicy, error) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var top yaml.Node
	switch err := dec.Decode(&top); {
	case errors.Is(err, io.EOF):
		return &wirePolicy{}, nil
	case err != nil:
		return nil, err
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("a second document follows the first, and would be ignored")
	}
	w := new(wirePolicy)
	err := top.Content[0].Decode(w) // which refuses aliases that stand for too much
	if _, ok := errors.AsType[*yaml.TypeError](err); err != nil && !ok {
		return nil, err
	}
	if err := fits("", top.Content[0], reflect.TypeOf(*w)); err != nil {
		return nil, err
	}
	return w, err
}

// fits tells where a node is not of the layout of a type: a key that it does not have, a list where a text belongs.
func fits(at string, n *yaml.Node, t reflect.Type) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	wrong := func(want string) error {
		if n.ShortTag() == "!!null" {
			return nil
		}
		return fmt.Errorf("line %d: %s is not %s", n.Line, place(at), want)
	}
	switch t.Kind() {
	case reflect.Struct:
		if n.Kind != yaml.MappingNode {
			return wrong("a mapping: key: value")
		}
		return fitsKeys(at, n, t)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			return wrong("a list: [a, b]")
		}
		for i, item := range n.Content {
			if err := fits(fmt.Sprintf("%s[%d]", at, i+1), item, t.Elem()); err != nil {
				return err
			}
		}
	case reflect.Int, reflect.Int64:
		if n.ShortTag() != "!!int" {
			return wrong("a whole number")
		}
	default:
		if n.Kind != yaml.ScalarNode {
			return wrong("a text")
		}
	}
	return nil
}

// fitsKeys holds the keys of a mapping against those that there are.
func fitsKeys(at string, n *yaml.Node, t reflect.Type) error {
	known, types := []string{}, map[string]reflect.Type{}
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
		known, types[name] = append(known, name), t.Field(i).Type
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		typ, ok := types[key.Value]
		if !ok {
			err := fmt.Errorf("line %d: unknown key %q in %s, which has %s", key.Line, key.Value, place(at), strings.Join(known, ", "))
			if near, ok := nearest.Of(key.Value, known); ok {
				err = fmt.Errorf("line %d: unknown key %q in %s: did you mean %q?", key.Line, key.Value, place(at), near)
			}
			return err
		}
		if err := fits(strings.TrimPrefix(at+"."+key.Value, "."), n.Content[i+1], typ); err != nil {
			return err
		}
	}
	return nil
}

// place names a place in the policy.
func place(at string) string {
	if at == "" {
		return "the policy"
	}
	return at
}
