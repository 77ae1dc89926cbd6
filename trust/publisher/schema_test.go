package publisher

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type schema struct {
	Ref        string             `json:"$ref"`
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
	Defs       map[string]*schema `json:"$defs"`
	Closed     *bool              `json:"additionalProperties"`
}

// TestSchema: docs/schema/trust-policy.json knows the keys that a policy may have, and no others.
func TestSchema(t *testing.T) {
	text, err := os.ReadFile("../../docs/schema/trust-policy.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	compare(t, "policy", &s, reflect.TypeFor[wirePolicy](), s.Defs)
}

func compare(t *testing.T, at string, s *schema, typ reflect.Type, defs map[string]*schema) {
	t.Helper()
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		s = defs[name]
	}
	switch typ.Kind() {
	case reflect.Pointer:
		compare(t, at, s, typ.Elem(), defs)
	case reflect.Slice:
		if s.Items == nil {
			t.Fatalf("%s is a list", at)
		}
		compare(t, at+"[]", s.Items, typ.Elem(), defs)
	case reflect.Struct:
		fields := map[string]reflect.Type{}
		for i := range typ.NumField() {
			fields[typ.Field(i).Tag.Get("yaml")] = typ.Field(i).Type
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(s.Properties))); diff != "" || s.Closed == nil || *s.Closed {
			t.Errorf("%s: %s", at, diff)
			return
		}
		for name, field := range fields {
			compare(t, at+"."+name, s.Properties[name], field, defs)
		}
	}
}
