package report

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// informationURI of the program, and the folder of the rule pages under it.
const informationURI = "https://github.com/secure-torch/secure-torch"

// The parts of SARIF 2.1.0 (OASIS, 2020) that are written here; section numbers are the standard's.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct { // §3.14
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct { // §3.19
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct { // §3.49
		ID            string         `json:"id"`
		Name          string         `json:"name"`
		Short         sarifText      `json:"shortDescription"`
		Help          sarifText      `json:"help"`
		HelpURI       string         `json:"helpUri"`
		Configuration sarifConfig    `json:"defaultConfiguration"`
		Properties    map[string]any `json:"properties"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifInvocation struct { // §3.20
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
		Properties    map[string]any      `json:"properties"`
	}
	sarifNotification struct { // §3.58
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifResult struct { // §3.27
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Properties   map[string]any     `json:"properties,omitempty"`
	}
	sarifSuppression struct { // §3.35
		Kind          string `json:"kind"`
		Status        string `json:"status,omitempty"`
		Justification string `json:"justification"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct { // §3.30.4: a binary region
		ByteOffset int64 `json:"byteOffset"`
		ByteLength int64 `json:"byteLength"`
	}
	sarifLogical struct {
		FullName string `json:"fullyQualifiedName"`
		Kind     string `json:"kind"`
	}
)

// fingerprintKey names the way Fingerprint computes, and its version.
const fingerprintKey = "secureTorch/v1"

// SARIF writes the run as SARIF 2.1.0. Suppressed findings are results with a suppression; gaps are
// results too, so that no viewer shows an incomplete scan as a clean one.
func SARIF(w io.Writer, run *Run) error {
	rules := rule.All()
	out := sarifRun{
		Tool:        sarifTool{sarifDriver{"secure-torch", run.Version, informationURI, sarifRules(rules)}},
		Invocations: []sarifInvocation{{Successful: true, Properties: map[string]any{"complete": run.Examined()}}},
		Results:     []sarifResult{},
	}
	index := map[rule.ID]int{}
	for i, r := range rules {
		index[r.ID] = i
	}
	for _, r := range run.Results {
		out.Results = append(out.Results, sarifResults(r, index)...)
		if r.Report.Failure != "" {
			inv := &out.Invocations[0]
			inv.Successful = false
			inv.Notifications = append(inv.Notifications, sarifNotification{"error", sarifText{Text: Escape(r.Report.Failure)}, []sarifLocation{sarifPlace(r, "", -1)}})
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{out}})
}

func sarifRules(rules []rule.Rule) []sarifRule {
	var out []sarifRule
	for _, r := range rules {
		out = append(out, sarifRule{
			ID: string(r.ID), Name: r.Name, Short: sarifText{Text: r.Title}, Help: sarifText{r.Title, r.Body()},
			HelpURI:       fmt.Sprintf("%s/blob/main/docs/rules/%s.md", informationURI, r.ID),
			Configuration: sarifConfig{sarifLevel(r.Severity)},
			Properties: map[string]any{
				"tags":              slices.Concat([]string{"security"}, cweTags(r.CWE)),
				"security-severity": fmt.Sprintf("%.1f", float64(r.Score)/10),
				"severity":          r.Severity.String(),
			},
		})
	}
	return out
}

// cweTags are in the form that code scanning services read.
func cweTags(cwe []string) []string {
	var tags []string
	for _, id := range cwe {
		tags = append(tags, "external/cwe/"+strings.ToLower(id))
	}
	return tags
}

// sarifLevel maps every severity; an invalid one is loud.
func sarifLevel(s rule.Severity) string {
	switch s {
	case rule.Info, rule.Low:
		return "note"
	case rule.Medium:
		return "warning"
	}
	return "error"
}

func sarifResults(r Result, index map[rule.ID]int) []sarifResult {
	var out []sarifResult
	finding := func(f modelscan.Finding) *sarifResult {
		out = append(out, sarifResult{
			RuleID: string(f.Rule), RuleIndex: index[f.Rule], Level: sarifLevel(f.Rule.Severity()), Message: sarifText{Text: Escape(f.Message)},
			Locations:    []sarifLocation{sarifPlace(r, f.Path, f.Offset)},
			Fingerprints: map[string]string{fingerprintKey: Fingerprint(r.Path, f)},
			Properties:   map[string]any{"subject": Escape(f.Subject), "offset": f.Offset},
		})
		return &out[len(out)-1]
	}
	for _, f := range r.findings() {
		finding(f)
	}
	for _, s := range r.Suppressed {
		finding(s.Finding).Suppressions = []sarifSuppression{{"external", "accepted", Escape(s.Reason)}}
	}
	for _, g := range r.Report.Gaps {
		f := finding(modelscan.Finding{Rule: g.Rule, Path: g.Path, Offset: g.Offset, Message: "not examined: " + g.Reason})
		f.Properties = map[string]any{"offset": g.Offset, "incomplete": true}
	}
	return out
}

// sarifPlace is a place in the artifact. A member's offset is no offset in the file, so only a source
// that is the file itself gets a region.
func sarifPlace(r Result, source string, offset int64) sarifLocation {
	loc := sarifLocation{Physical: sarifPhysical{Artifact: sarifArtifact{uriReference(r.Path)}}}
	if inside := members(r.Report.Artifact, source); len(inside) > 0 {
		loc.Logical = []sarifLogical{{Escape(strings.Join(inside, "!")), "member"}}
	} else if offset >= 0 {
		loc.Physical.Region = &sarifRegion{offset, 1}
	}
	return loc
}

// uriReference is a path relative to the working directory as it is, which is what code scanning
// services look up in the repository, and any other path as a URI.
func uriReference(path string) string {
	if filepath.IsLocal(path) {
		return (&url.URL{Path: filepath.ToSlash(path)}).String()
	}
	return URI(path)
}
