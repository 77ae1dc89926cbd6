package report

import (
	"encoding/json"
	"io"
	"path/filepath"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// schemaVersion of the JSON output. Fields are only ever added within a version.
const schemaVersion = 1

// The JSON output; docs/schema/scan.json says the same.
type (
	jsonRun struct {
		Version   int            `json:"version"`
		Tool      jsonTool       `json:"tool"`
		Artifacts []jsonArtifact `json:"artifacts"`
	}
	jsonTool struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	jsonArtifact struct {
		Path        string             `json:"path"`
		URI         string             `json:"uri"`
		Kind        modelscan.Kind     `json:"kind"`
		Formats     []string           `json:"formats"`
		Verdict     modelscan.Verdict  `json:"verdict"`
		ThreatScore int                `json:"threat_score"`
		ThreatLevel modelscan.Level    `json:"threat_level"`
		ScoreParts  map[string]int     `json:"score_parts"`
		Findings    []jsonFinding      `json:"findings"`
		Suppressed  []jsonSuppressed   `json:"suppressed,omitempty"`
		Gaps        []jsonGap          `json:"gaps"`
		Failure     string             `json:"failure,omitempty"`
		Coverage    modelscan.Coverage `json:"coverage"`
		Signature   evidence.Signature `json:"signature"`
		SBOM        jsonSBOM           `json:"sbom"`
		Policy      jsonPolicy         `json:"policy"`
		Sandbox     engine.Sandbox     `json:"sandbox"`
		Digest      string             `json:"digest"`
		Size        int64              `json:"size"`
		DurationMS  float64            `json:"duration_ms"`
		Cached      bool               `json:"cached"`
		Origin      *engine.Origin     `json:"origin,omitempty"`
	}
	jsonFinding struct {
		Rule     rule.ID       `json:"rule"`
		Name     string        `json:"name"`
		Severity rule.Severity `json:"severity"`
		CWE      []string      `json:"cwe"`
		Path     string        `json:"path"`
		Offset   int64         `json:"offset"`
		Subject  string        `json:"subject"`
		Message  string        `json:"message"`
	}
	jsonSuppressed struct {
		jsonFinding
		Reason string `json:"reason"`
	}
	jsonGap struct {
		Rule   rule.ID `json:"rule"`
		Path   string  `json:"path"`
		Offset int64   `json:"offset"`
		Reason string  `json:"reason"`
	}
	jsonSBOM struct {
		State evidence.State `json:"state"`
		*evidence.SBOM
	}
	// jsonPolicy is what policies decided: allowed, denied, or "not checked", which accuses nobody and clears nobody.
	jsonPolicy struct {
		State string `json:"state"`
		*evidence.Decision
	}
)

// JSON writes the run in the layout of docs/schema/scan.json.
func JSON(w io.Writer, run *Run) error {
	out := jsonRun{Version: schemaVersion, Tool: jsonTool{"secure-torch", run.Version}, Artifacts: []jsonArtifact{}}
	for _, r := range run.Results {
		out.Artifacts = append(out.Artifacts, toJSON(r))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// Artifact is one artifact as JSON has it.
func Artifact(r Result) ([]byte, error) { return json.Marshal(toJSON(r)) }

func toJSON(r Result) jsonArtifact {
	score := r.Report.Score()
	a := jsonArtifact{
		Path: Escape(filepath.ToSlash(r.Path)), URI: URI(r.Path), Kind: r.Report.Kind, Formats: orEmpty(r.Report.Formats),
		Verdict: r.Verdict(), ThreatScore: score.Total, ThreatLevel: score.Level, ScoreParts: score.Parts,
		Findings: []jsonFinding{}, Gaps: []jsonGap{}, Failure: Escape(r.Report.Failure), Coverage: r.Report.Coverage,
		Signature: signatureJSON(r.Signature), SBOM: sbomJSON(r.SBOM), Policy: policyJSON(r.Policy),
		Sandbox: r.Sandbox, Digest: r.Digest, Size: r.Size, Cached: r.Cached, Origin: r.Origin,
		DurationMS: float64(r.Duration.Microseconds()) / 1000,
	}
	if r.Origin != nil {
		a.URI = r.Origin.URI
	}
	a.Sandbox.Layers = orEmpty(a.Sandbox.Layers)
	a.Coverage.Notes = escapeAll(a.Coverage.Notes)
	for _, f := range r.Report.Findings {
		a.Findings = append(a.Findings, findingJSON(f))
	}
	for _, s := range r.Suppressed {
		a.Suppressed = append(a.Suppressed, jsonSuppressed{findingJSON(s.Finding), s.Reason})
	}
	for _, g := range r.Report.Gaps {
		a.Gaps = append(a.Gaps, jsonGap{g.Rule, Escape(g.Path), g.Offset, Escape(g.Reason)})
	}
	return a
}

func findingJSON(f modelscan.Finding) jsonFinding {
	r, _ := rule.Get(f.Rule)
	return jsonFinding{
		Rule: f.Rule, Name: r.Name, Severity: f.Rule.Severity(), CWE: orEmpty(r.CWE),
		Path: Escape(f.Path), Offset: f.Offset, Subject: Escape(f.Subject), Message: Escape(f.Message),
	}
}

// orEmpty makes an absent list the empty one, which JSON writes as [] and not as null.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func escapeAll(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, Escape(s))
	}
	return out
}
