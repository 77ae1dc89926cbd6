package archtest

import (
	"go/build"
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
	ctx.GOOS, ctx.GOARCH, ctx.CgoEnabled, ctx.BuildTags = "linux", "amd64", false, []string{"scanworker"}
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
