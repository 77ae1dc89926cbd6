package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Editor is what the language server takes from an editor's settings. What concerns scanning stands in
// secure-torch.toml, where a whole team has it. The zero Editor is the default. One server looks after all folders of a
// window and asks for its settings once: none may be offered for a single folder.
type Editor struct {
	CodeLens   *bool `json:"codeLens" default:"true" doc:"Say above each call that loads a model how the model looks; a click shows its report."`
	InlayHints *bool `json:"inlayHints" default:"false" doc:"Say the same at the end of the call."`

	WorkspaceScan string `json:"workspaceScan" enum:"off,models,all" default:"models" doc:"What is looked at besides the open files. models: what the sources of the workspace load, and the models that lie in it. all: the sources themselves too, as when they are open."`
}

// VSCode is what the VS Code extension takes from the settings besides, all under secureTorch. A setting with
// restricted is not taken from a workspace that is not trusted: it decides which program is started.
type VSCode struct {
	Path           []string `json:"path" scope:"machine-overridable" restricted:"true" doc:"Programs to start instead of the one that is found, the first that exists; ~, ${userHome} and ${workspaceFolder} may stand in it."`
	ImportStrategy string   `json:"importStrategy" scope:"machine-overridable" restricted:"true" enum:"fromEnvironment,useBundled" default:"fromEnvironment" doc:"fromEnvironment: the secure-torch of the selected Python environment, else the one in PATH, else the bundled one. useBundled: always the bundled one."`
	LogLevel       string   `json:"logLevel" enum:"debug,info,warn,error" default:"warn" doc:"What the server writes to its output channel."`
	Trace          string   `json:"trace.server" enum:"off,messages,verbose" default:"off" doc:"What is written of the messages between editor and server."`
}

// settingsPrefix of every setting's name in VS Code.
const settingsPrefix = "secureTorch."

// EditorSettings is the "configuration" part of a VS Code extension's package.json, made from Editor and VSCode.
func EditorSettings() map[string]any {
	properties := map[string]any{}
	for _, t := range []reflect.Type{reflect.TypeFor[Editor](), reflect.TypeFor[VSCode]()} {
		for f := range t.Fields() {
			properties[settingsPrefix+f.Tag.Get("json")] = editorSetting(f)
		}
	}
	return map[string]any{"title": "secure-torch", "properties": properties}
}

// RestrictedSettings are the settings that count only in a trusted workspace.
func RestrictedSettings() []string {
	var names []string
	for f := range reflect.TypeFor[VSCode]().Fields() {
		if f.Tag.Get("restricted") != "" {
			names = append(names, settingsPrefix+f.Tag.Get("json"))
		}
	}
	return names
}

func editorSetting(f reflect.StructField) map[string]any {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	p := typeOf(t)
	p["description"] = f.Tag.Get("doc")
	p["scope"] = "window"
	if scope := f.Tag.Get("scope"); scope != "" {
		p["scope"] = scope
	}
	switch value := f.Tag.Get("default"); {
	case t.Kind() == reflect.Bool:
		p["default"] = value == "true"
	case t.Kind() == reflect.Slice:
		p["default"] = []string{}
	default:
		p["default"] = value
	}
	if enum := f.Tag.Get("enum"); enum != "" {
		p["enum"] = strings.Split(enum, ",")
	}
	return p
}

// ReplaceConfiguration puts the settings in the place of contributes.configuration in a package.json, and
// leaves every other byte as it is.
func ReplaceConfiguration(manifest []byte) ([]byte, error) {
	start, end, err := valueOf(manifest, "contributes", "configuration")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("    ", "  ")
	if err := enc.Encode(EditorSettings()); err != nil {
		return nil, err
	}
	return bytes.Join([][]byte{manifest[:start], bytes.TrimSpace(b.Bytes()), manifest[end:]}, nil), nil
}

// valueOf finds where the value of a key in nested objects stands.
func valueOf(text []byte, path ...string) (start, end int, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	for depth := 0; ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return 0, 0, fmt.Errorf("config: no %s", strings.Join(path, "."))
		} else if err != nil {
			return 0, 0, err
		}
		if token == json.Delim('{') {
			continue
		}
		var value json.RawMessage
		switch {
		case token != path[depth]:
			err = dec.Decode(&value) // of another key
		case depth == len(path)-1:
			err = dec.Decode(&value)
			end := int(dec.InputOffset())
			return end - len(value), end, err
		default:
			depth++
		}
		if err != nil {
			return 0, 0, err
		}
	}
}
