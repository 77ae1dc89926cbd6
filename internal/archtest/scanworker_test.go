package archtest

import (
	"go/build"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notInScanWorker is what the scan role's own executable must never link: what the other commands need,
// whose initialisation every worker would pay for, and C.
var notInScanWorker = []string{
	module + "/trust", module + "/analyzers", module + "/lsp", module + "/cmd", module + "/internal/engine",
	module + "/internal/workspace", module + "/internal/config", "github.com/sigstore", "github.com/open-policy-agent",
	"github.com/tree-sitter", "github.com/tetratelabs/wazero", "github.com/spf13", "go.lsp.dev", "net", "C",
}

// TestScanWorkerIsSmall follows the imports of the scan role's executable through this module.
func TestScanWorkerIsSmall(t *testing.T) {
	ctx := build.Default
	ctx.GOOS, ctx.GOARCH, ctx.CgoEnabled, ctx.BuildTags = "linux", "amd64", false, []string{"scanworker", "noasm", "nounsafe"}
	seen := map[string]bool{}
	var follow func(path, from string)
	follow = func(path, from string) {
		for _, not := range notInScanWorker {
			if within(path, not) && !slices.Contains(pure, path) {
				t.Errorf("%s imports %s: not in the scan role's executable", from, path)
			}
		}
		rest, ours := strings.CutPrefix(path, module+"/")
		if !ours || seen[path] {
			return
		}
		seen[path] = true
		p, err := ctx.ImportDir("../../"+rest, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range p.Imports {
			follow(imported, path)
		}
	}
	follow(module+"/internal/worker/guest", "the build")
	if len(seen) < 30 || !seen[module+"/modelscan/formats"] {
		t.Errorf("only %d packages found: looking in the wrong place", len(seen))
	}
}

// TestScanWorkerIsMemorySafe: whoever builds what parses model files leaves the assembly and the unsafe code of its
// decompressors out.
func TestScanWorkerIsMemorySafe(t *testing.T) {
	tag := regexp.MustCompile(`["' ]scanworker\b[^\n]*`)
	for name, want := range map[string]int{"Makefile": 1, "hatch_build.py": 1, "scripts/release.sh": 1, "editors/vscode/package.mjs": 1, "Dockerfile": 1} {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		builds := tag.FindAllString(string(text), -1)
		for _, b := range builds {
			if !strings.Contains(b, "noasm") || !strings.Contains(b, "nounsafe") {
				t.Errorf("%s: %s", name, b)
			}
		}
		if len(builds) != want {
			t.Errorf("%s builds it %d times, want %d: looking for the wrong text", name, len(builds), want)
		}
	}
}
