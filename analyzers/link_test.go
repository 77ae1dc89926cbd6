package analyzers

import (
	"fmt"
	"strings"
	"testing"
)

// show is one line per load call: line, loader, refs, why.
func show(src string) string {
	var b strings.Builder
	s := Summarise([]byte(src), Native)
	for _, c := range Link(s, Options{}).Calls {
		fmt.Fprintf(&b, "%d %s", 1+strings.Count(src[:c.Span.Start], "\n"), c.Loader)
		for _, r := range c.Refs {
			fmt.Fprintf(&b, " %s:%s", r.Kind, strings.TrimPrefix(r.Type+"/"+r.Value, "/"))
			if r.File != "" {
				fmt.Fprintf(&b, "!%s", r.File)
			}
			fmt.Fprintf(&b, "(%s)", r.Sure)
			if r.Revision != "" {
				fmt.Fprintf(&b, " at %s", r.Revision)
			}
		}
		if c.Why != "" {
			fmt.Fprintf(&b, " why: %s", c.Why)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// refsOf is what the calls of a source load, in words.
func refsOf(src string) string {
	var b strings.Builder
	for _, call := range Link(Summarise([]byte(src), Native), Options{}).Calls {
		for _, r := range call.Refs {
			fmt.Fprintf(&b, "%s:%s(%s)", r.Kind, r.Value, r.Sure)
		}
	}
	return b.String()
}

func TestLink(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"literal", "import torch\ntorch.load('a.pt')\n", "2 torch.load path:a.pt(exact)\n"},
		{"alias", "import torch as th\nth.load('a.pt')\n", "2 torch.load path:a.pt(exact)\n"},
		{"from", "from torch import load as tl\nx = tl('a' '.pt')\n", "2 torch.load path:a.pt(exact)\n"},
		{"revision", "from transformers import AutoModel\nAutoModel.from_pretrained('o/r', revision='v1')\n", "2 from_pretrained hub:o/r(exact) at v1\n"},
		{"rebound", "import torch\nload = torch.load\nload('a.pt')\n", "3 torch.load path:a.pt(exact)\n"},
		{"shadowed", "from torch import load\ndef load(x): pass\nload('a.pt')\n", ""},
		{"getattr", "import torch\ngetattr(torch, 'load')('a.pt')\n", "2 torch.load path:a.pt(exact)\n"},
		{"constant", "import torch, os\nD = 'models'\ndef f():\n    return torch.load(os.path.join(D, 'x.pt'))\n", "4 torch.load path:models/x.pt(exact)\n"},
		{"pathlib", "import torch\nfrom pathlib import Path\nD = Path(__file__).parent / 'm'\ntorch.load(D / 'x.pt')\n", "4 torch.load path:m/x.pt(exact)\n"},
		{"parents", "import torch\nfrom pathlib import Path\nROOT = Path(__file__).resolve().parents[1]\ntorch.load(ROOT / 'm' / 'x.pt')\ntorch.load(Path('a/b/c.py').parents[0] / 'x.pt')\n",
			"4 torch.load path:../m/x.pt(exact)\n5 torch.load path:a/b/x.pt(exact)\n"},
		{"argv", "import sys, torch\npath = sys.argv[1]\ntorch.load(path)\n", "3 torch.load why: it is an argument of the command line\n"},
		{"stem", "import os, torch\nstem = os.path.splitext('m/x.yaml')[0]\ntorch.load(stem + '.pt')\n", "3 torch.load path:m/x.pt(exact)\n"},
		{"fstring", "import torch\nn = 'a'\ntorch.load(f'm/{n}.pt')\n", "3 torch.load path:m/a.pt(exact)\n"},
		{"glob", "import torch, os\ndef f(d):\n    torch.load(os.path.join(d, 'model.pt'))\n",
			"3 torch.load glob:**/model.pt(exact) why: it is the parameter `d` of `f`, and no call in the workspace tells its value\n"},
		{"caller", "import torch\ndef f(p):\n    torch.load(p)\nf('a.pt')\nf(p='b.pt')\n", "3 torch.load path:a.pt(guess) path:b.pt(guess)\n"},
		{"with", "import pickle\nwith open('a.pkl', 'rb') as f:\n    pickle.load(f)\n", "3 pickle.load path:a.pkl(exact)\n"},
		{"hub", "from transformers import AutoModel\nAutoModel.from_pretrained('org/m')\n", "2 from_pretrained hub:org/m(exact)\n"},
		{"argparse", "import argparse, torch\np = argparse.ArgumentParser()\np.add_argument('--ckpt', default='a.pt')\nargs = p.parse_args()\ntorch.load(args.ckpt)\n",
			"5 torch.load path:a.pt(default)\n"},
		{"self", "import torch\nclass A:\n    def __init__(self):\n        self.p = 'a.pt'\n    def f(self):\n        torch.load(self.p)\n", "6 torch.load path:a.pt(exact)\n"},
		{"download", "import torch\nfrom huggingface_hub import hf_hub_download\ntorch.load(hf_hub_download('o/r', 'x.bin'))\n", "3 torch.load hub:o/r!x.bin(exact)\n3 huggingface_hub.hf_hub_download hub:o/r!x.bin(exact)\n"},
		{"branches", "import torch\nif x:\n    p = 'a.pt'\nelse:\n    p = 'b.pt'\ntorch.load(p)\n", "6 torch.load path:b.pt(guess) path:a.pt(guess)\n"},
		{"loop", "import torch\nfor p in ['a.pt', 'b.pt']:\n    torch.load(p)\n", "3 torch.load path:a.pt(guess) path:b.pt(guess)\n"},
		{"returned", "import torch\ndef where(n):\n    return 'm/' + n\ntorch.load(where('a.pt'))\n", "4 torch.load path:m/a.pt(exact)\n"},
		{"torch.hub", "import torch\ntorch.hub.load('o/r:v1', 'm')\ntorch.hub.load('o/r', 'm', source='local')\n", "2 torch.hub.load url:https://github.com/o/r/tree/v1(exact)\n3 torch.hub.load path:o/r(exact)\n"},
		{"weights of torch.hub", "import torch\ntorch.hub.load('o/r', 'custom', path='best.pt')\ntorch.hub.load('o/r', 'custom', 'best.pt')\ntorch.hub.load('o/r', 'resnet', 'v1', path='data')\n",
			"2 torch.hub.load url:https://github.com/o/r(exact) path:best.pt(exact)\n3 torch.hub.load url:https://github.com/o/r(exact) path:best.pt(exact)\n4 torch.hub.load url:https://github.com/o/r(exact)\n"},
		{"unpickler", "import pickle\nclass A(pickle.Unpickler):\n    pass\nclass B(A):\n    def find_class(self, m, n):\n        raise ValueError\nB(open('a.pkl', 'rb')).load()\nclass C:\n    pass\nC(open('a.pkl', 'rb')).load()\n",
			"7 pickle.Unpickler path:a.pkl(exact)\n"},
		{"dataset", "from datasets import load_dataset\nload_dataset('json', data_files='a.json')\nload_dataset('o/d')\n", "2 datasets.load_dataset why: it is a format that the library reads itself\n3 datasets.load_dataset hub:datasets/o/d(exact)\n"},
		{"metric", "import evaluate\nevaluate.load('bleu')\nevaluate.load('o/m')\nevaluate.load('./m.py')\n", "2 evaluate.load hub:spaces/evaluate-metric/bleu(exact)\n3 evaluate.load hub:spaces/o/m(exact)\n4 evaluate.load path:m.py(exact)\n"},
		{"another hub", "import torch\nfrom modelscope import AutoModel, snapshot_download\nfrom paddlenlp.transformers import AutoModel as P\nAutoModel.from_pretrained('o/m', revision='v1')\nP.from_pretrained('o/m')\nP.from_pretrained('o/m', from_hf_hub=True)\nAutoModel.from_pretrained('./m')\ntorch.load(snapshot_download('o/m') + '/a.pt')\n",
			"4 from_pretrained url:https://www.modelscope.cn/models/o/m(exact)\n5 from_pretrained url:https://bj.bcebos.com/paddlenlp/models/community/o/m(exact)\n6 from_pretrained hub:o/m(exact)\n7 from_pretrained path:m(exact)\n8 torch.load url:https://www.modelscope.cn/models/o/m/a.pt(exact)\n8 huggingface_hub.snapshot_download url:https://www.modelscope.cn/models/o/m(exact)\n"},
		{"loaded before", "from transformers import AutoModel, pipeline\nm = AutoModel.from_pretrained('o/m')\npipeline('text-generation', model=m)\n",
			"2 from_pretrained hub:o/m(exact)\n3 transformers.pipeline why: it is the object that `AutoModel.from_pretrained(…)` makes, and no file\n"},
		{"repo_type", "from huggingface_hub import hf_hub_download\nhf_hub_download('o/r', 'x.bin', repo_type='dataset')\n", "2 huggingface_hub.hf_hub_download hub:datasets/o/r!x.bin(exact)\n"},
		{"timm", "import timm\ntimm.create_model('resnet18')\ntimm.create_model('hf-hub:org/m@v1', pretrained=True)\ntimm.create_model(model_name='hf_hub:org/m')\ntimm.create_model('local-dir:models/x', checkpoint_path='a.pth')\n",
			"2 timm.create_model why: it is the name of an architecture\n3 timm.create_model hub:org/m(exact) at v1\n4 timm.create_model hub:org/m(exact)\n5 timm.create_model path:a.pth(exact) path:models/x(exact)\n"},
		{"adapter", "from peft import PeftModel\nPeftModel.from_pretrained(model, 'org/lora')\n", "2 peft.PeftModel.from_pretrained hub:org/lora(exact)\n"},
		{"unpacked", "from m import A\nk = {'pretrained_model_name_or_path': 'org/m', 'revision': 'v1'}\nA.from_pretrained(**k)\n", "3 from_pretrained hub:org/m(guess)\n"},
		{"unpacked later", "from m import A\nk = {}\nk['pretrained_model_name_or_path'] = 'org/m'\nA.from_pretrained(**k)\n", "4 from_pretrained hub:org/m(guess)\n"},
		{"unpacked, something else", "from m import A\nk = {'device': 'cpu'}\nA.from_pretrained(**k)\n", "3 from_pretrained why: its arguments are unpacked from `**k`\n"},
		{"easydict", "import torch\nfrom easydict import EasyDict\ncfg = EasyDict({'ckpt': 'a.pt'})\ntorch.load(cfg.ckpt)\n", "4 torch.load path:a.pt(exact)\n"},
		{"choices", "import argparse, torch\np = argparse.ArgumentParser()\np.add_argument('--ckpt', choices=['a.pt', 'b.pt'])\nargs = p.parse_args()\ntorch.load(args.ckpt)\n",
			"5 torch.load path:a.pt(guess) path:b.pt(guess)\n"},
		{"click choice", "import click, torch\n@click.option('--ckpt', type=click.Choice(['a.pt', 'b.pt']))\ndef main(ckpt):\n    torch.load(ckpt)\n", "4 torch.load path:a.pt(guess) path:b.pt(guess)\n"},
		{"streamlit", "import streamlit as st, torch\nn = st.selectbox('Model', ['a.pt', 'b.pt'])\ntorch.load(n)\ntorch.load(st.sidebar.text_input('Model', 'c.pt'))\n",
			"3 torch.load path:a.pt(guess) path:b.pt(guess)\n4 torch.load path:c.pt(default)\n"},
		{"another's method", "import torch\nclass A:\n    def load(self, p):\n        torch.load(p)\nclass B:\n    def load(self, p):\n        pass\n    def g(self):\n        self.load('b.pt')\ntorch.jit.load('c.pt')\nA().load('a.pt')\n",
			"4 torch.load path:a.pt(guess)\n10 torch.jit.load path:c.pt(exact)\n"},
		{"three calls", "import torch\ndef f(p):\n    torch.load(p)\ndef g(q):\n    f(q)\ndef h(r):\n    g(r)\nh('a.pt')\n", "3 torch.load path:a.pt(guess)\n"},
		{"hydra", "import hydra, torch\n@hydra.main(config_path='conf', config_name='config')\ndef main(cfg):\n    torch.load(cfg.ckpt)\n",
			"4 torch.load why: it is a value of the Hydra config `config.yaml`, which is not looked at\n"},
		{"hydra, named elsewhere", "import hydra, torch\n@hydra.main(version_base=None)\ndef main(cfg):\n    torch.load(cfg.ckpt)\n",
			"4 torch.load why: it is a value of the Hydra config, which the command line names\n"},
		{"yaml", "import torch, yaml\nc = yaml.safe_load(open('c.yaml'))\ntorch.load(c['ckpt'])\n", "3 torch.load why: it is a value of `c.yaml`, which is not looked at\n"},
		{"format", "import torch\ntorch.load('{}/{name}.pt'.format('a', name='b'))\ntorch.load('%s.pt' % 'c')\n", "2 torch.load path:a/b.pt(exact)\n3 torch.load path:c.pt(exact)\n"},
	} {
		if got := show(c.src); got != c.want {
			t.Errorf("%s:\n got %swant %s", c.name, got, c.want)
		}
	}
}

func TestFixStLoad(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"import torch\ntorch.load('a.pt')\n", "import torch\nimport secure_torch as st\nst.load('a.pt')\n"},
		{"import torch\nimport secure_torch as sec\ntorch.load('a.pt', 'cpu')\n", "import torch\nimport secure_torch as sec\nsec.load('a.pt', map_location='cpu')\n"},
		{"import torch\nimport streamlit as st\n\ntorch.load('a.pt', map_location='cpu')\n",
			"import torch\nimport streamlit as st\nimport secure_torch\n\nsecure_torch.load('a.pt', map_location='cpu')\n"},
		{"\"\"\"Doc.\"\"\"\r\nfrom __future__ import annotations\r\nimport torch\r\nm = torch.load(f='a.pt')\r\n",
			"\"\"\"Doc.\"\"\"\r\nfrom __future__ import annotations\r\nimport torch\r\nimport secure_torch as st\r\nm = st.load('a.pt')\r\n"},
		{"import torch; torch.load('a.pt')\n", "import secure_torch as st\nimport torch; st.load('a.pt')\n"},
	} {
		calls := Link(Summarise([]byte(c.src), Native), Options{}).Calls
		if len(calls) != 1 || len(calls[0].Fixes) == 0 {
			t.Fatalf("%q: no fix", c.src)
		}
		if got := string(Apply([]byte(c.src), calls[0].Fixes[0].Edits)); got != c.want {
			t.Errorf("%q:\n got %q\nwant %q", c.src, got, c.want)
		}
	}
}

// TestEveryNameIsRecognised calls every loader by every qualified name it has.
func TestEveryNameIsRecognised(t *testing.T) {
	names := 0
	for _, l := range allLoaders() {
		for _, name := range append([]string{l.Func}, l.Also...) {
			if !strings.Contains(name, ".") || l.When != nil {
				continue
			}
			names++
			module, _, _ := strings.Cut(name, ".")
			src := []byte(fmt.Sprintf("import %s\n%s('x')\n", module, name))
			calls := Link(Summarise(src, Native), Options{}).Calls
			if len(calls) == 0 || !SkimSource(src, nil).Relevant {
				t.Errorf("%s is not recognised", name)
			}
		}
	}
	t.Logf("%d names", names)
}

// TestValues follows what applications name their models by: command lines, dataclasses, dictionaries,
// properties, subclasses.
func TestValues(t *testing.T) {
	const head = "import argparse, glob, os, torch\nfrom dataclasses import dataclass, field\nfrom pathlib import Path\nfrom transformers import HfArgumentParser\n"
	for _, c := range []struct{ name, src, want string }{
		{"dataclass", "@dataclass\nclass A:\n    p: str = field(default='a.pt', metadata={})\nparser = HfArgumentParser((A, B))\na, b = parser.parse_args_into_dataclasses()\ntorch.load(a.p)\n", "path:a.pt(default)"},
		{"only dataclass", "@dataclass\nclass A:\n    p: str = field(default_factory=lambda: 'a.pt')\na = HfArgumentParser(A).parse_args_into_dataclasses()[0]\ntorch.load(a.p)\n", "path:a.pt(default)"},
		{"set_defaults", "p = argparse.ArgumentParser()\np.set_defaults(ckpt='a.pt')\nargs = p.parse_args()\ntorch.load(args.ckpt)\n", "path:a.pt(default)"},
		{"vars", "p = argparse.ArgumentParser()\np.add_argument('--ckpt', default='a.pt')\ntorch.load(vars(p.parse_args())['ckpt'])\n", "path:a.pt(default)"},
		{"splat", "def f(ckpt):\n    torch.load(ckpt)\np = argparse.ArgumentParser()\np.add_argument('--ckpt', default='a.pt')\nf(**vars(p.parse_args()))\n", "path:a.pt(guess)"},
		{"getattr", "class A:\n    p = 'a.pt'\ntorch.load(getattr(A, 'p', None))\n", "path:a.pt(default)"},
		{"get", "D = {'x': 'a.pt'}\ntorch.load(D.get('x'))\n", "path:a.pt(exact)"},
		{"get of a default", "D = {}\ntorch.load(D.get('x', 'a.pt'))\n", "path:a.pt(default)"},
		{"get of itself", "D = {'a': 'w/a.pt'}\ndef f(k='a'):\n    torch.load(D.get(k, k))\nf('b.pt')\n", "path:w/a.pt(guess)path:b.pt(guess)"},
		{"get that grows", "D = {'a': 'w/a.pt'}\nD['b.pt'] = 'w/b.pt'\ntorch.load(D.get('b.pt', 'c.pt'))\n", "path:w/b.pt(guess)path:c.pt(guess)"},
		{"condition", "def f(p='a.pt'):\n    if p.endswith(('.h5', '.keras')):\n        return\n    if ':' in p:\n        torch.load(p.split(':')[0])\n    elif p.lower().startswith('a'):\n        torch.load(p)\n    else:\n        torch.load(p)\nf('B:x')\nf('b.h5')\nf('c.pt')\n",
			"path:B(guess)path:a.pt(default)path:c.pt(guess)"},
		{"condition on a list", "KNOWN = ['a.pt']\ndef f(p='a.pt'):\n    if p not in KNOWN:\n        raise ValueError(p)\n    torch.load(p)\nf('b.pt')\n", "path:a.pt(default)"},
		{"condition before a new value", "def f(p='a'):\n    if not p.endswith('.pt'):\n        p = p + '.pt'\n    torch.load(p)\n", "path:a.pt(guess)"},
		{"alias", "D = {'a': 'w/a.pt'}\ndef f(p='a'):\n    if p in D:\n        p = D[p]\n    torch.load(p)\nf('b.pt')\n", "path:w/a.pt(guess)path:b.pt(guess)"},
		{"condition of two", "def f(p='a.pt', q=0):\n    torch.load(p if q and p == 'b.pt' else 'c.pt')\n", "path:c.pt(guess)"},
		{"key by default", "D = {'x': 'a.pt'}\ndef f(k='x'):\n    torch.load(D[k])\n", "path:a.pt(default)"},
		{"property", "class A:\n    @property\n    def p(self):\n        return os.path.join('w', 'a.pt')\ntorch.load(A().p)\n", "path:w/a.pt(default)"},
		{"method", "class A:\n    def p(self, n):\n        return 'w/' + n\ntorch.load(A().p('a.pt'))\n", "path:w/a.pt(exact)"},
		{"static", "class A:\n    @staticmethod\n    def f(p):\n        torch.load(p)\nA.f('a.pt')\n", "path:a.pt(guess)"},
		{"super", "class A:\n    def __init__(self, p):\n        torch.load(p)\nclass B(A):\n    def __init__(self):\n        super().__init__('a.pt')\n", "path:a.pt(guess)"},
		{"function's object", "def options():\n    p = argparse.ArgumentParser()\n    p.add_argument('--ckpt', default='a.pt')\n    return p.parse_args()\no = options()\ntorch.load(o.ckpt)\n", "path:a.pt(default)"},
		{"folder of the source", "HERE = Path(__file__).resolve().parent\ntorch.load(HERE / 'a.pt')\n", "path:a.pt(exact)"},
		{"latest", "torch.load(sorted(glob.glob('out/*.pt'))[-1])\n", "glob:out/*.pt(guess)"},
		{"newest", "torch.load(max(Path('out').glob('m-*.pt'), key=os.path.getmtime))\n", "glob:out/m-*.pt(guess)"},
		{"splitext", "torch.load(os.path.splitext('w/a.ckpt')[0] + '.pt')\n", "path:w/a.pt(exact)"},
		{"split", "torch.load('o/a'.split('/')[-1] + '.pt')\n", "path:a.pt(exact)"},
		{"join", "torch.load('/'.join(['w', 'a.pt']))\n", "path:w/a.pt(exact)"},
		{"key that is a guess", "D = {'x': 'a.pt'}\ndef f(k):\n    torch.load(D[k])\nf('y')\n", "path:a.pt(guess)"},
		{"stored", "d = {}\nd['x'] = 'a.pt'\ntorch.load(d['x'])\n", "path:a.pt(guess)"},
		{"appended", "files = set()\nfor n in range(3):\n    files.add('w/model.bin')\nfor f in sorted(files):\n    torch.load(f)\n", "path:w/model.bin(guess)"},
		{"subclasses", "class A:\n    def f(self):\n        torch.load(self.p)\nclass B(A):\n    p = 'a.pt'\n", "path:a.pt(guess)"},
		{"annotation", "@dataclass\nclass C:\n    p: str = 'a.pt'\ndef f(c: C):\n    torch.load(c.p)\n", "path:a.pt(default)"},
		{"bytes", "import pickle\npickle.loads(b'cos\\nx\\n.')\npickle.loads(Path('a.pkl').read_bytes())\nwith open('b.pkl', 'rb') as f:\n    d = f.read()\npickle.loads(d)\n", "path:a.pkl(exact)path:b.pkl(exact)"},
		{"one of many", strings.Repeat("class A:\n    def load(self, p):\n        torch.load(p)\n", 5) + "def f(x):\n    x.load('a.pt')\n", ""},
		{"no repository", "from transformers import AutoModel\nAutoModel.from_pretrained('a.bin')\n", "path:a.bin(exact)"},
		{"comprehension", "torch.load(sorted([f for f in Path('out').glob('*.pt') if f.stem])[0])\nfor p in (d + '/model.bin' for d in ['a']):\n    torch.load(p)\n", "glob:out/*.pt(guess)path:a/model.bin(guess)"},
		{"chosen class", "class A:\n    def load(self, p):\n        torch.load(p)\nclass B:\n    def load(self, p):\n        torch.load(p + '.b')\nKINDS = {'a': A, 'b': B}\ndef f(kind='b'):\n    KINDS[kind].load('x.pt')\n", "path:x.pt.b(guess)"},
		{"set before", "class A:\n    def f(self, p):\n        if p == 'x':\n            self.p = 'a.pt'\n        else:\n            self.p = 'b.pt'\n            torch.load(self.p)\n        torch.load(self.p)\n    def g(self):\n        self.p = self.p + '.g'\n        if self.q:\n            self.p = 'c.pt'\n        torch.load(self.p)\n",
			"path:b.pt(exact)path:b.pt(guess)path:a.pt(guess)path:c.pt(guess)path:a.pt.g(guess)path:b.pt.g(guess)path:c.pt.g(guess)"},
		{"lambda", "name = lambda n, d='w': os.path.join(d, f'{n}.pt')\ntorch.load(name('a'))\n", "path:w/a.pt(default)"},
		{"merged", "from omegaconf import OmegaConf\nc = OmegaConf.merge(OmegaConf.create({'p': 'a.pt'}), {'q': 'b.pt'})\ntorch.load(c.p)\n", "path:a.pt(default)"},
		{"parametrized", "import pytest\n@pytest.mark.parametrize('p', ['a.pt', pytest.param('b.pt', id='b')])\n@pytest.mark.parametrize(('n', 'q'), [(1, 'c.pt')])\n@pytest.mark.parametrize('x, r', [(1, 'd.pt')])\ndef test(p, n, q, x, r):\n    torch.load(p)\n    torch.load(q)\n    torch.load(r)\n", "path:a.pt(guess)path:b.pt(guess)path:c.pt(guess)path:d.pt(guess)"},
		{"hyperparameters", "class A(L.LightningModule):\n    def __init__(self, ckpt='a.pt'):\n        self.save_hyperparameters()\n    def f(self):\n        torch.load(self.hparams.ckpt)\n", "path:a.pt(default)"},
		{"where it comes from", "from transformers import AutoModel, AutoTokenizer\nm = AutoModel.from_pretrained('o/m')\nAutoTokenizer.from_pretrained(m.config._name_or_path)\nt = AutoTokenizer.from_pretrained(m.name_or_path)\n", "hub:o/m(exact)hub:o/m(exact)hub:o/m(exact)"},
		{"unpacked repository", "from huggingface_hub import hf_hub_download\no = dict(repo_id='o/m')\nhf_hub_download(filename='a.bin', **o)\n", "hub:o/m(guess)"},
		{"folder", "from transformers import AutoModel\nAutoModel.from_pretrained('checkpoints/m')\n", "path:checkpoints/m(exact)"},
		{"itself", "def f(a):\n    return f(a).get(a, f)\ntorch.load(f(f).p)\n", ""},
	} {
		if got := refsOf(head + c.src); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A class's method is a loader by whatever name it is called, one of the same name that is no method is none.
func TestMethodsByAnotherName(t *testing.T) {
	head := "import functools\nfrom functools import partial\nfrom transformers import AutoModel\nimport transformers as tf\n"
	for src, want := range map[string]string{
		"load = AutoModel.from_pretrained\nload('org/a')\n":                                   "6 from_pretrained hub:org/a(exact)\n",
		"load = tf.AutoModel.from_pretrained\nload('org/a')\n":                                "6 from_pretrained hub:org/a(exact)\n",
		"load = partial(AutoModel.from_pretrained, 'org/a')\nload()\n":                        "6 from_pretrained hub:org/a(exact)\n",
		"load = functools.partial(AutoModel.from_pretrained, revision='v1')\nload('org/a')\n": "6 from_pretrained hub:org/a(exact) at v1\n",
		"load = AutoModel.from_pretrained if x else AutoModel.from_config\nload('org/a')\n":   "6 from_pretrained hub:org/a(exact)\n",
		"def from_pretrained(x): ...\nfrom_pretrained('org/a')\n":                             "",
		"from lib import from_pretrained\nfrom_pretrained('org/a')\n":                         "",
		"from lib import from_pretrained as load\nload('org/a')\n":                            "",
		"load = AutoModel.from_config\nload('org/a')\n":                                       "",
	} {
		if got := show(head + src); got != want {
			t.Errorf("%q: %q, not %q", src, got, want)
		}
	}
}
