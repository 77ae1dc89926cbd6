// Package signtest makes keys, certificates and models to sign, for tests: none lies in the repository, where it
// would expire.
package signtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Key makes a private key.
func Key(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	check(t, err)
	return key
}

// PublicPEM is the PEM of a key's public half.
func PublicPEM(t testing.TB, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	check(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// PrivatePEM is the PEM of a private key.
func PrivatePEM(t testing.TB, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	check(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// CertificatePEM is the PEM of certificates.
func CertificatePEM(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// Authority is a certificate authority.
type Authority struct {
	Cert *x509.Certificate
	Key  *ecdsa.PrivateKey
}

// NewAuthority makes one that is signed by parent, or by itself where that is nil.
func NewAuthority(t testing.TB, name string, parent *Authority) *Authority {
	t.Helper()
	return NewAuthorityFor(t, name, parent)
}

// NewAuthorityFor makes one whose certificates are for those uses alone.
func NewAuthorityFor(t testing.TB, name string, parent *Authority, uses ...x509.ExtKeyUsage) *Authority {
	t.Helper()
	a := &Authority{Key: Key(t, elliptic.P256())}
	template := template(name)
	template.ExtKeyUsage = uses
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	if parent == nil {
		parent = &Authority{Cert: template, Key: a.Key}
	}
	a.Cert = sign(t, template, parent, &a.Key.PublicKey)
	return a
}

// Leaf makes a certificate for key; change, if not nil, alters it first.
func (a *Authority) Leaf(t testing.TB, name string, key *ecdsa.PrivateKey, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := template(name)
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	if change != nil {
		change(template)
	}
	return sign(t, template, a, &key.PublicKey)
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
}

func sign(t testing.TB, template *x509.Certificate, by *Authority, key *ecdsa.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, by.Cert, key, by.Key)
	check(t, err)
	cert, err := x509.ParseCertificate(der)
	check(t, err)
	return cert
}

// Listing is a model of the given files.
func Listing(files map[string]string) evidence.Listing {
	var l evidence.Listing
	for name, content := range files {
		sum := sha256.Sum256([]byte(content))
		l.Entries = append(l.Entries, evidence.Entry{Name: name, Size: int64(len(content)), Digests: []string{hex.EncodeToString(sum[:])}})
	}
	return l
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
