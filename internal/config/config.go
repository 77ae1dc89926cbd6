//go:generate go run ./gen ../../docs/schema/config.json ../../editors/vscode/package.json

// Package config reads secure-torch's settings: one struct, one decoder. The JSON schema that editors
// use (docs/schema/config.json) is generated from the same struct.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/secure-torch/secure-torch/internal/nearest"
	"github.com/secure-torch/secure-torch/internal/rule"

	"github.com/secure-torch/secure-torch/modelscan/pattern"
)

// Config is everything that can be set. The zero Config is the default.
type Config struct {
	FailOn         string   `toml:"fail_on" doc:"lowest severity that makes the exit code 1: info, low, medium, high, critical or never (default high)"`
	Sandbox        string   `toml:"sandbox" doc:"confinement of the scanner: strict, auto or off (default strict); auto and off only in your own config or a trusted workspace"`
	Offline        bool     `toml:"offline" doc:"never use the network"`
	Hub            string   `toml:"hub" doc:"off (default) or on-demand: in an editor, scan what a call names on a hub, over the network, when you hover over it or ask for it; only in your own config or a trusted workspace"`
	NoCache        bool     `toml:"no_cache" doc:"neither read nor write the cache of scan results"`
	TrustedFolders []string `toml:"trusted_folders" doc:"folders whose own config is believed, for editors without workspace trust; only in your own config"`
	Ignore         []Ignore `toml:"ignore" doc:"findings not to be reported again, each with a reason"`

	Sinks map[string]string `toml:"sinks" doc:"loading functions of your own, by qualified name as in mylib.load_checkpoint, each with the name of the parameter (its first) that names the file; what they load is scanned. Only in your own config or a trusted workspace"`
}

// Ignore suppresses findings. Every condition that is given must hold; a reason is needed.
type Ignore struct {
	Rule   string `toml:"rule" doc:"id or name of a rule"`
	Path   string `toml:"path" doc:"glob over the file's path, relative to the config; ** stands for any number of folders"`
	Digest string `toml:"digest" doc:"sha256:… of the file"`
	Reason string `toml:"reason" doc:"why this is all right"`
}

// Origin says where a config was found, which decides what may be set in it.
type Origin uint8

// Origins. The zero Origin is the least trusted.
const (
	Untrusted Origin = iota // a workspace that nobody has vouched for: may only tighten
	Workspace               // a trusted workspace, or the folder a person ran the command in
	User                    // the user's own config
)

// severities that FailOn takes.
var severities = []string{"info", "low", "medium", "high", "critical", "never"}

// sandboxes that Sandbox takes.
var sandboxes = []string{"strict", "auto", "off"}

// HubOnDemand is the value of Hub that lets an editor ask hubs.
const HubOnDemand = "on-demand"

// hubs that Hub takes.
var hubs = []string{"off", HubOnDemand}

// maxSinks bounds the functions that a config adds: each is looked for in every source.
const maxSinks = 1000

var (
	functionForm  = pattern.Lazy(`^[\pL_][\pL\pN_]*(\.[\pL_][\pL\pN_]*)*$`)
	parameterForm = pattern.Lazy(`^[\pL_][\pL\pN_]*$`)
)

// maxStars in one glob: each multiplies the work of matching.
const maxStars = 3

// maxSize of a config file, in bytes.
const maxSize = 1 << 20

// Parse decodes a secure-torch.toml. An unknown key is an error that names the nearest known one.
func Parse(text []byte, origin Origin) (*Config, error) {
	if len(text) > maxSize {
		return nil, fmt.Errorf("config: larger than %d bytes", maxSize)
	}
	var c Config
	dec := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return nil, explain(err)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := c.permit(origin); err != nil {
		return nil, err
	}
	return &c, nil
}

// ParsePyproject decodes [tool.secure-torch] of a pyproject.toml. It returns nil where there is no such table.
func ParsePyproject(text []byte, origin Origin) (*Config, error) {
	if len(text) > maxSize {
		return nil, fmt.Errorf("config: larger than %d bytes", maxSize)
	}
	var file struct {
		Tool map[string]any `toml:"tool"`
	}
	if err := toml.Unmarshal(text, &file); err != nil {
		return nil, explain(err)
	}
	table, ok := file.Tool["secure-torch"]
	if !ok {
		return nil, nil
	}
	own, err := toml.Marshal(table)
	if err != nil {
		return nil, fmt.Errorf("config: [tool.secure-torch]: %w", err)
	}
	return Parse(own, origin)
}

// explain names the place, and for an unknown key the nearest known one.
func explain(err error) error {
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(strict.Errors) > 0 {
		first := strict.Errors[0]
		row, _ := first.Position()
		key := first.Key()
		word := key[len(key)-1]
		if near, ok := nearest.Of(word, keysBeside(key)); ok {
			return onLine(row, fmt.Errorf("config: line %d: unknown key %q: did you mean %q?", row, strings.Join(key, "."), near))
		}
		return onLine(row, fmt.Errorf("config: line %d: unknown key %q: known are %s", row, strings.Join(key, "."), strings.Join(keysBeside(key), ", ")))
	}
	if decode, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, column := decode.Position()
		return onLine(row, fmt.Errorf("config: line %d, column %d: %s", row, column, strings.TrimPrefix(decode.Error(), "toml: ")))
	}
	return fmt.Errorf("config: %w", err)
}

// keysBeside are the known keys of the table that key stands in.
func keysBeside(key []string) []string {
	if len(key) > 1 && key[0] == "ignore" {
		return keysOf(reflect.TypeFor[Ignore]())
	}
	return keysOf(reflect.TypeFor[Config]())
}

func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range t.Fields() {
		keys = append(keys, f.Tag.Get("toml"))
	}
	return keys
}

var digestForm = pattern.Lazy(`^sha256:[0-9a-f]{64}$`)

func (c *Config) check() error {
	if c.FailOn != "" && !slices.Contains(severities, c.FailOn) {
		return atKey("fail_on", fmt.Errorf("config: fail_on = %q: one of %s", c.FailOn, strings.Join(severities, ", ")))
	}
	if c.Sandbox != "" && !slices.Contains(sandboxes, c.Sandbox) {
		return atKey("sandbox", fmt.Errorf("config: sandbox = %q: one of %s", c.Sandbox, strings.Join(sandboxes, ", ")))
	}
	if c.Hub != "" && !slices.Contains(hubs, c.Hub) {
		return atKey("hub", fmt.Errorf("config: hub = %q: one of %s", c.Hub, strings.Join(hubs, ", ")))
	}
	if len(c.Sinks) > maxSinks {
		return atKey("sinks", fmt.Errorf("config: sinks: more than %d", maxSinks))
	}
	for function, parameter := range c.Sinks {
		if !functionForm().MatchString(function) || !parameterForm().MatchString(parameter) {
			return atKey("sinks", fmt.Errorf("config: sinks: %q = %q: a function's qualified name and the name of its first parameter are needed", function, parameter))
		}
	}
	for i, ig := range c.Ignore {
		if err := ig.check(); err != nil {
			return &placed{key: "ignore", entry: i, error: fmt.Errorf("config: ignore[%d]: %w", i, err)}
		}
	}
	return nil
}

func (ig Ignore) check() error {
	switch {
	case strings.TrimSpace(ig.Reason) == "":
		return errors.New("a reason is needed")
	case ig.Rule == "" && ig.Path == "" && ig.Digest == "":
		return errors.New("one of rule, path and digest is needed: this would ignore everything")
	case ig.Digest != "" && !digestForm().MatchString(ig.Digest):
		return fmt.Errorf("digest %q is not sha256: and 64 hexadecimal digits", ig.Digest)
	}
	if _, err := path.Match(ig.Path, ""); err != nil {
		return fmt.Errorf("path %q: %w", ig.Path, err)
	}
	if strings.Count(ig.Path, "**") > maxStars {
		return fmt.Errorf("path %q: more than %d times **", ig.Path, maxStars)
	}
	if ig.Rule != "" && !knownRule(ig.Rule) {
		var names []string
		for _, r := range rule.All() {
			names = append(names, r.Name, string(r.ID))
		}
		if near, ok := nearest.Of(ig.Rule, names); ok {
			return fmt.Errorf("there is no rule %q: did you mean %q?", ig.Rule, near)
		}
		return fmt.Errorf("there is no rule %q", ig.Rule)
	}
	return nil
}

func knownRule(word string) bool {
	return slices.ContainsFunc(rule.All(), func(r rule.Rule) bool { return word == string(r.ID) || word == r.Name })
}

// permit refuses what the origin may not set. What could hide an attack is refused loudly, not
// dropped: a person who wrote it has to learn that it does not hold.
func (c *Config) permit(origin Origin) error {
	if origin != User && len(c.TrustedFolders) > 0 {
		return atKey("trusted_folders", errors.New("config: trusted_folders may only stand in your own config: a folder cannot vouch for itself"))
	}
	if origin == Untrusted && c.Sandbox != "" && c.Sandbox != "strict" {
		return atKey("sandbox", fmt.Errorf("config: sandbox = %q: an untrusted workspace may only tighten", c.Sandbox))
	}
	if origin == Untrusted && c.Hub == HubOnDemand {
		return atKey("hub", fmt.Errorf("config: hub = %q: an untrusted workspace may only tighten", c.Hub))
	}
	return nil
}
