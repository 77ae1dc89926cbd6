package analyzers

import (
	"path"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/ref"
)

// readConfig is a value by name in a YAML or JSON file that a call reads: yaml.safe_load(open("a.yaml")),
// OmegaConf.load("a.yaml"). It is false for any other call, and for a file whose name cannot be told.
func (e *evaluator) readConfig(call place, attr string) (ps []place, why string, ok bool) {
	s := call.fr.s
	if !slices.ContainsFunc(s.names(s.field(call.n, pyparse.FieldFunction)), readsConfig) {
		return nil, "", false
	}
	for _, a := range e.eval(call.fr, s.positional(call.n, 0)).alts {
		if a.kind != ref.Path || strings.Contains(a.text, hole) {
			continue
		}
		configs, w := e.configFile(call.fr, a.text, false)
		for _, c := range configs {
			found, because := e.of(c, attr)
			ps, w = append(ps, lower(found, min(a.sure, c.sure))...), because
		}
		if why == "" {
			why = w
		}
		ok = true
	}
	if len(ps) == 0 && e.w != nil && tellingName(attr) {
		if found := e.settings(call.fr, attr); len(found) > 0 {
			return found, "", true
		}
	}
	return ps, why, ok
}

// settings are the values under a name in those settings of the workspace that have it: which of them a program is
// told to read is not known, but that it reads one that has no such name is unlikely.
func (e *evaluator) settings(fr *frame, key string) []place {
	var out []place
	for _, m := range e.w.Settings(fr.s, key) {
		in := e.frame(m.Summary, m.Dir)
		in.config = "of the workspace"
		if top, ok := m.Summary.dictionary(); ok {
			ps, _ := e.of(place{in, top, ref.Guess}, key)
			out = append(out, ps...)
		}
	}
	return lower(out, ref.Guess)
}

// settingOf is what the settings of the workspace say of an attribute that lies deeper than their top, config.model.name,
// where the program reads config from a file that is not known.
func (e *evaluator) settingOf(fr *frame, object node, attr string) []place {
	s := fr.s
	keys := []string{attr}
	for s.kind(object) == pyparse.Attribute && len(keys) < maxConfigKeys {
		keys = append(keys, s.code(s.field(object, pyparse.FieldAttribute)))
		object = s.field(object, pyparse.FieldObject)
	}
	if e.w == nil || len(keys) < 2 || len(keys) < 3 && !tellingName(attr) || s.kind(object) != pyparse.Identifier {
		return nil
	}
	roots, _ := e.places(fr, object)
	if !slices.ContainsFunc(roots, func(p place) bool {
		return p.fr.s.kind(p.n) == pyparse.Call && slices.ContainsFunc(p.fr.s.names(p.fr.s.field(p.n, pyparse.FieldFunction)), readsConfig)
	}) {
		return nil
	}
	slices.Reverse(keys)
	var out []place
	seen := map[string]bool{}
	for _, m := range e.w.Settings(fr.s, strings.Join(keys, ".")) {
		in := e.frame(m.Summary, m.Dir)
		in.config = "of the workspace"
		if v := m.Summary.entryAt(keys); v >= 0 && m.Summary.kind(v) != pyparse.None && !seen[m.Summary.code(v)] {
			seen[m.Summary.code(v)] = true
			out = append(out, place{in, v, ref.Guess})
		}
	}
	if len(out) > maxSettings {
		return nil
	}
	return out
}

// maxSettings is how many different values may stand in the files of settings before they tell nothing.
const maxSettings = 8

// maxConfigKeys bounds how deep in a file of settings a value is looked for.
const maxConfigKeys = 8

// entryAt is the value under keys, one inside the other, in the outermost dictionary of a source, or none.
func (s *Summary) entryAt(keys []string) node {
	at, ok := s.dictionary()
	for i := 0; ok && i < len(keys); i++ {
		at = s.item(at, keys[i])
		ok = at >= 0
	}
	if !ok {
		return none
	}
	return at
}

// Says tells whether the outermost dictionary of a source has an entry of that name; a dot stands before one in it.
func Says(s *Summary, name string) bool { return s.entryAt(strings.Split(name, ".")) >= 0 }

// dictionary is the outermost dictionary of a source.
func (s *Summary) dictionary() (node, bool) {
	for i, n := range s.tree.Nodes {
		if n.Kind == pyparse.Dictionary {
			return node(i), true
		}
	}
	return none, false
}

func readsConfig(name string) bool {
	switch name {
	case "omegaconf.OmegaConf.load", "yaml.safe_load", "yaml.load", "yaml.full_load", "json.load":
		return true
	}
	return false
}

// configFile is the dictionary in a YAML or JSON file of the workspace. Whoever runs the program may have another.
func (e *evaluator) configFile(fr *frame, file string, composed bool) ([]place, string) {
	file, beside := strings.CutPrefix(file, fromSource+"/")
	if e.w == nil {
		return nil, "it is a value of `" + snippet(path.Base(file)) + "`, which is not looked at"
	}
	look := e.w.Config
	if composed {
		look = e.w.Compose
	}
	m, ok := look(fr.s, file, beside)
	if !ok {
		return nil, "it is a value of `" + snippet(path.Base(file)) + "`, which is not in the workspace, or cannot be read"
	}
	in := e.frame(m.Summary, m.Dir)
	in.config = path.Base(file)
	if top, ok := m.Summary.dictionary(); ok {
		return []place{{in, top, ref.Default}}, ""
	}
	return nil, "`" + snippet(path.Base(file)) + "` holds no values by name"
}

// hydra is the config that @hydra.main passes to a function's first parameter.
func (e *evaluator) hydra(fr *frame, fn node, param string) (ps []place, why string, ok bool) {
	s := fr.s
	if i, _ := s.paramIndex(fn, param); i != 0 {
		return nil, "", false
	}
	for d := range s.decorators(fn) {
		if s.kind(d) != pyparse.Call || !slices.Contains(s.names(s.field(d, pyparse.FieldFunction)), "hydra.main") {
			continue
		}
		dir, file := e.argOr(fr, d, "config_path", 0), e.argOr(fr, d, "config_name", 1)
		if file == "" {
			return nil, "it is a value of the Hydra config, which the command line names", true
		}
		if path.Ext(file) != ".yaml" {
			file += ".yaml"
		}
		ps, why = e.configFile(fr, fr.dir+"/"+path.Join(dir, file), true)
		if why != "" {
			why = strings.Replace(why, "it is a value of", "it is a value of the Hydra config", 1)
		}
		return ps, why, true
	}
	return nil, "", false
}

// argOr is the text of a call's argument; empty when it is none, or not known.
func (e *evaluator) argOr(fr *frame, call node, name string, i int) string {
	arg := fr.s.keyword(call, name)
	if arg < 0 {
		arg = fr.s.positional(call, i)
	}
	if arg < 0 {
		return ""
	}
	if v := e.eval(fr, arg); len(v.alts) == 1 && !strings.Contains(v.alts[0].text, hole) {
		return v.alts[0].text
	}
	return ""
}

// tellingName says whether a setting's name is so much its own that one of the same name is most likely the same.
func tellingName(name string) bool { return len(name) >= 8 && strings.Contains(name, "_") }
