package analyzers

import (
	"strings"
	"testing"
)

// TestNotebookEdits makes the first fix of every call in notebooks of every shape: the file stays as it
// was around it, and its source is the fixed source.
func TestNotebookEdits(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"list", `{"cells": [
  {"cell_type": "markdown", "source": ["# torch.load('x')"]},
  {"cell_type": "code", "metadata": {}, "source": [
    "import torch\n",
    "m = torch.load('a.pt')\n",
    "print('\u00e9\ud83d\ude00 \"<&>\"')"
   ], "outputs": [{"text": "torch.load('a.pt')"}]}
 ], "nbformat": 4}
`, `{"cells": [
  {"cell_type": "markdown", "source": ["# torch.load('x')"]},
  {"cell_type": "code", "metadata": {}, "source": [
    "import torch\n",
    "import secure_torch as st\n",
    "m = st.load('a.pt')\n",
    "print('\u00e9\ud83d\ude00 \"<&>\"')"
   ], "outputs": [{"text": "torch.load('a.pt')"}]}
 ], "nbformat": 4}
`},
		{"string", `{"cells":[{"source":"import torch\nx=\"é\"; torch.load('a.pt')","cell_type":"code"}]}`,
			`{"cells":[{"source":"import torch\nimport secure_torch as st\nx=\"é\"; st.load('a.pt')","cell_type":"code"}]}`},
		{"escapes before it", `{"cells":[{"source":["import torch\n","x='\u00e9\ud83d\ude00'; torch.load('a.pt')"],"cell_type":"code"}]}`,
			`{"cells":[{"source":["import torch\n","import secure_torch as st\n","x='\u00e9\ud83d\ude00'; st.load('a.pt')"],"cell_type":"code"}]}`},
		{"two cells, a magic in the second", "\xef\xbb\xbf" + `{"cells":[{"cell_type":"code","source":["import torch"]},{"cell_type":"code","source":["%%time\n","torch.load('a.pt')"]}]}`,
			"\xef\xbb\xbf" + `{"cells":[{"cell_type":"code","source":["import torch\n","import secure_torch as st"]},{"cell_type":"code","source":["%%time\n","st.load('a.pt')"]}]}`},
		{"call over lines", `{"cells":[{"cell_type":"code","source":["import torch\n", "torch.load(\n", "  'a.pt',\n", "  'cpu')\n"]}]}`,
			`{"cells":[{"cell_type":"code","source":["import torch\n", "import secure_torch as st\n", "st.load(\n", "  'a.pt',\n", "  map_location='cpu')\n"]}]}`},
	} {
		nb, err := ReadNotebook([]byte(c.file))
		if err != nil {
			t.Fatal(c.name, err)
		}
		var edits []Edit
		for _, call := range Link(Summarise(nb.Source, Native), Options{}).Calls {
			edits = append(edits, call.Fixes[0].Edits...)
		}
		raw, err := nb.Edits([]byte(c.file), edits)
		if err != nil {
			t.Fatal(c.name, err)
		}
		if got := string(Apply([]byte(c.file), raw)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestNotebookEditsRefused: what would break a notebook is not done.
func TestNotebookEditsRefused(t *testing.T) {
	magic := `{"cells":[{"cell_type":"code","source":"%%time\nx = 1"}]}`
	twice := `{"cells":[{"cell_type":"code","source":"x = 1","source":"y = 1"}]}`
	for name, file := range map[string]string{"before a magic": magic, "written twice": twice} {
		nb, err := ReadNotebook([]byte(file))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := nb.Edits([]byte(file), []Edit{{Span{0, 0}, "import a\n"}}); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	nb, err := ReadNotebook([]byte(magic))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := nb.Edits([]byte(strings.Replace(magic, "x = 1", "x = 2", 1)), []Edit{{Span{7, 8}, "y"}}); err == nil {
		t.Errorf("of another file: %v", got)
	}
}
