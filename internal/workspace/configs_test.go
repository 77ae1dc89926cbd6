package workspace

import (
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/analyzers"
)

// What a program is told by a configuration file of the workspace is followed, never further than to that file.
func TestConfigs(t *testing.T) {
	files := map[string]string{
		"conf/config.yaml": "model:\n  ckpt: weights/a.pt\n  dir: ${root}/x/${oc.env:A,{b}}\n  none: null\n  todo: ???\nlist: [a.pt, b.pt]\n",
		"settings.json":    "{\"paths\": {\"ckpt\": \"weights/c.pt\"}}",
		"bomb.yaml":        "a: &a [x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e]\ng: [*f, *f, *f, *f, *f, *f, *f, *f]\nckpt: a.pt\n",
		"deep.yaml":        "ckpt: a.pt\nx: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n",
		"large.yaml":       "ckpt: a.pt\n" + strings.Repeat("# more\n", maxConfig/7),
		"circle.yaml":      "x: &x [*x]\nckpt: a.pt\n",
		"broken.yaml":      "ckpt: [\n",
	}
	head := "import hydra, json, torch, yaml\nfrom omegaconf import OmegaConf\n"
	main := "@hydra.main(config_path='conf', config_name='config', version_base=None)\ndef main(cfg):\n    torch.load("
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
		"c = yaml.safe_load(open('broken.yaml'))\ntorch.load(c['ckpt'])\n":                         "?",
		"c = yaml.safe_load(open('../conf/config.yaml'))\ntorch.load(c['ckpt'])\n":                 "?",
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
