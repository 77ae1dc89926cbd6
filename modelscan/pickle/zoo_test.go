package pickle_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/modelscan"
)

// slips are calls that are put into benign pickles: dangerous ones, and ones that no list names.
var slips = []string{
	"cposix\nsystem\n(S'echo pwned'\ntR", "cos\npopen\n(S'echo pwned'\ntR", "csubprocess\nPopen\n(S'echo pwned'\ntR", "cbuiltins\nexec\n(S'pass'\ntR", "c__builtin__\neval\n(S'1'\ntR",
	"cimportlib\nimport_module\n(S'os'\ntR", "cshutil\nrmtree\n(S'/tmp/x'\ntR", "crunpy\nrun_path\n(S'/tmp/x'\ntR", "cwebbrowser\nopen\n(S'http://x'\ntR", "cpandas\nread_csv\n(S'http://x'\ntR",
	"cnumpy\nloadtxt\n(S'/tmp/x'\ntR", "ctorch.hub\nload\n(S'a/b'\ntR", "csklearn.datasets\nfetch_openml\n(S'x'\ntR", "cmy.own\nrun\n(S'x'\ntR", "(S'echo pwned'\nios\nsystem\n", "(csubprocess\ncall\nS'x'\no",
	"ctimeit\ntimeit\n(S'pass'\ntR", "csome_package.tasks\ndispatch\n(I1\ntR", "ctextwrap\nshorten\n(S'x'\nI1\ntR", "cnumpy\nlog\n(I1\ntR",
}

// twin is a pickle with one of the calls slipped in behind PROTO, its result dropped.
func twin(data []byte, r *rand.Rand) []byte {
	at := 0
	if data[0] == 0x80 {
		at = 2
	}
	return slip(data, at, slips[r.IntN(len(slips))])
}

func slip(data []byte, at int, call string) []byte {
	return bytes.Join([][]byte{data[:at], []byte(call + "0"), data[at:]}, nil)
}

// TestZoo makes benign pickles with the libraries that a Python has and holds the verdicts to figures: none
// unsafe, at most 2 % not safe, at least 99 % of the twins flagged. Plain python3 gives the standard library (and
// NumPy where it is there); SECURE_TORCH_ZOO_PYTHON names a Python with more libraries, SECURE_TORCH_ZOO a folder
// of pickles to scan in place of making any.
func TestZoo(t *testing.T) {
	dir := os.Getenv("SECURE_TORCH_ZOO")
	if dir == "" {
		dir = makeZoo(t)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.pkl"))
	if err != nil || len(paths) < 50 {
		t.Fatalf("%d files in the zoo: %v", len(paths), err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	safe, flagged := 0, 0
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		report := scan(t, data)
		switch name := filepath.Base(path); report.Verdict() {
		case modelscan.Safe:
			safe++
		case modelscan.Unsafe:
			t.Errorf("%s is called unsafe: %+v", name, report.Findings)
		default:
			t.Logf("%s: %s %+v %+v", name, report.Verdict(), report.Findings, report.Gaps)
		}
		switch twin := scan(t, twin(data, r)); twin.Verdict() {
		case modelscan.Unsafe, modelscan.Review:
			flagged++
		default:
			t.Logf("twin of %s: %s %+v", filepath.Base(path), twin.Verdict(), twin.Gaps)
		}
	}
	t.Logf("%d files: %d safe; %d twins flagged", len(paths), safe, flagged)
	if safe*100 < len(paths)*98 {
		t.Errorf("only %d of %d are safe", safe, len(paths))
	}
	if flagged*100 < len(paths)*99 {
		t.Errorf("only %d of %d twins are flagged", flagged, len(paths))
	}
}

func makeZoo(t *testing.T) string {
	t.Helper()
	python, groups := os.Getenv("SECURE_TORCH_ZOO_PYTHON"), []string(nil)
	if python == "" {
		found, err := exec.LookPath("python3")
		if err != nil {
			t.Skip("no python3")
		}
		python, groups = found, []string{"stdlib", "numpy"}
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), python, append([]string{"testdata/zoo.py", dir}, groups...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, strings.TrimSpace(string(out)))
	}
	return dir
}
