package archtest

import (
	"slices"
	"strings"
	"testing"
)

// A restriction says who may import something. IT IS A STATEMENT OF POLICY: a change here needs a
// reason that docs/ARCHITECTURE.md gives too. Do not change this data to mend a build.
type restriction struct {
	what []string // import paths; what is below them is meant too
	only []string // folders that may import them, with what is below
	why  string
}

var onlyImporters = []restriction{
	{[]string{"go.lsp.dev"}, []string{"lsp"}, "only lsp knows LSP"},
	{[]string{"github.com/sigstore", "github.com/open-policy-agent"}, []string{"trust"}, "only trust judges signatures and policies"},
	{[]string{"os/exec"}, []string{"sandbox"}, "only sandbox executes programs"},
	{[]string{"golang.org/x/sys/unix"}, []string{"sandbox", "internal/artifact"}, "only sandbox makes raw system calls; artifact needs O_NOFOLLOW, ctime and flock"},
	{[]string{"golang.org/x/sys/windows"}, []string{"sandbox", "internal/artifact"}, "as x/sys/unix"},
	{[]string{"github.com/seccomp", "github.com/elastic/go-seccomp-bpf", "github.com/landlock-lsm"}, []string{"sandbox"}, "only sandbox confines"},
	{[]string{"net/http", "net"}, []string{"internal/artifact/remote", "trust"}, "only these open a connection"},
	{[]string{"github.com/tree-sitter"}, []string{"analyzers"}, "only analyzers parses Python"},
	{[]string{"github.com/spf13"}, []string{"cmd"}, "only cmd knows the command line"},
	{[]string{"unsafe"}, []string{"sandbox", "internal/artifact", "analyzers/pyparse"}, "nobody else needs it"},
	{[]string{"C"}, []string{"sandbox", "analyzers/pyparse"}, "cgo only for a kernel interface and the Python grammar"},
	{[]string{"text/template", "html/template"}, nil, "templates call methods by name: the linker then keeps every exported method of the program, 7 MB"},
	{[]string{module + "/modelscan/formats"}, []string{"internal/worker", "internal/repo", "internal/modeltest"}, "model bytes are parsed in the worker"},
	{[]string{module + "/trust"}, []string{"trust", "internal/worker", "cmd"}, "trust's parsers run in their worker"},
	{[]string{module + "/cmd"}, []string{"cmd"}, "nothing imports the command"},
	{[]string{module + "/internal/worker"}, []string{"cmd"}, "the workers' main is started by the command alone"},
	{[]string{module + "/internal/modeltest"}, []string{"internal/modeltest"}, "recipes are for tests and for the sample project"},
}

// A layer says what a folder may not import.
type layer struct {
	folder string
	except []string // folders below it that are exempt
	not    []string // import paths; what is below them is meant too
	why    string
}

var layers = []layer{
	{"modelscan", []string{"modelscan/scantest"}, []string{"os", "net", "syscall", "plugin", "io/ioutil", "path/filepath"}, "modelscan does no IO"},
	{"analyzers", nil, []string{"os", "net", "syscall", "plugin", "io/ioutil", "path/filepath"}, "analyzers does no IO"},
	{"trust", []string{"trust/tufroot", "trust/signtest", "trust/interop", "trust/govalidator"}, []string{"os", "net", "syscall", "path/filepath"}, "trust does no IO: it runs in its worker"},
	{"internal/evidence", nil, []string{"os", "net", "syscall", module}, "evidence is values"},
	{"internal/ref", nil, []string{"os", "net", "syscall", module}, "ref is pure"},
	{"internal/rule", []string{"internal/rule/gen", "internal/rule/gendocs"}, []string{"os", "net", "syscall", module}, "rule is pure"},
	{"modelscan", nil, []string{module + "/analyzers", module + "/sandbox", module + "/lsp", module + "/trust", module + "/internal/engine", module + "/internal/artifact", module + "/internal/worker", module + "/internal/workspace", module + "/internal/report", module + "/internal/config"}, "modelscan stands below"},
	{"analyzers", nil, []string{module + "/modelscan", module + "/sandbox", module + "/lsp", module + "/trust", module + "/internal/engine", module + "/internal/artifact", module + "/internal/worker", module + "/internal/workspace", module + "/internal/report", module + "/internal/config"}, "analyzers stands below"},
	{"sandbox", nil, []string{module + "/modelscan", module + "/analyzers", module + "/lsp", module + "/trust", module + "/internal"}, "sandbox knows nothing of models"},
	{"internal/engine", nil, []string{module + "/modelscan/", module + "/trust", module + "/lsp", module + "/internal/worker", module + "/internal/repo"}, "the parent never parses model bytes"},
	{"internal/artifact", nil, []string{module + "/modelscan", module + "/analyzers", module + "/lsp", module + "/internal/engine"}, "artifact opens files and parses nothing"},
	{"lsp", nil, []string{module + "/modelscan/", module + "/trust", module + "/sandbox", module + "/internal/worker", "os/exec"}, "lsp speaks LSP and decides nothing"},
	{"internal/report", nil, []string{module + "/modelscan/", module + "/trust", module + "/lsp", module + "/sandbox", "os", "net"}, "report writes to what it is given"},
}

// pure packages stand below ones that do IO, and do none.
var pure = []string{"net/url", "net/netip"}

func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		for _, imported := range s.imports() {
			if slices.Contains(pure, imported) {
				continue
			}
			for _, r := range onlyImporters {
				if withinAny(imported, r.what) && !withinAny(s.dir, r.only) && !selfImport(s.dir, imported) {
					t.Errorf("%s imports %s: %s", s.path, imported, r.why)
				}
			}
			for _, l := range layers {
				if within(s.dir, l.folder) && !withinAny(s.dir, l.except) && forbidden(imported, l.not) {
					t.Errorf("%s imports %s: %s", s.path, imported, l.why)
				}
			}
		}
	}
}

// selfImport: a package below the restricted one may import its siblings.
func selfImport(dir, imported string) bool {
	rest, ok := strings.CutPrefix(imported, module+"/")
	return ok && within(dir, rest)
}

// forbidden: a path that ends in "/" forbids what is below it, and not the package itself.
func forbidden(imported string, not []string) bool {
	for _, p := range not {
		if below, ok := strings.CutSuffix(p, "/"); ok {
			if strings.HasPrefix(imported, below+"/") {
				return true
			}
		} else if within(imported, p) {
			return true
		}
	}
	return false
}

// TestPolicyBites makes sure that the tables are able to find something.
func TestPolicyBites(t *testing.T) {
	for _, c := range []struct {
		imported string
		not      []string
		want     bool
	}{
		{"os", []string{"os"}, true},
		{"os/exec", []string{"os"}, true},
		{"oscillate", []string{"os"}, false},
		{module + "/modelscan", []string{module + "/modelscan/"}, false},
		{module + "/modelscan/zip", []string{module + "/modelscan/"}, true},
	} {
		if got := forbidden(c.imported, c.not); got != c.want {
			t.Errorf("forbidden(%q, %q) = %v", c.imported, c.not, got)
		}
	}
}
