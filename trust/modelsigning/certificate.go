package modelsigning

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"slices"
	"time"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// maxChain bounds the certificates of one bundle.
const maxChain = 16

// ParseCertificates reads the certificates of a PEM text, at least one.
func ParseCertificates(text []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fail(evidence.UntrustedCertificate, "certificate %d: %w", len(certs)+1, err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, fail(evidence.UntrustedCertificate, "%w \"CERTIFICATE\"", errNoPEM)
	}
	return certs, nil
}

// Chain is the certificates of a bundle that was signed by the certificate method, the signer's first.
func (b *Bundle) Chain() ([]*x509.Certificate, error) {
	list := b.Proto.GetVerificationMaterial().GetX509CertificateChain().GetCertificates()
	if len(list) == 0 || len(list) > maxChain {
		return nil, fail(evidence.Malformed, "a chain of %d certificates", len(list))
	}
	var chain []*x509.Certificate
	for i, c := range list {
		cert, err := x509.ParseCertificate(c.GetRawBytes())
		if err != nil {
			return nil, fail(evidence.Malformed, "certificate %d of the bundle: %w", i+1, err)
		}
		chain = append(chain, cert)
	}
	return chain, nil
}

// CertificatePolicy says which certificates may sign.
type CertificatePolicy struct {
	// Roots are the anchors: certificate authorities, or the signer's own certificate.
	Roots []*x509.Certificate
	// Subject is the common name that the signer's certificate must have; empty for any.
	Subject string
	// At is when the chain has to be valid. The specification (§8.2) wants every certificate within its validity.
	At time.Time
	// Revoked are fingerprints of certificates by way of which no chain counts.
	Revoked []string
}

// VerifyCertificate checks that the bundle was signed with a certificate that the policy accepts, and returns that
// certificate. The chain in the bundle is not trusted: it only helps to find the way to a root.
func (b *Bundle) VerifyCertificate(p CertificatePolicy) (*Statement, *x509.Certificate, error) {
	if b.Method != evidence.Certificate {
		return nil, nil, fail(evidence.WrongMethod, "signed by the %s method, not with a certificate", b.Method)
	}
	chain, err := b.Chain()
	if err != nil {
		return nil, nil, err
	}
	leaf := chain[0]
	if err := verifyChain(leaf, chain[1:], p); err != nil {
		return nil, leaf, err
	}
	key, err := allowedKey(leaf.PublicKey)
	if err != nil {
		return nil, leaf, err
	}
	if err := b.check(key, crypto.SHA256); err != nil { // 0.2.0 used SHA-256 with whatever key a certificate was for
		return nil, leaf, err
	}
	st, err := b.Statement()
	return st, leaf, err
}

func verifyChain(leaf *x509.Certificate, others []*x509.Certificate, p CertificatePolicy) error {
	if len(p.Roots) == 0 {
		return fail(evidence.NoAuthority, "no root certificates to trust")
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range p.Roots {
		roots.AddCert(c)
	}
	for _, c := range others {
		intermediates.AddCert(c)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: p.At, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	})
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		switch invalid.Reason {
		case x509.Expired:
			return fail(evidence.CertificateExpired, "the certificate of %s: %w", Subject(invalid.Cert), err)
		case x509.IncompatibleUsage:
			return fail(evidence.CertificateUsage, "the certificate of %s is for something else than to sign code", Subject(leaf))
		}
	}
	switch {
	case err != nil:
		return fail(evidence.UntrustedCertificate, "the certificate of %s: %w", Subject(leaf), err)
	case !maySign(leaf):
		return fail(evidence.CertificateUsage, "the certificate of %s is not one for signatures", Subject(leaf))
	case !slices.ContainsFunc(chains, p.counts):
		return fail(evidence.Revoked, "the certificate of %s, or one of an authority between it and the root, is revoked", Subject(leaf))
	case p.Subject != "" && leaf.Subject.CommonName != p.Subject:
		return fail(evidence.WrongIdentity, "signed by %s, not by %s", Subject(leaf), clip(p.Subject))
	}
	return nil
}

// counts tells whether none of a chain's certificates is revoked.
func (p *CertificatePolicy) counts(chain []*x509.Certificate) bool {
	return !slices.ContainsFunc(chain, func(c *x509.Certificate) bool { return slices.Contains(p.Revoked, CertificateFingerprint(c)) })
}

// maySign: what a certificate says of its use has to allow signatures over code, and it has to say something. The
// specification is silent, the reference tool takes KeyUsage with digitalSignature or ExtendedKeyUsage with codeSigning;
// RFC 5280 (§4.2.1.12) wants the use to agree with both where both are there.
func maySign(leaf *x509.Certificate) bool {
	extended := len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) > 0
	if extended && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageCodeSigning) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return false
	}
	return leaf.KeyUsage&x509.KeyUsageDigitalSignature != 0 || leaf.KeyUsage == 0 && extended
}

// Subject names who a certificate is for.
func Subject(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	return clip(c.Subject.String())
}

// CertificateFingerprint is the hexadecimal SHA-256 of the certificate's DER.
func CertificateFingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}
