package analyzers

import (
	"bytes"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers/pyparse"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// configLoaders read configuration that can name classes and functions to be called.
var configLoaders = []*Loader{
	{Func: "yaml.load", Also: []string{"yaml.load_all"}, Arg: Arg{0, []string{"stream"}}, Judge: judgeYAML},
	{Func: "yaml.unsafe_load", Also: []string{"yaml.unsafe_load_all"}, Arg: Arg{0, []string{"stream"}}, Judge: unsafeYAML},
	{Func: "yaml.full_load", Also: []string{"yaml.full_load_all"}, Arg: Arg{0, []string{"stream"}}, Judge: fullYAML},
	{Func: "ruamel.yaml.load", Also: []string{"ruamel.yaml.load_all", "ruamel_yaml.load"}, Arg: Arg{0, []string{"stream"}}, Judge: judgeYAML},
	{Func: "ruamel.yaml.YAML().load", Also: []string{"ruamel.yaml.YAML().load_all", "ruamel.yaml.main.YAML().load"}, Arg: Arg{0, []string{"stream"}}, When: unsafeRuamel, Judge: unsafeRuamelYAML},
	{Func: "hyperpyyaml.load_hyperpyyaml", Also: []string{"speechbrain.utils.data_utils.load_hyperpyyaml"}, Arg: Arg{0, []string{"yaml_stream"}}, Judge: judgeHyperYAML},
	{Func: "hydra.utils.instantiate", Also: []string{"hydra.utils.call", "hydra._internal.instantiate._instantiate2.instantiate", "hydra.instantiate"}, Arg: Arg{0, []string{"config"}}, Takes: TakesNothing, Judge: judgeInstantiate},
	{Func: "omegaconf.OmegaConf.load", Arg: Arg{0, []string{"file_"}}},
}

// judgeYAML: only the loaders that build plain data are harmless.
func judgeYAML(c *Call) Judgement {
	loader := c.Arg(Arg{1, []string{"Loader"}})
	if loader < 0 {
		if c.HasSplat() {
			return Judgement{}
		}
		return c.yaml("without a Loader runs constructors that the document names (PyYAML before 6)", No)
	}
	for _, name := range c.s.names(loader) {
		switch lastPart(name) {
		case "SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader":
			return Judgement{Guarded: Yes}
		case "Loader", "CLoader", "UnsafeLoader":
			return c.yaml("with "+lastPart(name)+" calls whatever functions the document names", No)
		case "FullLoader", "CFullLoader":
			return c.yaml("with FullLoader makes objects of classes that are imported already (CVE-2020-14343)", Unsure)
		}
	}
	return Judgement{}
}

func (c *Call) yaml(what string, guarded Tri) Judgement {
	return Judgement{Rule: rule.YamlUnsafeLoad, Guarded: guarded, Message: "`" + c.Name() + "` " + what, Fixes: c.fixSafeLoad()}
}

func unsafeYAML(c *Call) Judgement {
	return c.yaml("calls whatever functions the document names", No)
}

func fullYAML(c *Call) Judgement {
	return c.yaml("makes objects of classes that are imported already (CVE-2020-14343)", Unsure)
}

// unsafeRuamel says whether the object of a call was made as YAML(typ="unsafe"): all others build plain data.
func unsafeRuamel(c *Call) bool {
	e := c.evaluator()
	made, _ := e.places(e.frame(c.s, fromSource), c.s.field(c.fn, pyparse.FieldObject))
	return slices.ContainsFunc(made, func(p place) bool {
		typ := p.fr.s.keyword(p.n, "typ")
		if typ < 0 {
			typ = p.fr.s.positional(p.n, 0)
		}
		return typ >= 0 && e.eval(p.fr, typ).has("unsafe")
	})
}

func unsafeRuamelYAML(c *Call) Judgement {
	return Judgement{Rule: rule.YamlUnsafeLoad, Guarded: No, Message: "`" + c.Name() + "` of YAML(typ=\"unsafe\") calls whatever functions the document names"}
}

// fixSafeLoad calls yaml.safe_load in place.
func (c *Call) fixSafeLoad() []Fix {
	s := c.s
	callee := s.field(c.n, pyparse.FieldFunction)
	stream := s.positional(c.n, 0)
	if s.broken(c.n) || s.kind(callee) != pyparse.Attribute || stream < 0 || c.HasSplat() {
		return nil
	}
	attr := s.field(callee, pyparse.FieldAttribute)
	safe := "safe_load"
	if strings.HasSuffix(s.code(attr), "_all") {
		safe = "safe_load_all"
	}
	edits := []Edit{{s.span(attr), safe}}
	if end := s.span(s.field(c.n, pyparse.FieldArguments)).End - 1; s.span(stream).End < end {
		if bytes.IndexByte(s.src[s.span(stream).End:end], '#') >= 0 {
			return nil // a comment would go with the arguments
		}
		edits = append(edits, Edit{Span{s.span(stream).End, end}, ""})
	}
	return []Fix{{Title: "Use " + safe, Edits: edits}}
}

func judgeHyperYAML(c *Call) Judgement {
	return Judgement{Rule: rule.ConfigInstantiate, Guarded: No, Message: "`" + c.Name() + "` calls whatever the file names (!new:, !apply:, !name:)"}
}

// judgeInstantiate: a config that the program builds itself, or that Hydra passes to main, is its author's.
func judgeInstantiate(c *Call) Judgement {
	if c.fromFile(c.s.positional(c.n, 0)) {
		return Judgement{Rule: rule.ConfigInstantiate, Guarded: No, Message: "`" + c.Name() + "` calls whatever the loaded config names (_target_)"}
	}
	return Judgement{}
}

// fromFile says whether an expression comes out of a file that was read: OmegaConf.load, yaml, torch.load, json.
func (c *Call) fromFile(n node) bool {
	s := c.s
	for range 4 { // cfg.model["x"] is a part of cfg
		switch s.kind(n) {
		case pyparse.Attribute:
			n = s.field(n, pyparse.FieldObject)
		case pyparse.Subscript:
			n = s.field(n, pyparse.FieldValue)
		}
	}
	e := c.evaluator()
	places, _ := e.places(e.frame(s, fromSource), n)
	for _, p := range places {
		if p.fr.s.kind(p.n) != pyparse.Call {
			continue
		}
		switch p.fr.s.lastName(p.fr.s.field(p.n, pyparse.FieldFunction)) {
		case "load", "loads", "safe_load", "create", "full_load", "unsafe_load", "merge", "from_dotlist":
			return true
		}
	}
	return false
}
