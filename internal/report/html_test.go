package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/modelscan"
)

func htmlOf(t *testing.T, run *report.Run) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.HTML(&out, run); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestHTML: every run makes a page that says its verdict, loads nothing and lets no name become markup.
func TestHTML(t *testing.T) {
	for name, run := range runs() {
		t.Run(name, func(t *testing.T) {
			page := htmlOf(t, run)
			if safe := strings.Contains(page, "<h1>safe to load"); safe != (run.Verdict() == modelscan.Safe && name != "picture") {
				t.Errorf("says safe: %v, verdict is %v", safe, run.Verdict())
			}
			for _, bad := range []string{"<script", "<link", "<img", "src=", "@import", "url(", "\x1b", "\u202e"} {
				if strings.Contains(page, bad) {
					t.Errorf("the page has %q", bad)
				}
			}
		})
	}
}

func TestHTMLStyleIsAllowed(t *testing.T) {
	page := htmlOf(t, runs()["evil"])
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	policy := regexp.MustCompile(`content="(default-src[^"]*)"`).FindStringSubmatch(page)
	if style == nil || policy == nil {
		t.Fatal("no style or no policy")
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	if got := html.UnescapeString(policy[1]); !strings.Contains(got, want) || !strings.Contains(got, "default-src 'none'") {
		t.Errorf("policy %q lacks %q", got, want)
	}
	if strings.Contains(page, ` style="`) {
		t.Error("a style attribute would be refused by the policy")
	}
}

func TestHTMLEscapes(t *testing.T) {
	r := artifact("/models/<b>x</b>.pt", func(r *modelscan.Report) {
		f := evilFinding
		f.Message = `would call <script>alert("1")</script>`
		r.Findings = []modelscan.Finding{f}
		r.Facts = []modelscan.Fact{{Kind: modelscan.TensorFact, Name: `"><script>`, DType: "F32", Size: 100}}
	})
	page := htmlOf(t, &report.Run{Results: []report.Result{r}})
	if strings.Contains(page, "<script") || strings.Contains(page, "<b>") || !strings.Contains(page, "&lt;script&gt;") {
		t.Error("a name became markup")
	}
}

// What must be acted on comes first; safe files are folded away where there are many.
func TestHTMLOrder(t *testing.T) {
	plain := func(*modelscan.Report) {}
	results := []report.Result{artifact("/m/a.pt", plain), artifact("/m/b.pt", plain), artifact("/m/c.pt", plain),
		artifact("/m/d.pt", func(r *modelscan.Report) { r.Findings = []modelscan.Finding{evilFinding} })}
	page := htmlOf(t, &report.Run{Results: results})
	if d, a := strings.Index(page, "/m/d.pt"), strings.Index(page, "/m/a.pt"); d < 0 || d > a {
		t.Error("the unsafe file does not come first")
	}
	if n := strings.Count(page, "<details>"); n != 3 || strings.Count(page, "</details>") != 3 {
		t.Errorf("%d files are folded away, want 3", n)
	}
	if page := htmlOf(t, &report.Run{Results: results[:1]}); !strings.Contains(page, `<details open="">`) {
		t.Error("the only file is folded away")
	}
}

func TestHTMLTreemap(t *testing.T) {
	r := artifact("/models/big.safetensors", func(r *modelscan.Report) {
		for i := range 500 {
			r.Facts = append(r.Facts, modelscan.Fact{Kind: modelscan.TensorFact, Name: fmt.Sprintf("layer.%d.weight", i), DType: "BF16", Shape: []int64{int64(i), 2}, Size: int64(i) * 4})
		}
		r.Facts = append(r.Facts, modelscan.Fact{Kind: modelscan.MetadataFact, Name: "format", Value: "pt"})
	})
	page := htmlOf(t, &report.Run{Results: []report.Result{r}})
	if n := strings.Count(page, "<rect"); n != 400 {
		t.Errorf("%d boxes", n)
	}
	for _, want := range []string{"499 tensors, 499.0 KB", "the 400 largest are drawn", "layer.499.weight BF16 [499 2]: 2.0 KB"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
}
