package analyzers

import (
	"testing"
)

// TestDeclared asks for what an object is declared to be, where nothing tells what it is.
func TestDeclared(t *testing.T) {
	head := "from dataclasses import dataclass, field\nfrom typing import Annotated, NamedTuple, Optional\nimport argparse, torch\nfrom enum import Enum\n" +
		"@dataclass\nclass Model:\n    path: str = 'a.pt'\n    empty: str = ''\n" +
		"@dataclass\nclass Config:\n    model: Model = field(default_factory=Model)\n    other: Model\n    last: 'Model | None' = None\n"
	for _, c := range []struct{ name, src, want string }{
		{"default_factory", "def f(c: Config):\n    torch.load(c.model.path)\n", "path:a.pt(default)"},
		{"function as default_factory", "def made():\n    return 'b.pt'\n@dataclass\nclass C:\n    p: str = field(default_factory=made)\n    q: str = field(default_factory=unknown)\ntorch.load(C().p)\ntorch.load(C().q)\n", "path:b.pt(default)"},
		{"field without a default", "def f(c: Config):\n    torch.load(c.other.path)\n    torch.load(c.last.path)\n", "path:a.pt(default)path:a.pt(default)"},
		{"annotations", "def f(a: 'Model', b: Optional[Model], c: Model | str, d: Annotated[Model, 1], e: list[Model], g: 'Optional[Model]'):\n" +
			"    torch.load(a.path)\n    torch.load(b.path)\n    torch.load(c.path)\n    torch.load(d.path)\n    torch.load(e.path)\n    torch.load(g.path)\n",
			"path:a.pt(default)path:a.pt(default)path:a.pt(default)path:a.pt(default)path:a.pt(default)"},
		{"annotated name", "m: Model = unknown()\ntorch.load(m.path)\n", "path:a.pt(default)"},
		{"annotated and given something unknown", "def f(m: Model):\n    torch.load(m.path)\nf(unknown())\n", "path:a.pt(default)"},
		{"annotated and known", "def f(m: Model):\n    torch.load(m.path)\nf(Model('b.pt'))\n", "path:b.pt(guess)"},
		{"annotated self", "class A:\n    def __init__(self, m: Model):\n        self.m = m\n    def f(self):\n        torch.load(self.m.path)\n", "path:a.pt(default)"},
		{"empty text", "def f(m: Model):\n    torch.load(m.empty)\n", ""},
		{"return type", "def read() -> Model:\n    return unknown()\ntorch.load(read().path)\nm = read()\ntorch.load(m.path)\n", "path:a.pt(default)path:a.pt(default)"},
		{"class method", "class C:\n    p: str = 'c.pt'\n    @classmethod\n    def read(cls, d):\n        return cls(**d)\nc = C.read({})\ntorch.load(c.p)\ntorch.load(Model.from_dict({}).path)\ntorch.load(Model.unheard_of({}).path)\n", "path:c.pt(default)path:a.pt(default)"},
		{"command line", "import draccus, tyro\na = draccus.parse(Model)\nb = tyro.cli(Model)\nc = draccus.parse(config_class=Model)\ntorch.load(a.path)\ntorch.load(b.path)\ntorch.load(c.path)\n", "path:a.pt(default)path:a.pt(default)path:a.pt(default)"},
		{"namespace of others", "a = argparse.Namespace(**vars(Model()), **{'q': 'q.pt'})\ntorch.load(a.path)\ntorch.load(a.q)\n", "path:a.pt(guess)path:q.pt(guess)"},
		{"positional", "class T(NamedTuple):\n    n: int\n    p: str = 't.pt'\ntorch.load(Model('b.pt').path)\ntorch.load(T(1, 'c.pt').p)\n", "path:b.pt(exact)path:c.pt(exact)"},
		{"several targets", "class A:\n    def __init__(self, p='p.pt', q='q.pt'):\n        self.p, self.q = p, q\n        self.r = self.s = 'r.pt'\n    def f(self):\n        torch.load(self.p)\n        torch.load(self.q)\n        torch.load(self.r)\n        torch.load(self.s)\na = b = 'ab.pt'\ntorch.load(a)\n",
			"path:p.pt(default)path:q.pt(default)path:r.pt(exact)path:r.pt(exact)path:ab.pt(exact)"},
		{"enumeration", "class E(Enum):\n    A = 'a.pt'\n    B = 'b.pt'\n    N = 1\ntorch.load(E.B.value)\ndef f(e: E):\n    torch.load(e.value)\ndef g(e=E.A):\n    torch.load(e.value)\n", "path:b.pt(default)path:a.pt(guess)path:b.pt(guess)path:a.pt(default)"},
		{"keywords of callers", "def f(**kwargs):\n    torch.load(kwargs['p'])\n    torch.load(kwargs.get('q', 'q.pt'))\n    torch.load(kwargs['r'])\ndef g(**kw):\n    f(r='r.pt', **kw)\ng(p='p.pt')\n", "path:p.pt(guess)path:q.pt(default)path:r.pt(guess)"},
		{"set on a name", "a = unknown()\na.p = 'a.pt'\ntorch.load(a.p)\ndef f(c):\n    if not c.p:\n        c.p = 'b.pt'\n    torch.load(c.p)\n    c = unknown()\n    torch.load(c.p)\n", "path:a.pt(exact)path:b.pt(guess)"},
		{"set on an option", "p = argparse.ArgumentParser()\np.add_argument('--p', default='a.pt')\nargs = p.parse_args()\nif args.q:\n    args.p = 'b.pt'\ntorch.load(args.p)\nargs.p = 'c.pt'\ntorch.load(args.p)\n", "path:b.pt(guess)path:a.pt(guess)path:c.pt(exact)"},
		{"of itself", "class A:\n    def f(self):\n        self.a = self.a.b\n        torch.load(self.a.p)\n", ""},
	} {
		if got := refsOf(head + c.src); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
