package pyparse

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
)

// python.wasm was built from what is here: after a change of that, run wasm/build.sh and write down the new
// sums. `make wasm-check` builds it anew and compares.
func TestWasmIsCurrent(t *testing.T) {
	read := func(path string) []byte {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	inputs := sha256.New()
	for _, path := range []string{"flatten.c", "flatten.h", "wasm/build.sh"} {
		inputs.Write(read(path))
	}
	for line := range strings.Lines(string(read("../../go.sum"))) {
		if strings.HasPrefix(line, "github.com/tree-sitter/go-tree-sitter v") || strings.HasPrefix(line, "github.com/tree-sitter/tree-sitter-python v") {
			inputs.Write([]byte(line))
		}
	}
	got := fmt.Sprintf("inputs %x\npython.wasm %x\n", inputs.Sum(nil), sha256.Sum256(read("wasm/python.wasm")))
	if want := string(read("wasm/sums.txt")); got != want {
		t.Errorf("wasm/sums.txt is\n%swant\n%s", want, got)
	}
}
