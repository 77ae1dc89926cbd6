package provenance

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
)

// The input of a policy; docs/schema/policy-input.json says the same.
type (
	policyInput struct {
		Artifact    inputArtifact       `json:"artifact"`
		Verdict     modelscan.Verdict   `json:"verdict"`
		Findings    []inputFinding      `json:"findings"`
		Gaps        []modelscan.Gap     `json:"gaps"`
		Threat      inputThreat         `json:"threat"`
		Signature   *evidence.Signature `json:"signature"`
		SBOM        *evidence.SBOM      `json:"sbom"`
		AIProfile   evidence.AIProfile  `json:"aiProfile"`
		Source      Source              `json:"source"`
		Environment string              `json:"environment"`
	}
	inputArtifact struct {
		Path    string         `json:"path"`
		Name    string         `json:"name"`
		Kind    modelscan.Kind `json:"kind"`
		Formats []string       `json:"formats"`
		Size    int64          `json:"size"`
		Digest  string         `json:"digest"`
	}
	inputFinding struct {
		Rule     rule.ID       `json:"rule"`
		Name     string        `json:"name"`
		Severity rule.Severity `json:"severity"`
		Path     string        `json:"path"`
		Subject  string        `json:"subject"`
		Message  string        `json:"message"`
	}
	inputThreat struct {
		Score int             `json:"score"`
		Level modelscan.Level `json:"level"`
		Parts map[string]int  `json:"parts"`
	}
)

// Input is what a policy is told of an artifact.
func Input(a *engine.Artifact, source Source, environment string) ([]byte, error) {
	score := a.Report.Score()
	in := policyInput{
		Artifact: inputArtifact{source.Path, a.Report.Artifact, a.Report.Kind, a.Report.Formats, a.Size, a.Digest},
		Verdict:  a.Verdict(), Findings: []inputFinding{}, Gaps: a.Report.Gaps,
		Threat:    inputThreat{score.Total, score.Level, score.Parts},
		Signature: a.Signature, SBOM: a.SBOM, Source: source, Environment: environment,
	}
	if in.SBOM == nil {
		in.SBOM = &evidence.SBOM{State: evidence.NotChecked}
	}
	in.AIProfile = in.SBOM.Profile
	if in.Signature == nil {
		in.Signature = &evidence.Signature{State: evidence.NotChecked}
	}
	for _, f := range a.Report.Findings {
		r, _ := rule.Get(f.Rule)
		in.Findings = append(in.Findings, inputFinding{f.Rule, r.Name, f.Rule.Severity(), f.Path, f.Subject, f.Message})
	}
	return json.Marshal(in)
}

// policies has the user's policies decide about the artifact.
func (s *subject) policies(a *engine.Artifact) {
	if !s.c.set.decides() {
		return
	}
	start := time.Now()
	input, err := Input(a, s.source, s.c.set.Environment)
	if s.c.set.Show != nil && err == nil {
		s.c.set.Show(input)
		return
	}
	var d evidence.Decision
	if err == nil {
		d, err = Decide(s.ctx, s.c.asks, s.c.set.Policies, input)
	}
	if err == nil {
		err = s.c.set.Audit.write(s.c.set.Policies, input, s.path, a.Digest, d, time.Since(start))
	}
	if err != nil { // fail closed: what could not be decided, or not be written down, is denied
		d = evidence.Decision{Error: err.Error()}
	}
	a.Policy = &d
	if d.Error != "" {
		finding(a, modelscan.Finding{Rule: rule.PolicyFailed, Message: "the policy could not decide, which denies: " + d.Error})
	}
	for _, m := range d.Deny {
		finding(a, modelscan.Finding{Rule: rule.PolicyDenied, Subject: m.Rule, Message: m.Msg})
	}
	for _, m := range d.Warn {
		finding(a, modelscan.Finding{Rule: rule.PolicyWarning, Subject: m.Rule, Message: m.Msg})
	}
}

// Decide has policies decide about one input.
func Decide(ctx context.Context, to Asker, policies []evidence.Module, input []byte) (evidence.Decision, error) {
	answer, err := AskPolicy(ctx, to, evidence.PolicyQuestion{Modules: policies, Inputs: []json.RawMessage{input}})
	switch {
	case err != nil:
		return evidence.Decision{}, err
	case answer.Error != "":
		return evidence.Decision{Error: answer.Error}, nil
	case len(answer.Decisions) != 1:
		return evidence.Decision{}, fmt.Errorf("the trust worker's answer: %d decisions", len(answer.Decisions))
	}
	d := answer.Decisions[0]
	if d.Allowed && (len(d.Deny) > 0 || d.Error != "") {
		return evidence.Decision{}, fmt.Errorf("the trust worker's answer contradicts itself")
	}
	if !d.Allowed && len(d.Deny) == 0 && d.Error == "" {
		d.Error = "denied without a reason"
	}
	return d, nil
}

// AskPolicy has the trust worker evaluate or test policies.
func AskPolicy(ctx context.Context, to Asker, q evidence.PolicyQuestion) (*evidence.PolicyAnswer, error) {
	q.Now = time.Now()
	return ask[evidence.PolicyAnswer](ctx, to, evidence.AskPolicy, q, maxDecision)
}
