package analyzers

import (
	"fmt"
	"strings"
	"testing"
)

// What a name means does not depend on how many others its scope binds, before it or behind it.
func TestManyBindings(t *testing.T) {
	for _, n := range []int{0, 1, fewBinds - 2, fewBinds - 1, fewBinds, fewBinds + 1, 3 * fewBinds} {
		var others strings.Builder
		for i := range n {
			fmt.Fprintf(&others, "    x%d = %d\n", i, i)
		}
		for _, body := range []string{
			others.String() + "    path = 'a.pt'\n    load = torch.load\n",
			"    path = 'a.pt'\n    load = torch.load\n" + others.String(),
			"    path, load = 'b.pt', None\n" + others.String() + "    path = 'a.pt'\n    load = torch.load\n",
		} {
			for _, head := range []string{"def f():\n", "class A:\n", "if True:\n"} {
				src := "import torch\n" + head + body + "    load(path)\n"
				calls := Link(Summarise([]byte(src), Native), Options{}).Calls
				if len(calls) != 1 || len(calls[0].Refs) != 1 || calls[0].Refs[0].Value != "a.pt" {
					t.Errorf("%d other names: %+v of\n%s", n, calls, src)
				}
			}
		}
	}
}

// However often a name is bound anew under conditions, a use looks only at the latest bindings: with the number of uses
// and of bindings the work would grow as their product.
func TestManyConditionalBindings(t *testing.T) {
	var b strings.Builder
	b.WriteString("x = 'a'\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "if x == 'q%d':\n    x = 'a%d.pt'\n", i, i)
	}
	b.WriteString("use(x)\n")
	s := Summarise([]byte(b.String()), Native)
	use := s.positional(s.callsOf("use")[0], 0)
	reach, _ := s.reaching("x", use, s.scope[use])
	if len(reach) != maxReach || s.line(s.binds[reach[0]].at) != 6001 {
		t.Errorf("%d bindings are looked at, the first in line %d", len(reach), s.line(s.binds[reach[0]].at))
	}
}
