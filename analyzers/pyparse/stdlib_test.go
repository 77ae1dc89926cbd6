package pyparse

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// callsOfStdlib prints the calls in the modules at the top of Python's own library, as CPython's parser
// places them. Files with other line ends than \n are left out: its columns would have to be counted anew.
const callsOfStdlib = `
import ast, glob, os, warnings
warnings.simplefilter("ignore")
for path in sorted(glob.glob(os.path.join(os.path.dirname(os.__file__), "*.py"))):
    source = open(path, "rb").read()
    if b"\r" in source or b"\f" in source or source.startswith(b"\xef\xbb\xbf"):
        continue
    try:
        source.decode("utf-8")
        tree = ast.parse(source)
    except (SyntaxError, UnicodeDecodeError):
        continue
    lines = [0]
    for line in source.split(b"\n"):
        lines.append(lines[-1] + len(line) + 1)
    print("file", path)
    for n in ast.walk(tree):
        if isinstance(n, ast.Call):
            print(lines[n.lineno - 1] + n.col_offset, lines[n.end_lineno - 1] + n.end_col_offset)
`

// TestSameCallsAsPython compares where calls begin and end with CPython's own parser.
func TestSameCallsAsPython(t *testing.T) {
	out, err := exec.Command("python3", "-c", callsOfStdlib).Output()
	if err != nil {
		t.Fatal(err)
	}
	files, calls := 0, 0
	for _, block := range bytes.Split(out, []byte("file "))[1:] {
		lines := strings.Split(strings.TrimSpace(string(block)), "\n")
		src, err := os.ReadFile(lines[0])
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, n := range Parse(src, Native).Nodes {
			if n.Kind == Call {
				got[strconv.Itoa(int(n.Start))+" "+strconv.Itoa(int(n.End))] = true
			}
		}
		for _, want := range lines[1:] {
			if !got[want] {
				t.Errorf("%s: no call at %s", lines[0], want)
			}
			delete(got, want)
		}
		for at := range got {
			t.Errorf("%s: a call at %s that is none", lines[0], at)
		}
		files, calls = files+1, calls+len(lines)-1
	}
	if files < 100 || calls < 10_000 {
		t.Errorf("only %d files with %d calls were compared", files, calls)
	}
}
