package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/report"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

var update = flag.Bool("update", false, "write the golden files")

func artifact(path string, fill func(*modelscan.Report)) report.Result {
	r := &modelscan.Report{Artifact: filepath.Base(path), Kind: modelscan.KindModel, Formats: []string{"torch-zip", "pickle"}, Coverage: modelscan.Coverage{Mode: "full", Sources: 1}}
	fill(r)
	return report.Result{Artifact: &engine.Artifact{
		Path: path, Report: r, Size: 1234, Duration: 1500 * time.Microsecond,
		Sandbox: engine.Sandbox{Grade: "strict", Layers: []string{"landlock", "seccomp"}},
	}}
}

var evilFinding = modelscan.Finding{
	Rule: rule.PickleOsSystem, Path: "evil.pt!archive/data.pkl", Offset: 0x21,
	Subject: "posix.system", Message: "would call posix.system('echo pwned') on load",
}

func evil() report.Result {
	return artifact("/models/evil.pt", func(r *modelscan.Report) { r.Findings = []modelscan.Finding{evilFinding} })
}

func good() report.Result { return artifact("/models/good.pt", func(*modelscan.Report) {}) }

func runs() map[string]*report.Run {
	torn := artifact("/models/torn.pt", func(r *modelscan.Report) {
		r.Gaps = []modelscan.Gap{{Rule: rule.Malformed, Path: "torn.pt", Offset: 0x400, Reason: "zip: no end of central directory"}}
		r.Coverage.Notes = []string{"a", "b", "c", "d", "e"}
	})
	missing := artifact("/models/missing.pt", func(r *modelscan.Report) {
		r.Kind, r.Formats, r.Failure = "", nil, "open /models/missing.pt: no such file or directory"
	})
	picture := artifact("/models/a.png", func(r *modelscan.Report) { r.Kind, r.Formats = modelscan.KindOther, []string{"png"} })
	hostile := artifact("/models/\xffevil\u202etp.\x1b[31m", func(r *modelscan.Report) {
		f := evilFinding
		f.Path, f.Subject, f.Message = r.Artifact+"!\x1b]0;x\a", "a\nb", "would call a\nVerdict: safe to load"
		r.Findings = []modelscan.Finding{f}
	})
	suppressed := good()
	suppressed.Suppressed = []report.Suppressed{{Finding: evilFinding, Reason: "accepted by the team"}}
	off := evil()
	off.Sandbox = engine.Sandbox{Grade: "off"}
	limited := good()
	limited.Sandbox = engine.Sandbox{Grade: "process", Layers: []string{"dumpable", "rlimits", "nonewprivs", "landlock"}, Missing: map[string]string{"seccomp": "operation not permitted"}}
	return map[string]*report.Run{
		"evil":       {Version: "1.0.0", Results: []report.Result{evil()}},
		"good":       {Version: "1.0.0", Results: []report.Result{good()}},
		"torn":       {Version: "1.0.0", Results: []report.Result{torn}},
		"missing":    {Version: "1.0.0", Results: []report.Result{missing}},
		"many":       {Version: "1.0.0", Results: []report.Result{good(), evil(), torn, picture, missing}},
		"picture":    {Version: "1.0.0", Results: []report.Result{picture}},
		"others":     {Version: "1.0.0", Results: []report.Result{picture, good()}},
		"hostile":    {Version: "1.0.0", Results: []report.Result{hostile}},
		"suppressed": {Version: "1.0.0", Results: []report.Result{suppressed}},
		"unconfined": {Version: "1.0.0", Results: []report.Result{off}},
		"limited":    {Version: "1.0.0", Results: []report.Result{limited}},
		"weakest":    {Version: "1.0.0", Results: []report.Result{limited, good(), off}},
		"nothing":    {Version: "1.0.0"},
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestText(t *testing.T) {
	for name, run := range runs() {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := report.Text(&out, run, report.Palette{}); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", out.Bytes())
			safe := strings.Contains("\n"+out.String(), "\nVerdict: safe to load")
			if safe != (run.Verdict() == modelscan.Safe && name != "picture") {
				t.Errorf("says safe: %v, verdict is %v", safe, run.Verdict())
			}
			if bytes.ContainsAny(out.Bytes(), "\x1b\a\xff\u202e") {
				t.Error("a control character came through")
			}
		})
	}
}

func TestColors(t *testing.T) {
	var out bytes.Buffer
	if err := report.Text(&out, runs()["evil"], report.Palette{On: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "\x1b[1;31m✗ CRITICAL\x1b[0m pickle-os-system ST201") {
		t.Errorf("no colour in %q", out.String())
	}
}

func TestJSON(t *testing.T) {
	for name, run := range runs() {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := report.JSON(&out, run); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", out.Bytes())
			if !json.Valid(out.Bytes()) || strings.Contains(out.String(), "null") {
				t.Error("invalid, or has a null where a list is meant")
			}
		})
	}
}

func TestSARIF(t *testing.T) {
	for name, run := range runs() {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := report.SARIF(&out, run); err != nil {
				t.Fatal(err)
			}
			var log struct {
				Runs []struct {
					Tool struct {
						Driver struct{ Rules []struct{ ID string } }
					}
					Invocations []struct{ ExecutionSuccessful bool }
					Results     []map[string]any
				}
			}
			if err := json.Unmarshal(out.Bytes(), &log); err != nil {
				t.Fatal(err)
			}
			if len(log.Runs) != 1 || len(log.Runs[0].Tool.Driver.Rules) != len(rule.All()) {
				t.Error("not one run with all the rules")
			}
			for _, res := range log.Runs[0].Results {
				index := int(res["ruleIndex"].(float64))
				if id := log.Runs[0].Tool.Driver.Rules[index].ID; id != res["ruleId"] {
					t.Errorf("ruleIndex %d is %s, not %s", index, id, res["ruleId"])
				}
				delete(res, "ruleIndex") // it moves with every new rule
			}
			results, err := json.MarshalIndent(map[string]any{"invocations": log.Runs[0].Invocations, "results": log.Runs[0].Results}, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".sarif", append(results, '\n'))
		})
	}
}

func TestSARIFLevels(t *testing.T) {
	var out bytes.Buffer
	if err := report.SARIF(&out, &report.Run{}); err != nil {
		t.Fatal(err)
	}
	for _, level := range []string{`"level": "error"`, `"level": "warning"`, `"level": "note"`} {
		if !strings.Contains(out.String(), level) {
			t.Errorf("no rule has %s", level)
		}
	}
}

// TestBaseline: what an earlier JSON report had is suppressed in the next run, a change is not, and a gap never.
func TestBaseline(t *testing.T) {
	all := runs()
	var earlier bytes.Buffer
	if err := report.JSON(&earlier, all["many"]); err != nil {
		t.Fatal(err)
	}
	known, err := report.ReadBaseline(&earlier)
	if err != nil {
		t.Fatal(err)
	}
	changed := evil()
	changed.Report.Findings[0].Message = "would call posix.system('something else') on load"
	moved := evil()
	moved.Report.Findings[0].Offset += 100
	for name, c := range map[string]struct {
		result report.Result
		left   int
	}{"the same": {evil(), 0}, "other arguments": {changed, 1}, "another offset": {moved, 0}} {
		r := c.result
		before := r.Artifact
		r.Suppress(func(f modelscan.Finding) (string, bool) {
			return "in the baseline", known[report.Fingerprint(r.Path, f)]
		})
		if len(r.Report.Findings) != c.left || len(r.Suppressed) != 1-c.left {
			t.Errorf("%s: %d left, %d suppressed", name, len(r.Report.Findings), len(r.Suppressed))
		}
		if len(before.Report.Findings) != 1 {
			t.Errorf("%s: the engine's report was changed", name)
		}
	}
	for _, bad := range []string{"", "{}", "[]", `{"version":2,"artifacts":[]}`, "\xff"} {
		if _, err := report.ReadBaseline(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was taken for a baseline", bad)
		}
	}
}

func TestVerdictAndExit(t *testing.T) {
	all := runs()
	for name, want := range map[string]struct {
		verdict  modelscan.Verdict
		worst    rule.Severity
		examined bool
	}{
		"evil":       {modelscan.Unsafe, rule.Critical, true},
		"good":       {modelscan.Safe, 0, true},
		"torn":       {modelscan.Incomplete, 0, false},
		"missing":    {modelscan.Error, 0, false},
		"many":       {modelscan.Unsafe, rule.Critical, false},
		"suppressed": {modelscan.Safe, 0, true},
		"nothing":    {modelscan.Unknown, 0, false},
	} {
		run := all[name]
		if run.Verdict() != want.verdict || run.Worst() != want.worst || run.Examined() != want.examined {
			t.Errorf("%s: %v %v %v", name, run.Verdict(), run.Worst(), run.Examined())
		}
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain.pt":           "plain.pt",
		"größe-模型.pt":        "größe-模型.pt",
		"a\xffb":             `a\xffb`,
		"a\x00\n\x1b\x7fb":   `a\u0000\u000a\u001b\u007fb`,
		"a\u202eb\u2066":     `a\u202eb\u2066`,
		"zero\u200bwidth":    `zero\u200bwidth`,
		"tag\U000e0041":      `tag\U000e0041`,
		"\u0085\u2028\ufeff": `\u0085\u2028\ufeff`,
		"\u3164\ufe0f":       `\u3164\ufe0f`,
		"\xed\xa0\x80":       `\xed\xa0\x80`, // a surrogate half
	} {
		if got := report.Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestURI(t *testing.T) {
	for in, want := range map[string]string{
		"/a b/\xffm#?.pt":       "file:///a%20b/%FFm%23%3F.pt",
		"hf:org/model@main/x.y": "hf:org/model@main/x.y",
	} {
		if got := report.URI(in); got != want {
			t.Errorf("URI(%q) = %q, want %q", in, got, want)
		}
	}
}
