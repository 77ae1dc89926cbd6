package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/secure-torch/secure-torch/analyzers"
	"github.com/secure-torch/secure-torch/internal/check"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// The parts of SARIF that only sources need: text regions (§3.30.5), related locations and fixes (§3.55).
type (
	sourceResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sourceLocation   `json:"locations"`
		Related      []sourceLocation   `json:"relatedLocations,omitempty"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Fixes        []sourceFix        `json:"fixes,omitempty"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sourceLocation struct {
		ID       *int           `json:"id,omitempty"`
		Message  *sarifText     `json:"message,omitempty"`
		Physical sourcePhysical `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sourcePhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sourceRegion `json:"region,omitempty"`
	}
	sourceRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
	sourceFix struct {
		Description sarifText      `json:"description"`
		Changes     []sourceChange `json:"artifactChanges"`
	}
	sourceChange struct {
		Artifact     sarifArtifact       `json:"artifactLocation"`
		Replacements []sourceReplacement `json:"replacements"`
	}
	sourceReplacement struct {
		Deleted  sourceRegion `json:"deletedRegion"`
		Inserted sarifContent `json:"insertedContent"`
	}
	sarifContent struct {
		Text string `json:"text"`
	}
	sourceRun struct {
		Tool        sarifTool         `json:"tool"`
		Columns     string            `json:"columnKind"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sourceResult    `json:"results"`
	}
)

// CheckSARIF writes the run as SARIF 2.1.0. Suppressed diagnostics are results with a suppression.
func CheckSARIF(w io.Writer, run *CheckRun) error {
	rules := rule.All()
	index := map[rule.ID]int{}
	for i, r := range rules {
		index[r.ID] = i
	}
	out := sourceRun{Tool: sarifTool{sarifDriver{"secure-torch", run.Version, informationURI, sarifRules(rules)}}, Columns: "unicodeCodePoints",
		Invocations: []sarifInvocation{{Successful: true, Properties: map[string]any{"complete": len(run.Gaps) == 0}}}, Results: []sourceResult{}}
	for _, f := range run.Files {
		for _, d := range f.Diagnostics {
			out.Results = append(out.Results, resultOf(f, d, index))
		}
		for _, s := range f.Suppressed {
			r := resultOf(f, s.Diagnostic, index)
			r.Suppressions = []sarifSuppression{{"inSource", "accepted", Escape(s.Reason)}}
			out.Results = append(out.Results, r)
		}
	}
	for _, g := range run.Gaps {
		inv := &out.Invocations[0]
		inv.Notifications = append(inv.Notifications, sarifNotification{"warning", sarifText{Text: Escape(g.Reason)},
			[]sarifLocation{{Physical: sarifPhysical{Artifact: sarifArtifact{uriReference(g.Path)}}}}})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": []sourceRun{out}})
}

func resultOf(f CheckedFile, d check.Diagnostic, index map[rule.ID]int) sourceResult {
	place := func(s analyzers.Span) sourceRegion {
		r := rangeJSON(f.Lines, s)
		return sourceRegion{r.Line, r.Column, r.EndLine, r.EndColumn}
	}
	region := place(d.Span)
	artifact := sarifArtifact{uriReference(f.Path)}
	out := sourceResult{RuleID: string(d.Rule), RuleIndex: index[d.Rule], Level: sarifLevel(d.Severity), Message: sarifText{Text: Escape(d.Message)},
		Locations:    []sourceLocation{{Physical: sourcePhysical{artifact, &region}}},
		Fingerprints: map[string]string{fingerprintKey: CheckFingerprint(f, d)}}
	for i, rel := range d.Related {
		loc := sourceLocation{ID: &i, Message: &sarifText{Text: Escape(rel.Message)}, Physical: sourcePhysical{Artifact: sarifArtifact{uriReference(rel.Path)}}}
		if rel.Member != "" {
			loc.Logical = []sarifLogical{{Escape(rel.Member), "member"}}
		}
		out.Related = append(out.Related, loc)
	}
	for _, fix := range d.Fixes {
		if f.Lines.Cell(d.Span.Start) > 0 {
			break // SARIF knows no cells
		}
		change := sourceChange{Artifact: artifact}
		for _, e := range fix.Edits {
			change.Replacements = append(change.Replacements, sourceReplacement{place(e.Span), sarifContent{e.New}})
		}
		out.Fixes = append(out.Fixes, sourceFix{sarifText{Text: fix.Title}, []sourceChange{change}})
	}
	return out
}

// CheckFingerprint tells a diagnostic again after lines have moved: it hashes the rule, the path, the
// text of the line and the message, not the line's number.
func CheckFingerprint(f CheckedFile, d check.Diagnostic) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%s", d.Rule, filepath.ToSlash(filepath.Clean(f.Path)), strings.Join(strings.Fields(f.Lines.Text(d.Span.Start)), " "), d.Message)
	return hex.EncodeToString(h.Sum(nil)[:16])
}
