package sigstore

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Signer is who made a good signature, and when, as the root's authorities say.
type Signer struct {
	Subject, Issuer string
	SignedAt        time.Time // the earliest that is vouched for
	Entries         []Entry   // of the transparency logs that the root knows, at least one
	Fingerprint     string    // of the leaf certificate
	summary         certificate.Summary
}

// Verify checks a bundle that Sigstore's certificate authority vouches for, whoever signed it: its certificate, the log
// entry, the time, and the signature over the DSSE envelope or over the digest. digest is the SHA-256 of the signed
// file; nil takes the one that the bundle names, which is thereby only known to have been signed.
func (r *Root) Verify(pb *protobundle.Bundle, digest []byte) (*Signer, error) {
	if len(pb.GetVerificationMaterial().GetTlogEntries()) == 0 {
		return nil, ErrNoEntry
	}
	b, err := bundle.NewBundle(pb)
	if err != nil {
		return nil, r.classify(pb, err)
	}
	artifact := verify.WithoutArtifactUnsafe() // what an envelope signs is in its statement; the caller compares that
	if ms := pb.GetMessageSignature(); ms != nil {
		if digest == nil {
			digest = ClaimedDigest(pb)
		}
		if digest == nil {
			return nil, fail(evidence.Unsupported, "the bundle names no SHA-256 of what it signs")
		}
		artifact = verify.WithArtifactDigest("sha256", digest)
	}
	result, err := r.verifier.Verify(b, verify.NewPolicy(artifact, verify.WithoutIdentitiesUnsafe()))
	if err != nil {
		return nil, r.classify(pb, err)
	}
	if result.Signature == nil || result.Signature.Certificate == nil {
		return nil, fail(evidence.WrongMethod, "not signed with a certificate")
	}
	return r.signer(pb, b, result)
}

// ClaimedDigest is the SHA-256 that a message signature's bundle names, nil when it names none.
func ClaimedDigest(pb *protobundle.Bundle) []byte {
	d := pb.GetMessageSignature().GetMessageDigest()
	if d.GetAlgorithm() != protocommon.HashAlgorithm_SHA2_256 || len(d.GetDigest()) != sha256.Size {
		return nil
	}
	return d.GetDigest()
}

func (r *Root) signer(pb *protobundle.Bundle, b *bundle.Bundle, result *verify.VerificationResult) (*Signer, error) {
	s := &Signer{summary: *result.Signature.Certificate, Entries: r.entries(pb)}
	s.Subject, s.Issuer = s.summary.SubjectAlternativeName, s.summary.Issuer
	for _, ts := range result.VerifiedTimestamps {
		if s.SignedAt.IsZero() || ts.Timestamp.Before(s.SignedAt) {
			s.SignedAt = ts.Timestamp.UTC()
		}
	}
	content, err := b.VerificationContent()
	if err != nil {
		return nil, fail(evidence.Malformed, "%s", brief(err))
	}
	s.Fingerprint = fingerprint(content.Certificate())
	return s, nil
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// Repository is the URI of the source repository that a CI job was run for, where the certificate says so.
func (s *Signer) Repository() string { return s.summary.SourceRepositoryURI }

// Workflow is the URI of the job's definition.
func (s *Signer) Workflow() string { return s.summary.BuildConfigURI }

// Fill writes what is known of the signer into a Signature.
func (s *Signer) Fill(out *evidence.Signature) {
	out.Signer, out.Issuer, out.Fingerprint = clip(s.Subject), clip(s.Issuer), s.Fingerprint
	out.Repository, out.Workflow = clip(s.Repository()), clip(s.Workflow())
	if !s.SignedAt.IsZero() {
		out.SignedAt = &s.SignedAt
	}
	if len(s.Entries) > 0 {
		out.Log, out.LogIndex = clip(s.Entries[0].Log), s.Entries[0].Index
	}
}

func fail(code evidence.Code, format string, args ...any) error {
	return &evidence.Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// brief is an error's first line, cut: sigstore-go's errors may quote the input.
func brief(err error) string {
	text, _, _ := strings.Cut(strings.ReplaceAll(err.Error(), "\u00a0", " "), "\n") // protobuf writes no-break spaces
	return clip(strings.TrimSuffix(text, "; error: %!w(<nil>)"))                    // sigstore-go wraps an error that is not there
}

func clip(s string) string {
	const most = 300
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
