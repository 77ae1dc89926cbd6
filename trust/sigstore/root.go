// Package sigstore verifies Sigstore bundles without a connection: signatures by identities that a certificate
// authority vouched for at the time, recorded in a transparency log. It is pure: bundle, root and time come in.
package sigstore

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// builtin is the root of Sigstore's public instance, with the keys of both generations of its log. It is published
// through TUF by github.com/sigstore/root-signing (target trusted_root.json); `secure-torch trust update` fetches the
// newest one.
//
//go:embed trusted_root.json
var builtin []byte

// MaxRoot bounds a trusted root, in bytes. The public one has 7 KB.
const MaxRoot = 1 << 20

// Root is what is trusted: certificate authorities, logs, timestamping authorities.
type Root struct {
	Info     evidence.TrustedRoot
	material *root.TrustedRoot
	verifier *verify.Verifier
}

// Builtin is the root that came with this program.
func Builtin() (*Root, error) { return newRoot(builtin, "builtin") }

// ParseRoot reads a trusted_root.json that the user chose.
func ParseRoot(data []byte) (*Root, error) { return newRoot(data, "file") }

func newRoot(data []byte, origin string) (*Root, error) {
	if len(data) > MaxRoot {
		return nil, fail(evidence.OverLimit, "a trusted root of %d bytes", len(data))
	}
	material, err := root.NewTrustedRootFromJSON(data)
	if err != nil {
		return nil, fail(evidence.Malformed, "the trusted root: %s", brief(err))
	}
	sum := sha256.Sum256(data)
	r := &Root{material: material, Info: evidence.TrustedRoot{Origin: origin, SHA256: hex.EncodeToString(sum[:]), Newest: newest(material)}}
	opts := []verify.VerifierOption{
		verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1), verify.WithoutStatementPredicate(),
	}
	if len(material.CTLogs()) > 0 { // a private instance may have none
		opts = append(opts, verify.WithSignedCertificateTimestamps(1))
	}
	r.verifier, err = verify.NewVerifier(material, opts...)
	if err != nil {
		return nil, fail(evidence.Malformed, "the trusted root: %s", brief(err))
	}
	return r, nil
}

// newest is when the last of the root's keys and authorities began to be valid: its age in effect.
func newest(m *root.TrustedRoot) time.Time {
	var last time.Time
	later := func(t time.Time) {
		if t.After(last) {
			last = t
		}
	}
	for _, l := range m.RekorLogs() {
		later(l.ValidityPeriodStart)
	}
	for _, l := range m.CTLogs() {
		later(l.ValidityPeriodStart)
	}
	for _, ca := range m.FulcioCertificateAuthorities() {
		if f, ok := ca.(*root.FulcioCertificateAuthority); ok {
			later(f.ValidityPeriodStart)
		}
	}
	for _, a := range m.TimestampingAuthorities() {
		if t, ok := a.(*root.SigstoreTimestampingAuthority); ok {
			later(t.ValidityPeriodStart)
		}
	}
	return last.UTC()
}
