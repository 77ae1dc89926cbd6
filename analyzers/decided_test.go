package analyzers

import (
	"strings"
	"testing"
)

// Values that the conditions on the way exclude are none of a call's references, also where parts of them are not known,
// where an attribute holds them, and where the arguments of the call that is followed decide.
func TestExcluded(t *testing.T) {
	head := "import os, pickle, torch\nfrom enum import Enum\nfrom pathlib import Path\nfrom transformers import AutoModel\n"
	for _, c := range []struct{ name, src, want string }{
		{"ending of a part", "def f(p):\n    if p.endswith('.safetensors'):\n        return\n    torch.load(p)\ndef g(d, e):\n    f(os.path.join(d, 'model.bin'))\n    f(os.path.join(d, 'model.safetensors'))\n",
			"glob:**/model.bin(guess)"},
		{"ending that is not known", "def f(p):\n    if p.endswith('.pt'):\n        torch.load(p)\ndef g(e):\n    f('ckpt/model' + e)\n", "glob:ckpt/model*(guess)"},
		{"beginning of a part", "def f(p):\n    if p.startswith('ckpt/'):\n        torch.load(p)\ndef g(e):\n    f('ckpt/a-%s.pt' % e)\n    f('runs/b-%s.pt' % e)\n", "glob:ckpt/a-*.pt(guess)"},
		{"suffix", "def f(p: Path):\n    if p.suffix.lower() == '.npz':\n        return\n    if p.suffix in ('.pkl', '.PT'):\n        torch.load(p)\nf(Path('a.pkl'))\nf(Path('b.npz'))\nf(Path('c.txt'))\n", "path:a.pkl(guess)"},
		{"attribute", "class A:\n    def __init__(self, kind):\n        self.p = 'a.pt' if kind else 'b.npz'\n    def f(self):\n        if str(self.p).endswith('.pt'):\n            torch.load(self.p)\n", "path:a.pt(guess)"},
		{"attribute set anew", "class A:\n    def __init__(self, kind):\n        self.p = 'a.pt' if kind else 'b.npz'\n    def f(self):\n        if self.p.endswith('.npz'):\n            self.p = 'c.pt'\n            torch.load(self.p)\n", "path:c.pt(exact)"},
		{"empty", "def f(p=''):\n    if p:\n        torch.load(p)\nf('a.pt')\n", "path:a.pt(guess)"},
		{"None", "def where(d, fold=None):\n    if fold is not None:\n        return d + '/fold_%s/a.pt' % fold\n    return d + '/all/a.pt'\ntorch.load(where('w'))\n", "path:w/all/a.pt(exact)"},
		{"None is given", "def where(d, fold=None):\n    if fold is None:\n        return d + '/all/a.pt'\n    return d + '/fold_' + fold + '/a.pt'\ntorch.load(where('w', '0'))\n", "path:w/fold_0/a.pt(exact)"},
		{"may be given", "def where(d, fold=None):\n    if fold is None:\n        return d + '/all/a.pt'\n    return d + '/some/a.pt'\ntorch.load(where('w', **k))\n", "path:w/all/a.pt(guess); path:w/some/a.pt(guess)"},
		{"flag", "def where(fast=False):\n    return 'fast.pt' if fast else 'slow.pt'\ntorch.load(where(fast=True))\n", "path:fast.pt(exact)"},
		{"text", "def where(kind):\n    if kind == 'a':\n        p = 'a.pt'\n    elif kind in ('b', 'c'):\n        p = 'b.pt'\n    else:\n        p = 'd.pt'\n    return p\ntorch.load(where('b'))\n", "path:b.pt(guess)"},
		{"set anew", "def where(kind):\n    kind = other(kind)\n    return 'a.pt' if kind == 'a' else 'b.pt'\ntorch.load(where('a'))\n", "path:a.pt(guess); path:b.pt(guess)"},
		{"part of a repository's name", "def f(size):\n    AutoModel.from_pretrained(f'o/m-{size}')\n    AutoModel.from_pretrained(f'checkpoints/m-{size}')\n", "glob:checkpoints/m-*(exact)"},
		{"enum", "class Size(Enum):\n    SMALL = 'small'\n    LARGE = 'large'\n    @property\n    def model(self):\n        return f'o/m-{self.value}'\n    def load(self):\n        AutoModel.from_pretrained(self.model)\n",
			"hub:o/m-small(guess); hub:o/m-large(guess)"},
		{"number", "for n in (32, 64, 6890):\n    if n == 6890:\n        continue\n    elif n != 32:\n        torch.load(f'm_{n}.pt')\n", "path:m_64.pt(guess)"},
		{"number in an arm", "for n in (32, 6890):\n    if n == 6890:\n        pass\n    else:\n        torch.load(f'm_{n}.pt')\n", "path:m_32.pt(guess)"},
		{"next one", "for p in ('a.txt', 'b.pt'):\n    if not p.endswith('.pt'):\n        continue\n    torch.load(p)\n", "path:b.pt(guess)"},
		{"function", "def regressed(name):\n    \"\"\"Whether there is one.\"\"\"\n    return not ('v1' in name or name == 'x')\ndef f(name):\n    if regressed(name):\n        torch.load(name + '.pt')\nf('a_v1')\nf('x')\nf('b')\n", "path:b.pt(guess)"},
		{"function that returns", "def tiny(name, cfg):\n    return name == 'tiny'\ndef f(name):\n    if tiny(name, cfg):\n        return\n    torch.load(name)\nf('tiny')\nf('b.pt')\n", "path:b.pt(guess)"},
		{"part of a value", "def f(kind, root):\n    name = {'a': 'a.npz', 'b': 'b.pkl'}[kind]\n    path = os.path.join(root, 'm', name)\n    if name.endswith('.npz'):\n        return\n    with open(path, 'rb') as file:\n        pickle.load(file)\nf(kind, 'w')\n", "path:w/m/b.pkl(guess)"},
		{"part that was set anew", "def f(root):\n    name = 'a.npz'\n    path = os.path.join(root, 'm', name)\n    name = other()\n    if name.endswith('.pkl'):\n        torch.load(path)\nf('w')\n", "path:w/m/a.npz(guess)"},
		{"ending of nothing", "torch.load(Path('').with_suffix('.pt'))\n", ""},
		{"another subclass", "class Base:\n    def __init__(self, root):\n        self.root = root\nclass A(Base):\n    def __init__(self):\n        super().__init__('a')\n    def load(self):\n        torch.load(self.root + '/m.pt')\nclass B(Base):\n    def __init__(self):\n        super().__init__('b')\n", "path:a/m.pt(guess)"},
		{"flag beside", "class A:\n    def __init__(self, m):\n        if m == 'local':\n            p = 'a/b.pt'\n            self.local = True\n        else:\n            p = 'c/d.pt'\n            self.local = False\n        if self.local:\n            self.own(p)\n        else:\n            torch.load(p)\n    def own(self, p):\n        torch.load(p)\n",
			"path:c/d.pt(guess); path:a/b.pt(guess)"},
		{"flag that is not known", "def f(m):\n    if m == 'local':\n        p = 'a/b.pt'\n        local = g()\n    else:\n        p = 'c/d.pt'\n        local = False\n    if local:\n        torch.load(p)\n", "path:a/b.pt(guess)"},
		{"file of a repository", "from huggingface_hub import hf_hub_download\ndef f(p):\n    if p.endswith('.safetensors'):\n        return\n    torch.load(p)\nf(hf_hub_download('o/m', 'a.safetensors'))\n", "hub:o/m(exact)"},
		{"flag from before", "def f(m):\n    local = False\n    if m:\n        p = 'a/b.pt'\n        local = True\n    else:\n        p = 'c/d.pt'\n    if local:\n        torch.load(p)\n    else:\n        torch.load(p)\n", "path:a/b.pt(guess); path:c/d.pt(guess)"},
		{"flag from before, set later", "def f(m, k):\n    local = False\n    if m:\n        p = 'a/b.pt'\n        local = True\n    else:\n        p = 'c/d.pt'\n    if k:\n        local = True\n    if local:\n        torch.load(p)\n", "path:c/d.pt(guess); path:a/b.pt(guess)"},
		{"flag from before, not known", "def f(m, k):\n    local = k\n    if m:\n        p = 'a/b.pt'\n        local = True\n    else:\n        p = 'c/d.pt'\n    if local:\n        torch.load(p)\n", "path:c/d.pt(guess); path:a/b.pt(guess)"},
		{"ending computed", "def f(p):\n    ext = os.path.splitext(p)[1]\n    if ext == '.safetensors':\n        return\n    elif ext in ('.pt', '.pth'):\n        torch.load(p)\nf('a.pt')\nf('b.safetensors')\nf('c.txt')\n", "path:a.pt(guess)"},
		{"ending unpacked", "def f(p):\n    _, ext = os.path.splitext(p)\n    if ext.lower() == '.pt':\n        torch.load(p)\nf('a.PT')\nf('b.bin')\n", "path:a.PT(guess)"},
		{"ending asked for", "def f(p):\n    if Path(p).suffix == '.pt':\n        torch.load(p)\n    elif os.path.splitext(p)[-1] == '.bin':\n        torch.load(p)\n    elif p.split('.')[-1] == 'ckpt':\n        torch.load(p)\nf('a.pt')\nf('b.bin')\nf('c.ckpt')\nf('d')\n", "path:a.pt(guess); path:b.bin(guess); path:c.ckpt(guess)"},
		{"test computed", "def f(p):\n    safe = p.endswith('.safetensors')\n    if not safe:\n        torch.load(p)\nf('a.pt')\nf('b.safetensors')\n", "path:a.pt(guess)"},
		{"ending of a part that is not known", "def f(p):\n    ext = Path(p).suffix\n    if ext == '.pt':\n        torch.load(p)\nf('ckpt/a%s' % e)\nf('ckpt/b%s.bin' % e)\n", "glob:ckpt/a*(guess)"},
		{"ending computed of another value", "def f(p):\n    ext = Path(p).suffix\n    p = 'c.bin'\n    if ext == '.pt':\n        torch.load(p)\nf('a.pt')\n", "path:c.bin(exact)"},
		{"home twice", "torch.load(Path.home() / Path.home().joinpath('.c', 'a.pt'))\n", "path:~/.c/a.pt(exact)"},
		{"below a file", "torch.load(os.path.join(__file__, 'a.pt'))\n", ""},
		{"installed package", "import spacy\nspacy.load('en_core_web_sm')\nspacy.load('./m')\nspacy.load('a/b')\n", "path:m(exact); path:a/b(exact)"},
	} {
		var got []string
		for _, call := range Link(Summarise([]byte(head+c.src), Native), Options{}).Calls {
			for _, r := range call.Refs {
				got = append(got, r.Kind.String()+":"+r.Value+"("+r.Sure.String()+")")
			}
		}
		if all := strings.Join(got, "; "); all != c.want {
			t.Errorf("%s: %s, not %s", c.name, all, c.want)
		}
	}
}
