package config

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// Schema is the JSON schema of secure-torch.toml, made from Config's fields.
func Schema() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	schema := object(reflect.TypeFor[Config]())
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "secure-torch.toml, or [tool.secure-torch] in pyproject.toml"
	if err := enc.Encode(schema); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func object(t reflect.Type) map[string]any {
	properties := map[string]any{}
	for f := range t.Fields() {
		p := typeOf(f.Type)
		p["description"] = f.Tag.Get("doc")
		properties[f.Tag.Get("toml")] = p
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
}

func typeOf(t reflect.Type) map[string]any {
	switch t.Kind() {
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": typeOf(t.Elem())}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": typeOf(t.Elem())}
	case reflect.Struct:
		return object(t)
	}
	return map[string]any{"type": "string"}
}
