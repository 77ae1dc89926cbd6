package pickle

import (
	"strings"
	"testing"
)

// TestPlainProgram: what torch.fx's generator writes passes; whatever would get at more than tensors doesn't.
func TestPlainProgram(t *testing.T) {
	const imports = "import torch\nfrom torch import device\nfrom builtins import getattr as getattr\nfrom _operator import add as _operator_add\nimport operator\n"
	for _, code := range []string{
		"return x", "y = self.a.b(x);  x = None\n return y", "y = x.view(x.size(0), -1)[(slice(None, None, None), None)]", "a = b = None",
		"y = torch.nn.functional.relu(x, inplace = False)", "y = torch.ops.aten.add.Tensor(x, 1e-05)", "y = getattr(self.l, '0')(x)", "y = x @ x * -2",
		"y = _operator_add(x, 1) if x is not None else None", "y = torch.zeros(3, device = device(type='cpu'), dtype = torch.float32)  # a comment", "y = max(x, 2)",
	} {
		if text := imports + "torch.fx.wrap('len')\ndef forward(self, x : torch.Tensor, *args) -> torch.Tensor:\n " + code; !plainProgram(load(), text) {
			t.Errorf("%s: refused", code)
		}
	}
	for _, code := range []string{
		"y = open('x')", "y = torch.load('x')", "y = torch.os.system('x')", "t = torch\n t.os.system('x')", "y = torch\\\n .load('x')", "y = (torch\n .load('x'))", "y = exec",
		"y = x.__class__", "y = getattr(x, '__class__')", "y = getattr(x, '_' + '_class__')", "y = getattr(x, '_' '_class_' '_')", "g = getattr\n y = g(x, x)", "getattr = x",
		"y = getattr(torch.relu, f'x')", "import os", "y = 1; import os", "y = lambda: 1", "y = x.numpy()", "self.to_folder('x')", "y = torch.from_file('x')", "y = torch.ops.aten.from_file('x')",
		"torch.relu = x", "y = torch.nn.functional.importlib", "y = '\\x5f'", "# a\ry = open('x')", "y = typing.sys", "y = torch.ops.load_library('x')", "class A: pass", "y = `x`",
		"y = x\ndef g(self): pass", "y = x\nfrom builtins import getattr as g", "y = x\nopen('x')", "é = 1", strings.Repeat("y = x;", 300),
	} {
		if text := imports + "def forward(self, x):\n " + code; plainProgram(load(), text) {
			t.Errorf("%s: passed", code)
		}
	}
	for _, text := range []string{
		"import os\n", "from os import system\n", "import torch as x, os\n", "from torch import hub\n", "from torch import *\n", "def f(self, getattr=getattr):\n return 1\n",
		"from operator import add as f\nfrom builtins import getattr as f\n", " import torch\n", "from torch.utils._pytree import os\n", "from operator import attrgetter\n", "import typing as t\ndef f(self, x):\n y = t.sys\n",
	} {
		if plainProgram(load(), text) {
			t.Errorf("%q passed", text)
		}
	}
}
