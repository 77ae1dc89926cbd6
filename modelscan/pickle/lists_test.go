package pickle

import (
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/rule"
)

// TestGeneratedListsAreNotDangerous: a name on an allow list is not looked up among the dangerous ones, so
// what a script listed must not be there. The lists written by hand make their exceptions on purpose.
func TestGeneratedListsAreNotDangerous(t *testing.T) {
	files, err := lists.ReadDir("lists")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), "class_") && !strings.HasPrefix(f.Name(), "func_") {
			continue
		}
		text, err := lists.ReadFile("lists/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			head, names, ok := strings.Cut(line, ":")
			_, module, ok2 := strings.Cut(head, " ")
			if line[0] == '#' || !ok || !ok2 {
				continue
			}
			for _, name := range strings.Fields(names) {
				if id := load().danger(module, name); id != "" && !load().coarse(module, name) {
					t.Errorf("%s: %s %s is on the list of %s", f.Name(), module, name, id)
				}
			}
		}
	}
}

// TestLookup: exact names only, and every spelling of a dangerous thing.
func TestLookup(t *testing.T) {
	cases := []struct {
		module, name string
		verdict      verdict
		rule         rule.ID
	}{
		{"collections", "OrderedDict", allowed, ""},
		{"collections", "OrderedDict.fromkeys", allowed, ""},
		{"collections", "OrderedDict.__subclasses__", dangerous, rule.PickleIntrospection},
		{"collections", "ordereddict", unknown, ""},
		{"torch._utils", "_rebuild_tensor_v2", allowed, ""},
		{"torch._utils", "_rebuild_tensor_v9", unknown, ""},
		{"torch", "load", dangerous, rule.PickleCodeExecution},
		{"torch", "serialization.os.system", dangerous, rule.PickleOsSystem},
		{"os", "system", dangerous, rule.PickleOsSystem},
		{"os", "path.os.system", dangerous, rule.PickleOsSystem},
		{"os", "listdir", dangerous, rule.PickleSystemAccess},
		{"os", "stat_result", allowed, ""},
		{"random", "_os.system", dangerous, rule.PickleOsSystem},
		{"pathlib", "os.system", dangerous, rule.PickleOsSystem},
		{"random", "_os", dangerous, rule.PickleSystemAccess},
		{"commands", "getoutput", dangerous, rule.PickleOsSystem},
		{"__builtin__", "eval", dangerous, rule.PickleCodeExecution},
		{"__builtin__", "set", allowed, ""},
		{"__builtin__", "xrange", allowed, ""},
		{"copy_reg", "_reconstructor", allowed, ""},
		{"exceptions", "ValueError", allowed, ""},
		{"itertools", "izip", allowed, ""},
		{"anything.at.all", "Popen", dangerous, rule.PickleOsSystem},
		{"anything", "thing", unknown, ""},
		{"codecs", "open", dangerous, rule.PickleSystemAccess},
		{"numpy", "memmap", dangerous, rule.PickleSystemAccess},
		{"numpy", "savetxt", dangerous, rule.PickleSystemAccess},
		{"numpy", "load", dangerous, rule.PickleCodeExecution},
		{"numpy.lib.npyio", "loadtxt", dangerous, rule.PickleSystemAccess},
		{"numpy.lib.npyio", "load", dangerous, rule.PickleCodeExecution},
		{"numpy.lib._datasource", "DataSource.open", dangerous, rule.PickleSystemAccess},
		{"logging", "FileHandler", dangerous, rule.PickleSystemAccess},
		{"logging.config", "dictConfig", dangerous, rule.PickleCodeExecution},
		{"omegaconf", "OmegaConf.load", dangerous, rule.PickleSystemAccess},
		{"omegaconf.omegaconf", "OmegaConf.save", dangerous, rule.PickleSystemAccess},
		{"builtins", "quit", dangerous, rule.PickleSystemAccess},
		{"importlib.resources", "files", dangerous, rule.PickleSystemAccess},
		{"importlib.resources.abc", "Traversable", dangerous, rule.PickleSystemAccess},
		{"importlib", "import_module", dangerous, rule.PickleCodeExecution},
		{"torch", "compile", dangerous, rule.PickleCodeExecution},
		{"torch.serialization", "save", dangerous, rule.PickleSystemAccess},
		{"torch.hub", "download_url_to_file", dangerous, rule.PickleSystemAccess},
		{"torch.hub", "load", dangerous, rule.PickleCodeExecution},
		{"idlelib.run", "Executive.runcode", dangerous, rule.PickleCodeExecution},
		{"asyncio.unix_events", "_UnixSubprocessTransport._start", dangerous, rule.PickleOsSystem},
		{"numpy.f2py.crackfortran", "getlincoef", dangerous, rule.PickleOsSystem},
		{"sklearn.linear_model.logistic", "LogisticRegression", allowed, ""},
		{"sklearn.linear_model.logistic", "logistic_regression", unknown, ""},
		{"__torch__.mymodel.Net", "Net", allowed, ""},
		{"__torch__evil", "Net", unknown, ""},
	}
	for _, c := range cases {
		e := load().lookup(c.module, c.name)
		if e.verdict != c.verdict || e.rule != c.rule {
			t.Errorf("%s %s: got %d %s, want %d %s", c.module, c.name, e.verdict, e.rule, c.verdict, c.rule)
		}
	}
}

// TestEveryLine: each line of the lists can be read, and every check that one names exists.
func TestEveryLine(t *testing.T) {
	tables := readLists()
	if len(tables.packages) < 200 {
		t.Errorf("only %d packages", len(tables.packages))
	}
	for top := range tables.packages {
		p := tables.of(top)
		if len(p.allow)+len(p.patterns)+len(p.dangers)+len(p.trees) == 0 && p.all.verdict == unknown {
			t.Errorf("nothing is said of %s", top)
		}
	}
}
