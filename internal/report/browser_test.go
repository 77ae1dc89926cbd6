package report_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/modelscan"
)

// TestHTMLInBrowser renders a page in a real browser, which SECURE_TORCH_BROWSER names (chromium): the browser
// applies the style, finds every name to be text, and has nothing to complain of.
func TestHTMLInBrowser(t *testing.T) {
	browser := os.Getenv("SECURE_TORCH_BROWSER")
	if browser == "" {
		t.Skip("SECURE_TORCH_BROWSER names no browser")
	}
	const hostile = `"><img src=x onerror=document.title=1><script>document.title=2</script>`
	run := &report.Run{Results: []report.Result{artifact("/models/"+hostile+".pt", func(r *modelscan.Report) {
		f := evilFinding
		f.Message = hostile
		r.Findings = []modelscan.Finding{f}
		for _, name := range []string{hostile, "b"} {
			r.Facts = append(r.Facts, modelscan.Fact{Kind: modelscan.TensorFact, Name: name, DType: "F32", Size: 100})
		}
	})}}
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte(htmlOf(t, run)), 0o600); err != nil {
		t.Fatal(err)
	}
	var problems strings.Builder
	cmd := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom", "file://"+path)
	cmd.Stderr = &problems
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, problems.String())
	}
	for _, want := range []string{"<title>secure-torch: NOT SAFE to load.</title>", "<rect ", "&lt;img src=x onerror="} {
		if !strings.Contains(string(dom), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"<img", "<script"} {
		if strings.Contains(string(dom), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if strings.Contains(problems.String(), "Content Security Policy") {
		t.Errorf("the policy was violated:\n%s", problems.String())
	}
}
