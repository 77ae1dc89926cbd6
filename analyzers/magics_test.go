package analyzers

import (
	"strings"
	"testing"
)

func TestMagics(t *testing.T) {
	for _, c := range []struct{ cell, want string }{
		{"%time torch.load('a.pt')", "0    ;torch.load('a.pt')"},
		{"%time x = f(1)\nx", "0    ;x = f(1)\nx"},
		{"%timeit -n 10 -r3 -q f(1)", "0                   ;f(1)"},
		{"%time", "#time"},
		{"x = %time f(1)", "x =       f(1)"},
		{"x = !ls *.pt", "x = 0#s *.pt"},
		{"a, b = %sx ls", "a, b = 0#x ls"},
		{"!pip install a \\\n  b \\\n  c\nf(1)", "#pip install a \\\n  # \\\n  #\nf(1)"},
		{"if a:\n    !pip install a\nelse:\n  %cd b", "if a:\n    0#ip install a\nelse:\n  0#d b"},
		{"torch.load?\r\n?torch\n??torch\ntorch.hub??\n%time?", "#orch.load?\r\n#torch\n#?torch\n#orch.hub??\n#time?"},
		{"print('%s'\n      % x)\nx = a\\\n % b", "print('%s'\n      % x)\nx = a\\\n % b"},
		{"f(a\n  != b)", "f(a\n  != b)"},
		{"f('a?')\nx = '!' # ?\nx == '%d'\nx %= 2\nf(a=1)", "f('a?')\nx = '!' # ?\nx == '%d'\nx %= 2\nf(a=1)"},
		{"%%time\nf(1)", "#%time\nf(1)"},
		{"\n%%capture out\nf(1)\n", "\n#%capture out\nf(1)\n"},
		{"%%bash\nf\n\n  g", "#%bash\n#\n\n  #"},
		{"%%python3\nf(1)", "#%python3\nf(1)"},
		{"x = 1 % 2\n", "x = 1 % 2\n"},
		{"%matplotlib inline\nx = 1\n", "#matplotlib inline\nx = 1\n"},
		{"%%bash\nrm x\n\necho\n", "#%bash\n#m x\n\n#cho\n"},
		{"%%writefile a.py\nimport torch", "#%writefile a.py\n#mport torch"},
		{"%%bash\né\n漢", "#%bash\n# \n#  "}, {"x = !é", "x = 0# "},
		{"%%html", "#%html"}, {"%%", "#%"}, {"!", "#"}, {"?", "#"}, {"", ""}, {"\n \n", "\n \n"}, {"  !", "  #"},
	} {
		got := string(Magics([]byte(c.cell)))
		if got != c.want {
			t.Errorf("%q:\n got %q\nwant %q", c.cell, got, c.want)
		}
	}
}

// What a magic runs is found, and can be mended, in a notebook.
func TestLoadInMagics(t *testing.T) {
	raw := `{"cells":[{"cell_type":"code","source":["!pip install torch\n","import torch\n","try:\n","    import x\n","except ImportError:\n","    !pip install x\n"]},
		{"cell_type":"code","source":"%time m = torch.load('a.pt')\nn = %time torch.load('b.pt')\n%timeit -n 3 torch.load('c.pt')\ntorch.load?"}]}`
	nb, err := ReadNotebook([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	s := Summarise(nb.Source, Native)
	if at, broken := s.Broken(); broken || !s.Whole() {
		t.Errorf("broken at %d: %q", at.Start, nb.Source)
	}
	calls := Link(s, Options{}).Calls
	var found []string
	for _, c := range calls {
		for _, r := range c.Refs {
			found = append(found, r.Value)
		}
	}
	if got := strings.Join(found, " "); got != "a.pt b.pt c.pt" {
		t.Fatal(got)
	}
	edits, err := nb.Edits([]byte(raw), calls[0].Fixes[0].Edits)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(Apply([]byte(raw), edits)); !strings.Contains(got, `"import torch\n","import secure_torch as st\n","try:\n"`) || !strings.Contains(got, `"%time m = st.load('a.pt')\n`) {
		t.Error(got)
	}
}
