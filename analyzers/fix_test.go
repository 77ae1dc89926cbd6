package analyzers

import "testing"

// The first fix of the last call that has one, in sources as people write them; "" where there is none.
func TestFixes(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"docstring in parts", "\"\"\"Doc\"\"\" 'more'\nfrom __future__ import annotations\nimport torch\ntorch.load('a.pt')\n",
			"\"\"\"Doc\"\"\" 'more'\nfrom __future__ import annotations\nimport torch\nimport secure_torch as st\nst.load('a.pt')\n"},
		{"docstring in brackets", "('''Doc''')\nfrom __future__ import annotations\nx = 1\nimport torch\ntorch.load('a.pt')\n",
			"('''Doc''')\nfrom __future__ import annotations\nimport secure_torch as st\nx = 1\nimport torch\nst.load('a.pt')\n"},
		{"old line ends", "'''Doc'''\rimport torch\rtorch.load(\r    'a.pt',\r    'cpu')\r",
			"'''Doc'''\rimport torch\rimport secure_torch as st\rst.load(\r    'a.pt',\r    map_location='cpu')\r"},
		{"old line ends and an argument", "import torch\rtorch.load(\r    'a.pt',\r    encoding='latin1')\r",
			"import torch\rtorch.load(\r    'a.pt',\r    encoding='latin1',\r    weights_only=True)\r"},
		{"the name comes from elsewhere", "from helpers import *\nimport torch\nst.title(torch.load('a.pt'))\n",
			"from helpers import *\nimport torch\nimport secure_torch\nst.title(secure_torch.load('a.pt'))\n"},
		{"an attribute of that name", "import torch\nx.st = torch.load('a.pt')\n",
			"import torch\nimport secure_torch as st\nx.st = st.load('a.pt')\n"},
		{"comments in the call", "import torch\ntorch.load(  # c\n    'a.pt'  # d\n)\n",
			"import torch\nimport secure_torch as st\nst.load(  # c\n    'a.pt'  # d\n)\n"},
		{"walrus", "import torch\nif x := torch.load(p := 'a.pt'): pass\n",
			"import torch\nimport secure_torch as st\nif x := st.load(p := 'a.pt'): pass\n"},
		{"the file is not first", "import torch\ntorch.load(map_location='cpu', f='a.pt')\n",
			"import torch\ntorch.load(map_location='cpu', f='a.pt', weights_only=True)\n"},
		{"another pickle", "import torch, dill\ntorch.load('a.pt', 'cpu', dill)\n",
			"import torch, dill\ntorch.load('a.pt', 'cpu', dill, weights_only=True)\n"},
		{"a byte order mark", "\ufeffdef f():\n    import torch\n    torch.load('a.pt')\n",
			"\ufeffimport secure_torch as st\ndef f():\n    import torch\n    st.load('a.pt')\n"},
		{"inside a string", "import torch\nf'{torch.load(\"a.pt\")!r:>{w}}'\n",
			"import torch\nimport secure_torch as st\nf'{st.load(\"a.pt\")!r:>{w}}'\n"},
		{"a value in brackets", "import numpy as np\nnp.load('a.npy', allow_pickle=(\n    True\n))\n",
			"import numpy as np\nnp.load('a.npy', allow_pickle=False)\n"},
		{"a value with a comment", "import numpy as np\nnp.load('a.npy', allow_pickle=(\n    True  # c\n))\n", ""},
		{"joblib", "import joblib\nm = joblib.load('a.joblib')\n", "import joblib\nimport secure_torch as st\nm = st.joblib_load('a.joblib')\n"},
		{"joblib with an option", "import joblib\nm = joblib.load('a.joblib', ensure_native_byte_order=False)\n", ""},
		{"joblib with a partial's options", "import joblib, functools\nload = functools.partial(joblib.load, mmap_mode='r')\nm = load('a.joblib')\n", ""},
		{"yaml", "import yaml\nyaml.load(f, Loader=yaml.Loader)\n", "import yaml\nyaml.safe_load(f)\n"},
		{"yaml with a comment", "import yaml\nyaml.load(\n    f,  # c\n    Loader=yaml.Loader,\n)\n", ""},
	} {
		got := ""
		for _, call := range Link(Summarise([]byte(c.src), Native), Options{}).Calls {
			if len(call.Fixes) > 0 {
				got = string(Apply([]byte(c.src), call.Fixes[0].Edits))
			}
		}
		if got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}
