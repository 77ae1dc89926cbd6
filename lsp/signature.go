package lsp

import (
	"fmt"
	"strings"

	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
)

// signedBy is a few words for a line about a model; empty where nobody signed it.
func signedBy(a *engine.Artifact) string {
	s := a.Signature
	if s == nil {
		return ""
	}
	switch s.State {
	case evidence.Trusted:
		return "signed by " + visible(signer(s))
	case evidence.Valid:
		return "signed by " + visible(signer(s)) + ", not in your trust policy"
	case evidence.Invalid:
		return "signature does not hold"
	case evidence.Unverified:
		return "signature not verified"
	}
	return ""
}

// signer names who signed: a CI job by its repository, a key by the begin of its fingerprint.
func signer(s *evidence.Signature) string {
	if repo, ok := strings.CutPrefix(s.Repository, "https://"); ok && repo != "" {
		return strings.TrimPrefix(repo, "github.com/")
	}
	const enough = 20
	if strings.HasPrefix(s.Signer, "key:") && len(s.Signer) > enough {
		return s.Signer[:enough] + "…"
	}
	return s.Signer
}

// provenance are the lines of a hover on where a model comes from and what a policy makes of it.
func provenance(a *engine.Artifact) []string {
	lines := []string{"signature: " + signature(a.Signature)}
	if line := bill(a.SBOM); line != "" {
		lines = append(lines, line)
	}
	return append(lines, decision(a.Policy)...)
}

// bill is a line of Markdown about a bill of materials; empty where there is none.
func bill(b *evidence.SBOM) string {
	switch {
	case b == nil:
		return ""
	case !b.Present && b.Message == "":
		return ""
	case !b.Present:
		return "SBOM: **not understood**: " + plain(b.Message)
	}
	line := "SBOM: " + plain(b.Document) + " (" + plain(b.Format) + ")"
	switch {
	case b.Embedded:
		line += ", which the model file itself holds"
	case !b.Bound:
		line += ", which does not name this file's digest"
	}
	if len(b.Profile.Licenses) > 0 {
		line += ", licence " + plain(strings.Join(b.Profile.Licenses, ", "))
	}
	if n := len(b.Profile.KnownVulnerabilities); n == 1 {
		line += ", 1 known vulnerability"
	} else if n > 1 {
		line += fmt.Sprintf(", %d known vulnerabilities", n)
	}
	return line
}

// decision are lines of Markdown about what a policy says.
func decision(d *evidence.Decision) []string {
	if d == nil {
		return nil
	}
	line := "policy: **denied**"
	if d.Allowed {
		line = "policy: allowed"
	}
	if d.Error != "" {
		line += "; it could not be evaluated: " + plain(d.Error)
	}
	for _, m := range d.Deny {
		line += "; " + plain(m.Msg)
	}
	lines := []string{line}
	for _, m := range d.Warn {
		lines = append(lines, "policy warns: "+plain(m.Msg))
	}
	for _, m := range d.Exempted {
		lines = append(lines, "policy lets pass, by an exception: "+plain(m.Msg))
	}
	return lines
}

// signature is a line of Markdown about one.
func signature(s *evidence.Signature) string {
	if s == nil {
		return "not checked"
	}
	var line string
	switch s.State {
	case evidence.StateNone:
		return "none"
	case evidence.Trusted:
		line = "good, by " + code(s.Signer) + ", whom your trust policy names"
	case evidence.Valid:
		line = "good, by " + code(s.Signer) + ", whom your trust policy does not name"
	case evidence.Invalid:
		line = "**does not hold**: " + plain(s.Message)
	default:
		line = "not verified: " + plain(s.Message)
	}
	if s.Issuer != "" {
		line += ", vouched for by " + plain(s.Issuer)
	}
	if s.SignedAt != nil {
		line += ", on " + s.SignedAt.UTC().Format("2006-01-02 15:04 UTC")
	}
	if s.LogIndex != nil {
		line += fmt.Sprintf(", log entry %d", *s.LogIndex)
		if s.Log != "" {
			line += " of " + plain(s.Log)
		}
	}
	if s.Bundle != "" {
		line += " (" + plain(s.Bundle) + ")"
	}
	if s.Rule != "" {
		line += fmt.Sprintf("; rule: %s", plain(s.Rule))
	}
	return line
}
