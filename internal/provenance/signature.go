package provenance

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/secure-torch/secure-torch/internal/artifact"
	"github.com/secure-torch/secure-torch/internal/digest"
	"github.com/secure-torch/secure-torch/internal/engine"
	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/internal/rule"
	"github.com/secure-torch/secure-torch/modelscan"
	"github.com/secure-torch/secure-torch/sandbox"
)

// signature finds out who signed the file, and says what that means under the trust policy.
func (s *subject) signature(a *engine.Artifact) {
	terms := s.rule()
	sig, err := s.verify(terms)
	if f, ok := errors.AsType[*sandbox.Failure](err); ok && f.Kind == sandbox.Forbidden {
		finding(a, modelscan.Finding{Rule: rule.ForbiddenCall, Subject: f.Detail, Message: "the signature beside it drove the confined process that read it to a forbidden system call"})
	}
	if err != nil {
		sig = &evidence.Signature{State: evidence.Unverified, Code: evidence.CodeOf(err), Message: err.Error()}
	}
	if s.bundle.path != "" {
		sig.Bundle = base(s.bundle.path)
	}
	sig.Rule = terms.Name
	a.Signature = sig
	for _, f := range s.accuse(sig, terms) {
		finding(a, f)
	}
}

// rule is the trust policy's about this source.
func (s *subject) rule() evidence.TrustRule {
	r := evidence.TrustRule{}
	if s.c.set.Trust != nil {
		r = s.c.set.Trust.Rule(s.source.Names()...)
	}
	if len(s.c.set.Signers) > 0 && len(r.Authorities) == 0 && r.Mode != evidence.Deny {
		r.Mode, r.Authorities = evidence.Require, s.c.set.Signers
	}
	if s.c.set.Require && r.Mode != evidence.Deny {
		r.Mode = evidence.Require
	}
	return r
}

// verify holds the file against its signature.
func (s *subject) verify(r evidence.TrustRule) (*evidence.Signature, error) {
	if s.bundle.path == "" {
		return &evidence.Signature{State: evidence.StateNone, Code: evidence.Unsigned}, nil
	}
	around := s.around()
	if s.c.set.Bundle != "" {
		around = nil // it lies where the user says
	}
	data, err := s.read(s.bundle.path, maxBundle, around...)
	if err != nil {
		return nil, err
	}
	terms := s.terms(r)
	switch {
	case IsRaw(data) && s.remote != nil:
		return &evidence.Signature{State: evidence.Unverified, Code: evidence.Unsupported, Message: "a bare signature of a remote file is not looked at: download the file, and `secure-torch verify` it"}, nil
	case IsRaw(data):
		return VerifyRaw(s.ctx, Opened(s.file), data, terms)
	}
	answer, err := s.c.ask(s.ctx, data, terms)
	if err != nil {
		return nil, err
	}
	if answer.Manifest == nil {
		sig := answer.Signature
		return &sig, nil
	}
	return s.compare(answer, r.Lenient)
}

// terms are the rule's, with the roots and revocations that hold for all rules.
func (s *subject) terms(r evidence.TrustRule) Terms {
	terms := Terms{Authorities: r.Authorities, Lenient: r.Lenient, MinSignedAt: r.MinSignedAt, TrustedRoot: s.c.set.TrustedRoot}
	if t := s.c.set.Trust; t != nil {
		terms.Revoked = t.Revoked
		if t.TrustedRoot != nil {
			terms.TrustedRoot = t.TrustedRoot
		}
	}
	return terms
}

// compare holds the file against what was signed.
func (s *subject) compare(answer *evidence.SignatureAnswer, lenient bool) (*evidence.Signature, error) {
	sig := answer.Signature
	if s.remote != nil && !s.remote.comparable(&answer.Manifest.Plan) {
		s.remote.unhashed(&sig)
		return &sig, nil
	}
	if s.c.set.Bundle != "" && !signs(answer.Manifest, s.bundle.name) {
		s.bundle.name = "" // it lies in a folder of the file's, and signs the file alone
	}
	e, err := s.entry(answer.Manifest)
	if err != nil {
		return nil, err
	}
	c := answer.Manifest.Compare(evidence.Listing{Single: s.bundle.name == "", Partial: true, Entries: []evidence.Entry{e}})
	sig.Changed, sig.Unsigned, sig.Ignored, sig.Links = few(c.Changed), few(c.Unsigned), few(c.Ignored), few(c.Links)
	switch err := c.Err(lenient); {
	case err != nil:
		refuse(&sig, err)
	case len(c.Ignored) > 0, len(c.Unsigned) > 0:
		sig.State, sig.Code, sig.Message = evidence.StateNone, evidence.UnsignedFiles, "the signature of its folder does not cover it"
	case s.remote != nil && !s.remote.hashed:
		s.remote.unhashed(&sig)
	}
	return &sig, nil
}

// read reads a file that lies beside the model.
func (s *subject) read(path string, most int64, within ...string) ([]byte, error) {
	if s.remote != nil {
		return s.remote.repo.fetch(s.ctx, path, most)
	}
	return readFile(path, most, within...)
}

// around are the folders that a signature or SBOM beside the file may really lie in: in a hub's cache, its blobs.
func (s *subject) around() []string {
	if s.remote != nil {
		return nil
	}
	full, err := filepath.Abs(s.path)
	if err != nil {
		return nil
	}
	blobs := artifact.BlobsFor(full)
	if blobs == nil {
		return nil
	}
	return append([]string{filepath.Dir(filepath.Dir(blobs[0]))}, blobs...)
}

// entry is the file as the manifest's plan has it hashed: the open file, and not what its path may lead to by now.
func (s *subject) entry(m *evidence.Manifest) (evidence.Entry, error) {
	if s.remote != nil {
		return s.remote.entry(s.bundle.name), nil
	}
	e := evidence.Entry{Name: s.bundle.name, Size: s.file.Key.Size}
	if e.Name == "" {
		e.Name = base(s.path)
	}
	var err error
	if m.Plan.Hash == digest.SHA256 && m.Plan.ShardSize == 0 {
		sum, sumErr := s.sum()
		e.Digests, err = []string{sum}, sumErr
	} else {
		e.Digests, err = digest.Shards(s.ctx, m.Plan.Hash, s.file, s.file.Key.Size, m.Plan.ShardSize)
	}
	return e, err
}

// accuse tells what a signature, or its absence, is under the rule.
func (s *subject) accuse(sig *evidence.Signature, r evidence.TrustRule) []modelscan.Finding {
	strict := r.Mode == evidence.Require
	who := ""
	if len(r.Authorities) > 0 {
		who = " by " + wanted(r)
	}
	say := func(id rule.ID, format string, args ...any) []modelscan.Finding {
		return []modelscan.Finding{{Rule: id, Subject: sig.Signer, Message: fmt.Sprintf(format, args...)}}
	}
	switch {
	case r.Mode == evidence.Deny:
		return say(rule.SignerRefused, "the trust policy lets in nothing from here (%s)", r.Name)
	case sig.State == evidence.Trusted:
		return nil
	case len(sig.Ignored) > 0 && strings.EqualFold(filepath.Ext(s.path), ".py"):
		return say(rule.IgnoredCode, "is code that the signer of %s left out of the signature", sig.Bundle)
	case sig.Code == evidence.UnsignedFiles && strict && !r.Lenient: // a file put beside the signed ones is not signed
		return say(rule.SignatureRequired, "is not among the files that %s signs, and a signature%s is required", sig.Bundle, who)
	case sig.Code == evidence.UnsignedFiles:
		return say(rule.UnsignedFile, "%s signs the files of this folder, and not this one", sig.Bundle)
	case sig.State == evidence.StateNone:
		switch r.Mode {
		case evidence.Require:
			return say(rule.SignatureRequired, "has no signature, and one%s is required", who)
		case evidence.Warn:
			return say(rule.Unsigned, "has no signature")
		}
		return nil
	case sig.State == evidence.Valid:
		if strict {
			return say(rule.SignatureRequired, "is signed by %s, and nobody said that this signer is trusted", sig.Signer)
		}
		return nil
	}
	return say(accusation(sig.Code, strict, len(r.Authorities) > 0), "%s: %s", sig.Bundle, sig.Message)
}

// accusation is the rule for a signature that does not hold.
func accusation(code evidence.Code, strict, asked bool) rule.ID {
	switch code {
	case evidence.Tampered, evidence.InvalidSignature, evidence.InvalidLogEntry, evidence.Missing:
		return rule.SignatureInvalid
	case evidence.Revoked, evidence.TooOld:
		return rule.SignerRefused
	case evidence.WrongIdentity, evidence.WrongKey, evidence.WrongMethod, evidence.UntrustedCertificate, evidence.CertificateExpired, evidence.CertificateUsage:
		if asked {
			return rule.WrongSigner
		}
	}
	if strict {
		return rule.SignatureRequired
	}
	return rule.SignatureUnverified
}

// wanted names those whose signature a rule asks for.
func wanted(r evidence.TrustRule) string {
	var names []string
	for _, a := range r.Authorities {
		names = append(names, a.Name)
	}
	return strings.Join(names, " or ")
}
