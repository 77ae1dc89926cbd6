package lsp

import (
	"fmt"
	"strings"
	"time"

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
	if b := a.SBOM; b != nil && b.Present {
		line := "SBOM: " + plain(b.Document) + " (" + plain(b.Format) + ")"
		if !b.Bound {
			line += ", which does not name this file's digest"
		}
		if len(b.Profile.Licenses) > 0 {
			line += ", licence " + plain(strings.Join(b.Profile.Licenses, ", "))
		}
		lines = append(lines, line)
	}
	if d := a.Policy; d != nil {
		line := "policy: denied"
		if d.Allowed {
			line = "policy: allowed"
		}
		for _, m := range d.Deny {
			line += "; " + plain(m.Msg)
		}
		lines = append(lines, line)
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
		line += ", on " + s.SignedAt.UTC().Format(time.DateOnly)
	}
	if s.Bundle != "" {
		line += " (" + plain(s.Bundle) + ")"
	}
	if s.Rule != "" {
		line += fmt.Sprintf("; rule: %s", plain(s.Rule))
	}
	return line
}
