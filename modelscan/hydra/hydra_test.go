package hydra

import (
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/modelscan/scantest"
)

const nemo = `
target: nemo.collections.asr.models.EncDecCTCModel
preprocessor:
  _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor
  features: 80
optim: {_target_: torch.optim.AdamW, lr: 1e-3}
act: &act
  _target_: torch.nn.ReLU
other: *act
window: !!python/tuple [1, 2]
`

func TestScan(t *testing.T) {
	scantest.Check(t, []scantest.Case{
		{Name: "NeMo", File: []byte(nemo)},
		{Name: "process", File: []byte("a:\n  _target_: os.system\n  command: echo pwned\n"), Want: []string{"ST269 os.system"}},
		{Name: "in a flow, quoted", File: []byte(`{"a": [{"_target_": "builtins.exec", "_args_": ["x"]}]}`), Want: []string{"ST269 builtins.exec"}},
		{Name: "long comment first", File: []byte(strings.Repeat("# x\n", 40000) + "_target_: subprocess.Popen\n" + strings.Repeat("# x\n", 40000)), Want: []string{"ST269 subprocess.Popen"}},
		{Name: "interpolated", File: []byte("m: os\nf: ${m}.system\na:\n  _target_: ${f}\n"), Want: []string{"ST269 os.system"}},
		{Name: "alias", File: []byte("x: &x os.system\na:\n  _target_: *x\n"), Want: []string{"ST269 os.system"}},
		{Name: "second document", File: []byte("a: 1\n---\n_target_: os.system\n"), Want: []string{"ST269 os.system"}},
		{Name: "through a library", File: []byte("_target_: torch.hub.load\nrepo_or_dir: x/y\n"), Want: []string{"ST269 torch.hub.load"}},
		{Name: "another builder's key", File: []byte("model:\n  target: subprocess.run\n"), Want: []string{"ST269 subprocess.run"}},
		{Name: "unknown class", File: []byte("_target_: my.Model\n"), Want: []string{"ST270 my.Model"}},
		{Name: "tag", File: []byte("a: !!python/object/apply:os.system [id]\n"), Want: []string{"ST271 os.system"}},
		{Name: "tag in full", File: []byte("a: !<tag:yaml.org,2002:python/name:os.system> ''\n"), Want: []string{"ST271 os.system"}},
		{Name: "tag by a handle", File: []byte("%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!object/new:subprocess.Popen [id]\n"), Want: []string{"ST271 subprocess.Popen"}},
		{Name: "does not parse", File: []byte("a: !!python/object/apply:os.system [id]\n  b: : c\n\t- x: ["), Want: []string{"ST271 os.system", "ST901"}},
	}, Format)
}

func TestOtherTextIsNotClaimed(t *testing.T) {
	for _, s := range []string{"a: 1\nb: 2\n", "target: the goal\n", "# Heading\n\nSome text about _target_ and Hydra!\n", "Hello, world!\n", "class_path: 7\n"} {
		if r := scantest.Scan(t, "x.yaml", []byte(s), Format); r.Kind != modelscan.KindOther {
			t.Errorf("%q: %+v", s, r)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(nemo))
	f.Add([]byte("%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!object/new:subprocess.Popen [id]\nb: ${a.b}\n"))
	scantest.Fuzz(f, Format)
}
