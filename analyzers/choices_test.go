package analyzers

import (
	"fmt"
	"strings"
	"testing"
)

// Values that depend on one decision are only combined as they come together: by a condition, a row, a call, a key.
func TestTogether(t *testing.T) {
	head := "import os, torch\nfrom huggingface_hub import hf_hub_download\n"
	for _, c := range []struct{ name, src, want string }{
		{"branches", "def f(big):\n    if big:\n        d, n = 'a', 'x.pt'\n    else:\n        d, n = 'b', 'y.pt'\n    torch.load(os.path.join(d, n))\n", "b/y.pt a/x.pt"},
		{"branches of three", "def f(k):\n    if k == 1:\n        d = 'a'\n        n = 'x.pt'\n    elif k == 2:\n        d = 'b'\n        n = 'y.pt'\n    else:\n        d = 'c'\n        n = 'z.pt'\n    torch.load(d + '/' + n)\n", "c/z.pt b/y.pt a/x.pt"},
		{"expressions", "def f(big):\n    d = 'a' if big else 'b'\n    n = 'x.pt' if big else 'y.pt'\n    torch.load(f'{d}/{n}')\n", "a/x.pt b/y.pt"},
		{"contrary", "def f(p):\n    d = 'a' if p is None else 'b'\n    n = 'x.pt' if p is not None else 'y.pt'\n    torch.load(f'{d}/{n}')\n", "a/y.pt b/x.pt"},
		{"statement and expression", "def f(big):\n    d = 'a'\n    if not big:\n        d = 'b'\n    torch.load(d + ('/x.pt' if big else '/y.pt'))\n", "b/y.pt a/x.pt"},
		{"conditions of different values", "def f(big):\n    d = 'a' if big else 'b'\n    big = other(big)\n    n = 'x.pt' if big else 'y.pt'\n    torch.load(f'{d}/{n}')\n", "a/x.pt a/y.pt b/x.pt b/y.pt"},
		{"conditions that may change", "d = 'a' if ask() else 'b'\nn = 'x.pt' if ask() else 'y.pt'\ntorch.load(f'{d}/{n}')\n", "a/x.pt a/y.pt b/x.pt b/y.pt"},
		{"attribute set between", "class A:\n    def f(self):\n        d = 'a' if self.k else 'b'\n        self.k = g()\n        n = 'x.pt' if self.k else 'y.pt'\n        torch.load(f'{d}/{n}')\n", "a/x.pt a/y.pt b/x.pt b/y.pt"},
		{"two conditions", "def f(p, q):\n    d = 'a' if p else 'b'\n    n = 'x.pt' if q else 'y.pt'\n    torch.load(f'{d}/{n}')\n", "a/x.pt a/y.pt b/x.pt b/y.pt"},
		{"in a loop that has ended", "d = 'a'\nn = 'x.pt'\nfor k in ks:\n    if k:\n        d = 'b'\n    else:\n        n = 'y.pt'\ntorch.load(f'{d}/{n}')\n", "b/y.pt b/x.pt a/y.pt a/x.pt"},
		{"rows of a loop", "for d, n in [('a', 'x.pt'), ('b', 'y.pt')]:\n    torch.load(os.path.join(d, n))\n", "a/x.pt b/y.pt"},
		{"items of a loop", "for d, n in {'a': 'x.pt', 'b': 'y.pt'}.items():\n    torch.load(os.path.join(d, n))\n", "a/x.pt b/y.pt"},
		{"rows that are tables", "for r in [{'d': 'a', 'n': 'x.pt'}, {'d': 'b', 'n': 'y.pt'}]:\n    torch.load(os.path.join(r['d'], r['n']))\n", "a/x.pt b/y.pt"},
		{"the same name twice", "for n in ('a', 'b'):\n    torch.load(f'{n}/{n}.pt')\n", "a/a.pt b/b.pt"},
		{"a key of a table", "T = {'s': {'d': 'a', 'n': 'x.pt'}, 't': {'d': 'b', 'n': 'y.pt'}}\ndef f(k):\n    r = T[k]\n    torch.load(r['d'] + '/' + r['n'])\n    torch.load(T[k]['d'] + '/' + T[k]['n'])\n", "a/x.pt b/y.pt; a/x.pt b/y.pt"},
		{"a key of two tables", "D = {'s': 'a', 't': 'b'}\nN = {'s': 'x.pt', 't': 'y.pt'}\ndef f(k):\n    torch.load(D[k] + '/' + N[k])\ndef g(k):\n    d = D[k]\n    k = other()\n    torch.load(d + '/' + N[k])\n", "a/x.pt b/y.pt; a/x.pt a/y.pt b/x.pt b/y.pt"},
		{"calls", "def f(d, n):\n    torch.load(d + '/' + n)\nf('a', 'x.pt')\nf('b', n='y.pt')\n", "a/x.pt b/y.pt"},
		{"calls and defaults", "def f(d='c', n='z.pt'):\n    torch.load(d + '/' + n)\nf('a', 'x.pt')\nf('b')\n", "c/z.pt a/x.pt b/z.pt"},
		{"calls that are each known in part", "def f(d, n):\n    torch.load(d + '/' + n)\nf('aa', g())\nf(g(), 'yy.pt')\n", "aa/* **/yy.pt"},
		{"calls whose arguments are not known", "def f(d, n):\n    torch.load(d + '/' + n)\nf('aa', 'xx.pt')\nf(g(), 'yy.pt')\n", "aa/xx.pt **/yy.pt"},
		{"file of a repository", "def f(big):\n    if big:\n        repo, file = 'o/big', 'big.pt'\n    else:\n        repo, file = 'o/small', 'small.pt'\n    torch.load(hf_hub_download(repo, file))\n", "o/small:small.pt o/big:big.pt"},
		{"functions of one setting", "def d():\n    return 'a' if BIG else 'b'\ndef n():\n    return 'x.pt' if BIG else 'y.pt'\ntorch.load(d() + '/' + n())\n", "a/x.pt b/y.pt"},
		{"two calls of one function", "def d(k):\n    return 'a' if k else 'b'\ntorch.load(d(g()) + '/' + d(h()) + '.pt')\n", "a/a.pt a/b.pt b/a.pt b/b.pt"},
		{"around the use", "def f(big):\n    p = 'a.pt' if big else 'b.pt'\n    if big:\n        torch.load(p)\n    else:\n        torch.load(p)\n", "a.pt; b.pt"},
		{"left before the use", "def f(big):\n    if big:\n        p = 'a.pt'\n    else:\n        p = 'b.pt'\n    if not big:\n        return\n    torch.load(p)\n", "a.pt"},
		{"a default under the contrary", "def f(big):\n    p = 'a.pt'\n    if big:\n        p = 'b.pt'\n    if big:\n        torch.load(p)\n    else:\n        torch.load(p)\n", "b.pt; a.pt"},
		{"set under a condition of its own", "def f(p):\n    if not p:\n        p = 'a.pt'\n    if p:\n        torch.load(p)\n", "a.pt"},
	} {
		var got []string
		for _, call := range Link(Summarise([]byte(head+c.src), Native), Options{}).Calls {
			if call.Loader != "torch.load" {
				continue
			}
			var refs []string
			for _, r := range call.Refs {
				refs = append(refs, strings.TrimSuffix(r.Value+":"+r.File, ":"))
			}
			got = append(got, strings.Join(refs, " "))
		}
		if all := strings.Join(got, "; "); all != c.want {
			t.Errorf("%s: %s, not %s", c.name, all, c.want)
		}
	}
}

// A source cannot make the evaluation case by case endless: its cases are counted, and their work is.
func TestManyCases(t *testing.T) {
	var b strings.Builder
	b.WriteString("import torch\ndef f(c):\n")
	for i := range 40 {
		fmt.Fprintf(&b, "    a%d = 'a' if c[%d] else 'b'\n    b%d = 'c' if c[%d] else 'd'\n", i, i, i, i)
	}
	b.WriteString("    torch.load(")
	for i := range 40 {
		fmt.Fprintf(&b, "a%d + b%d + ", i, i)
	}
	b.WriteString("'.pt')\n")
	s := Summarise([]byte(b.String()), Native)
	e := (&Call{s: s, l: &linker{s: s}}).evaluator()
	call := s.callsOf("load")[0]
	fr := e.frame(s, fromSource)
	arg := s.positional(call, 0)
	if v := e.byCases(fr, arg, e.eval(fr, arg)); len(v.alts) == 0 || len(v.alts) > maxAlts {
		t.Errorf("%d alternatives", len(v.alts))
	}
	if e.left < -1-maxMeetings || e.spent > 4*maxWork || len(e.met) > maxMeetings {
		t.Errorf("%d cases left, work %d, %d meetings", e.left, e.spent, len(e.met))
	}
}
