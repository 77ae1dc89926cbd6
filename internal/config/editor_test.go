package config

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"testing"
)

const manifest = "../../editors/vscode/package.json"

func TestManifestIsCurrent(t *testing.T) {
	got, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	want, err := ReplaceConfiguration(got)
	if err != nil || string(got) != string(want) {
		t.Errorf("%s is stale: run go generate (%v)", manifest, err)
	}
	var m struct {
		Capabilities struct {
			UntrustedWorkspaces struct {
				Supported                string
				RestrictedConfigurations []string
			}
		}
	}
	if err := json.Unmarshal(got, &m); err != nil {
		t.Fatal(err)
	}
	u := m.Capabilities.UntrustedWorkspaces
	if u.Supported != "limited" || !slices.Equal(u.RestrictedConfigurations, RestrictedSettings()) {
		t.Errorf("in an untrusted workspace %q, restricted %q, want %q", u.Supported, u.RestrictedConfigurations, RestrictedSettings())
	}
}

// One server asks once for what it takes: a setting that VS Code offered for each folder ("resource") would count in the
// first alone.
func TestServerSettingsAreOfTheWindow(t *testing.T) {
	text, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Contributes struct {
			Configuration struct {
				Properties map[string]struct{ Scope string }
			}
		}
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	for f := range reflect.TypeFor[Editor]().Fields() {
		setting := settingsPrefix + f.Tag.Get("json")
		if got := m.Contributes.Configuration.Properties[setting].Scope; got != "window" {
			t.Errorf("%s has scope %q", setting, got)
		}
	}
}

func TestReplaceConfiguration(t *testing.T) {
	text := `{"a": {"configuration": 1}, "contributes": {"x": [{"configuration": 2}], "configuration": {"old": true}, "y": 3}}`
	got, err := ReplaceConfiguration([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		A, Contributes map[string]any
	}
	if err := json.Unmarshal(got, &m); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	c, _ := m.Contributes["configuration"].(map[string]any)
	if m.A["configuration"] != 1.0 || m.Contributes["y"] != 3.0 || c["old"] != nil || c["title"] != "secure-torch" {
		t.Errorf("%s", got)
	}
	for _, bad := range []string{`{}`, `{"contributes": {}}`, `{"contributes": 1}`, `[`, ``} {
		if _, err := ReplaceConfiguration([]byte(bad)); err == nil {
			t.Errorf("%q has a configuration", bad)
		}
	}
}
