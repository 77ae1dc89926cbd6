package workspace

import (
	"path/filepath"
	"testing"

	"github.com/secure-torch/secure-torch/analyzers"
)

// A loader that another file passes on is one under every name that it gets there, and a file which has nothing but such
// a name is looked at.
func TestPassedOn(t *testing.T) {
	files := map[string]string{
		"pkg/__init__.py": "from .io import *\nfrom .io import torch, plain\n",
		"pkg/io.py": "import torch\nimport joblib as jl\ntry:\n    from cPickle import load as unpickle\nexcept ImportError:\n    from pickle import load as unpickle\n" +
			"from torch import load, save as plain\nread = torch.load\nout = torch.save\ndef own(p):\n    return torch.load(p)\ndef load_checkpoint(p):\n    return own(p)\n",
		"pkg/compat.py":       "from torch import (\n    load as relay,\n    save,\n)\n",
		"pkg/sub/__init__.py": "",
		"other.py":            "import json\nfrom json import load\n",
	}
	for src, want := range map[string]string{
		"from ..io import read\nread('a.pt')\n":                     "path:a.pt:exact",
		"from ..io import load\nload('a.pt')\n":                     "path:a.pt:exact",
		"from ..io import unpickle\nunpickle(open('a.pkl','rb'))\n": "path:a.pkl:exact",
		"from .. import io\nio.read('a.pt')\n":                      "path:a.pt:exact",
		"from ..io import jl\njl.load('a.jl')\n":                    "path:a.jl:exact",
		"from .. import read\nread('a.pt')\n":                       "path:a.pt:exact",
		"from .. import torch as t\nt.load('a.pt')\n":               "path:a.pt:exact",
		"from pkg.io import *\nread('a.pt')\n":                      "path:a.pt:exact",
		"import pkg.io as x\nx.read('a.pt')\n":                      "path:a.pt:exact",
		"import pkg.io\npkg.io.torch.load('a.pt')\n":                "path:a.pt:exact",
		"from ..compat import relay\nrelay('a.pt')\n":               "path:a.pt:exact",
		"from ..io import own\nown('a.pt')\n":                       "",
		"from ..io import out\nout('a.pt')\n":                       "",
		"from .. import plain\nplain('a.pt')\n":                     "",
		"from other import load\nload('a.pt')\n":                    "",
		"from ..io import load_checkpoint as load\nload('a.pt')\n":  "",
		"from ..io import read\ndef read(x): ...\nread('a.pt')\n":   "",
		"from ..nothing import read\nread('a.pt')\n":                "",
	} {
		files["pkg/sub/m.py"] = src
		if got := refs(t, files, "pkg/sub/m.py"); got != want {
			t.Errorf("%q: %q, not %q", src, got, want)
		}
	}
}

func TestRelevantByOthers(t *testing.T) {
	files := map[string]string{"io.py": "import torch\nfrom pickle import load\nread = torch.load\n", "json_io.py": "from json import load\n"}
	root := tree(t, files)
	ws := New([]string{root}, analyzers.Native)
	look := func(src string) bool { return ws.Relevant(analyzers.SkimSource([]byte(src), nil)) }
	if look("from io import read\nread(x)\n") {
		t.Error("relevant before any file was added")
	}
	for name, src := range files {
		ws.Add(filepath.Join(root, name), analyzers.SkimSource([]byte(src), nil))
	}
	for src, want := range map[string]bool{
		"from io import read\nread(x)\n":   true,
		"from .io import load\nload(x)\n":  true,
		"load(x)\n":                        false,
		"x.load(y)\n":                      false,
		"from io import other\nother(x)\n": false,
	} {
		if look(src) != want {
			t.Errorf("%q: relevant %v", src, !want)
		}
	}
	ws.Add(filepath.Join(root, "io.py"), analyzers.SkimSource([]byte("import torch\n"), nil))
	if look("from io import read\nread(x)\n") || look("from .io import load\nload(x)\n") {
		t.Error("relevant after the file no longer passes anything on")
	}
}

// A module of a library with a hub of its own imports its classes relatively.
func TestOtherHub(t *testing.T) {
	files := map[string]string{
		"ppdiffusers/__init__.py":        "",
		"ppdiffusers/models/__init__.py": "from .unet import UNet\n",
		"ppdiffusers/models/unet.py":     "class UNet:\n    pass\n",
		"ppdiffusers/scripts.py":         "from .models import UNet\nUNet.from_pretrained('o/m')\n",
		"mine/__init__.py":               "",
		"mine/unet.py":                   "class UNet:\n    pass\n",
		"mine/scripts.py":                "from .unet import UNet\nUNet.from_pretrained('o/m')\n",
	}
	for name, want := range map[string]string{"ppdiffusers/scripts.py": "url:https://bj.bcebos.com/paddlenlp/models/community/o/m:exact", "mine/scripts.py": "hub:o/m:exact"} {
		if got := refs(t, files, name); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
}
