package workspace

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/analyzers"
)

// What a program is told by a configuration file of the workspace is followed, never further than to that file.
func TestConfigs(t *testing.T) {
	files := map[string]string{
		"conf/config.yaml":        "model:\n  ckpt: weights/a.pt\n  dir: ${root}/x/${oc.env:A,{b}}\n  none: null\n  todo: ???\nlist: [a.pt, b.pt]\n",
		"settings.json":           "{\"paths\": {\"ckpt\": \"weights/c.pt\"}}",
		"bomb.yaml":               "a: &a [x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e]\ng: [*f, *f, *f, *f, *f, *f, *f, *f]\nckpt: a.pt\n",
		"deep.yaml":               "ckpt: a.pt\nx: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n",
		"large.yaml":              "ckpt: a.pt\n" + strings.Repeat("# more\n", maxConfig/7),
		"circle.yaml":             "x: &x [*x]\nckpt: a.pt\n",
		"broken.yaml":             "ckpt: [\n",
		"empty.yaml":              "ckpt: a${e8}\n" + emptyBomb(),
		"nlp/base.yaml":           "defaults:\n- model: small\n- optional data@input: none\n- extra\n- override hydra/launcher: x\n- _self_\n- exp: big\nroot: w\nmodel:\n  own: ${root}/own.pt\nhere: ${hydra:runtime.cwd}/h.pt\n",
		"nlp/model/small.yaml":    "defaults: [part: one]\nckpt: ${root}/small.pt\nown: lost.pt\n",
		"nlp/model/large.yaml":    "ckpt: ${root}/large.pt\n",
		"nlp/model/part/one.yaml": "ckpt: ${model.ckpt}.part\n",
		"nlp/data/none.yaml":      "file: d.pt\n",
		"nlp/extra.yaml":          "# @package a.b\nfile: e.pt\n",
		"nlp/exp/big.yaml":        "# @package _global_\ndefaults: [override /model: large, {/model@teacher: small}]\nroot: v\n",
		"circle/base.yaml":        "defaults: [base, {base: base}]\nckpt: a.pt\n",
	}
	head := "import hydra, json, torch, yaml\nfrom omegaconf import OmegaConf\n"
	main := "@hydra.main(config_path='conf', config_name='config', version_base=None)\ndef main(cfg):\n    torch.load("
	nlp := "@hydra.main(config_path='nlp', config_name='base', version_base=None)\ndef main(cfg):\n    torch.load("
	for src, want := range map[string]string{
		main + "cfg.model.ckpt)\n":              "path:weights/a.pt:default",
		main + "cfg['model']['ckpt'])\n":        "path:weights/a.pt:default",
		main + "cfg.model.dir + '/model.pt')\n": "glob:**/x/*/model.pt:default",
		main + "cfg.model.none)\n":              "?",
		main + "cfg.model.todo)\n":              "?",
		main + "cfg.nothing)\n":                 "?",
		"cfg = OmegaConf.load('conf/config.yaml')\ntorch.load(cfg.model.ckpt)\n":                   "path:weights/a.pt:default path:conf/config.yaml:exact",
		"with open('settings.json') as f:\n    c = json.load(f)\ntorch.load(c['paths']['ckpt'])\n": "path:weights/c.pt:default",
		"c = yaml.safe_load(open('conf/config.yaml'))\ntorch.load(c['model']['ckpt'])\n":           "path:weights/a.pt:default",
		"c = yaml.safe_load(open('bomb.yaml'))\ntorch.load(c['ckpt'])\n":                           "?",
		"c = yaml.safe_load(open('circle.yaml'))\ntorch.load(c['ckpt'])\n":                         "?",
		"c = yaml.safe_load(open('deep.yaml'))\ntorch.load(c['ckpt'])\n":                           "?",
		"c = yaml.safe_load(open('large.yaml'))\ntorch.load(c['ckpt'])\n":                          "?",
		"c = OmegaConf.load('empty.yaml')\ntorch.load(c.ckpt)\n":                                   "?",
		nlp + "cfg.model.ckpt)\n":    "path:v/large.pt:default",
		nlp + "cfg.model.own)\n":     "path:v/own.pt:default",
		nlp + "cfg.teacher.ckpt)\n":  "path:v/small.pt:default",
		nlp + "cfg.input.file)\n":    "path:d.pt:default",
		nlp + "cfg.a.b.file)\n":      "path:e.pt:default",
		nlp + "cfg.here)\n":          "path:h.pt:default",
		nlp + "cfg.model.nothing)\n": "?",
		strings.NewReplacer("'nlp'", "'circle'").Replace(nlp) + "cfg.ckpt)\n":      "path:a.pt:default",
		"c = yaml.safe_load(open('broken.yaml'))\ntorch.load(c['ckpt'])\n":         "?",
		"c = yaml.safe_load(open('../conf/config.yaml'))\ntorch.load(c['ckpt'])\n": "?",
	} {
		files["app.py"] = head + src
		got := strings.Split(refs(t, files, "app.py"), " ")
		for _, w := range strings.Split(want, " ") {
			if !strings.Contains(strings.Join(got, " "), w) {
				t.Errorf("%q: %s, not %s", src, got, w)
			}
		}
	}
}

// emptyBomb are values that stand for nothing in as many steps as there are.
func emptyBomb() string {
	var b strings.Builder
	b.WriteString("e0: ''\n")
	for i := range 8 {
		fmt.Fprintf(&b, "e%d: %s\n", i+1, strings.Repeat(fmt.Sprintf("${e%d}", i), 100))
	}
	return b.String()
}

// A program is mostly run in its project's folder, and check is asked for a part of it.
func TestConfigsAbove(t *testing.T) {
	dir := tree(t, map[string]string{"pyproject.toml": "", "conf/a.yaml": "ckpt: a.pt\n", "src/m/app.py": "import torch\nfrom omegaconf import OmegaConf\ntorch.load(OmegaConf.load('conf/a.yaml').ckpt)\n"})
	src := filepath.Join(dir, "src")
	for name, ws := range map[string]*Workspace{"path:a.pt:default": New([]string{src}, analyzers.Native), "": Confined(src)} {
		file := filepath.Join(src, "m", "app.py")
		s := ws.Summary(file)
		got := ""
		for _, r := range analyzers.Link(s, analyzers.Options{Workspace: ws.At(file)}).Calls[0].Refs {
			got = fmt.Sprintf("%s:%s:%s", r.Kind, r.Value, r.Sure)
		}
		if got != name {
			t.Errorf("got %q, want %q", got, name)
		}
		if consulted := ws.Consulted(); name != "" && !slices.Contains(consulted, filepath.Join(dir, "conf", "a.yaml")) {
			t.Errorf("consulted %q", consulted)
		}
	}
}

// Which settings a program is told to read is not known: those that have the value asked for count.
func TestSettings(t *testing.T) {
	files := map[string]string{
		"conf/a.yaml": "base_model_path: w/a.pt\nname: a.pt\nmodel: {part: {path: w/p.pt}, path: w/q.pt}\n", "conf/deep/b.yml": "base_model_path: w/b.pt\n", "conf/c.yaml": "x: {base_model_path: w/c.pt}\n",
		".cache/d.yaml": "base_model_path: w/d.pt\n", "conf/none.yaml": "# base_model_path\n[base_model_path]\n",
	}
	head := "import argparse, torch\nfrom omegaconf import OmegaConf\np = argparse.ArgumentParser()\np.add_argument('--config')\ncfg = OmegaConf.load(p.parse_args().config)\n"
	for src, want := range map[string]string{
		"torch.load(cfg.base_model_path)\n": "? path:w/a.pt:guess path:w/b.pt:guess",
		"torch.load(cfg.name)\n":            "? ?",
		"torch.load(cfg.model.part.path)\n": "? path:w/p.pt:guess",
		"both = OmegaConf.merge(cfg, OmegaConf.from_cli())\ntorch.load(both.model.part.path)\n": "? path:w/p.pt:guess",
		"torch.load(cfg.model.path)\n":                                               "? ?",
		"torch.load(cfg.model.other.path)\n":                                         "? ?",
		"torch.load(cfg.other_model_path)\n":                                         "? ?",
		"def main(base_model_path):\n    torch.load(base_model_path)\nmain(**cfg)\n": "? path:w/a.pt:guess path:w/b.pt:guess",
	} {
		files["app.py"] = head + src
		if got := refs(t, files, "app.py"); got != want {
			t.Errorf("%q: %s, not %s", src, got, want)
		}
	}
	large := map[string]string{"app.py": head + "torch.load(cfg.base_model_path)\n"}
	for i := range 30 {
		large[fmt.Sprintf("data/%02d.yaml", i)] = "x: " + strings.Repeat("x", maxConfig-100) + "\n"
	}
	large["z.yaml"] = "base_model_path: w/z.pt\n"
	if got := refs(t, large, "app.py"); got != "? ?" {
		t.Errorf("too much: %s", got)
	}
	for i := range 20 {
		files[fmt.Sprintf("many/%d.yaml", i)] = "base_model_path: w/x.pt\n"
	}
	files["app.py"] = head + "torch.load(cfg.base_model_path)\n"
	if got := refs(t, files, "app.py"); got != "? ?" {
		t.Errorf("too many: %s", got)
	}
}

// Whatever a file holds becomes a literal that Python reads, or nothing.
func FuzzAsPython(f *testing.F) {
	for _, text := range []string{"a: [b, {c: d}]\n", "{\"a\": null, \"b\": \"\\u2028'\"}", "a: ${b.${c}}{x}\n", "a: &a {b: *a}\n", "? [x]\n: y\n", "<<: {a: b}\n", "--- |\n  é\\\n", "a: ${\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > maxConfig {
			return
		}
		if python, ok := asPython(text); ok && !analyzers.Summarise([]byte(python), analyzers.Confined).Whole() {
			t.Errorf("%q becomes %q", text, python)
		}
	})
}
