package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/rule"
)

// SignatureJSON writes what is known of one signature; docs/sigstore.md lists the codes.
func SignatureJSON(w io.Writer, path string, s *evidence.Signature) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Version   int                `json:"version"`
		Path      string             `json:"path"`
		URI       string             `json:"uri"`
		Verified  bool               `json:"verified"`
		Hint      string             `json:"hint,omitempty"`
		Signature evidence.Signature `json:"signature"`
	}{schemaVersion, Escape(filepath.ToSlash(path)), URI(path), s.State == evidence.Trusted, s.Code.Hint(), escapeSignature(*s)})
}

// escapeSignature makes every text of a signature fit to be shown: whoever signs chooses them.
func escapeSignature(s evidence.Signature) evidence.Signature {
	for _, text := range []*string{&s.Message, &s.Bundle, &s.Signer, &s.Issuer, &s.Log, &s.Repository, &s.Workflow, &s.Predicate, &s.Fingerprint, &s.Rule} {
		*text = Escape(*text)
	}
	for _, list := range []*[]string{&s.Changed, &s.Missing, &s.Unsigned, &s.Ignored, &s.Links} {
		*list = escapeAll(*list)
	}
	return s
}

// SignatureText writes what is known of one signature for people.
func SignatureText(w io.Writer, path string, s *evidence.Signature, colors Palette) error {
	t := textWriter{bufio.NewWriter(w), colors}
	e := escapeSignature(*s)
	mark := t.Severity(rule.High, "✗ NOT VERIFIED")
	switch s.State {
	case evidence.Trusted:
		mark = t.Good("✓ VERIFIED")
	case evidence.Valid:
		mark = t.Severity(rule.Medium, "? SIGNED, and nothing said by whom it should be")
	}
	t.line("%s %s", mark, Escape(filepath.ToSlash(path)))
	field := func(name, value string) {
		if value != "" {
			t.line("  %-11s %s", name, value)
		}
	}
	if e.Message != "" {
		field("why", fmt.Sprintf("%s (%s)", e.Message, e.Code))
	}
	field("signed by", e.Signer)
	field("vouched for", e.Issuer)
	field("source", e.Repository)
	field("workflow", e.Workflow)
	if s.SignedAt != nil {
		field("signed at", s.SignedAt.Format(time.RFC3339))
	}
	if s.LogIndex != nil {
		field("log", fmt.Sprintf("%s entry %d", e.Log, *s.LogIndex))
	}
	if s.Root != nil {
		field("root", fmt.Sprintf("%s, newest part of %s", s.Root.Origin, s.Root.Newest.Format(time.DateOnly)))
	}
	field("signature", strings.TrimSpace(e.Bundle+" "+kindText(s.Kind)))
	if s.State == evidence.Trusted || s.State == evidence.Valid {
		field("files", fmt.Sprintf("%d as signed", s.Files))
	}
	t.names("changed", e.Changed)
	t.names("missing", e.Missing)
	t.names("not signed", e.Unsigned)
	t.names("left out", e.Ignored)
	t.names("links", e.Links)
	field("hint", s.Code.Hint())
	return t.w.Flush()
}

func kindText(k evidence.Kind) string {
	switch k {
	case evidence.Model:
		return "(OpenSSF Model Signing)"
	case evidence.Attestation:
		return "(attestation)"
	case evidence.Blob:
		return "(of one file)"
	}
	return ""
}

// names writes a list of files, cut.
func (t textWriter) names(title string, list []string) {
	const most = 10
	for i, name := range list {
		if i == most {
			t.line("  %-11s … and %d more", "", len(list)-most)
			return
		}
		t.line("  %-11s %s", title, name)
		title = ""
	}
}

// signatureJSON is the section of an artifact's report.
func signatureJSON(s *evidence.Signature) evidence.Signature {
	if s == nil {
		return evidence.Signature{State: evidence.NotChecked}
	}
	return escapeSignature(*s)
}

func sbomJSON(s *evidence.SBOM) jsonSBOM {
	if s == nil {
		return jsonSBOM{State: evidence.NotChecked}
	}
	out := *s
	out.Message, out.Document = Escape(out.Message), Escape(out.Document)
	return jsonSBOM{out.State, &out}
}

func policyJSON(d *evidence.Decision) jsonPolicy {
	switch {
	case d == nil:
		return jsonPolicy{State: string(evidence.NotChecked)}
	case d.Allowed:
		return jsonPolicy{"allowed", d}
	}
	return jsonPolicy{"denied", d}
}

// provenanceLines tell of an artifact's signature in its footer.
func (t textWriter) provenanceLines(s *evidence.Signature) {
	if s == nil {
		return
	}
	e := escapeSignature(*s)
	switch s.State {
	case evidence.Trusted:
		t.line("  signed by %s (%s)", e.Signer, e.Bundle)
	case evidence.Valid:
		t.line("  signed by %s, vouched for by %s (%s): nothing said whether to trust it", e.Signer, e.Issuer, e.Bundle)
	case evidence.Unverified:
		t.line("  signature not verified: %s (%s)", e.Message, e.Code)
	}
}
