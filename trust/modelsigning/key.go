package modelsigning

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // SHA-384 and SHA-512 for the larger curves
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// ParsePublicKey reads a PEM SubjectPublicKeyInfo of an elliptic curve that OMS allows.
func ParsePublicKey(text []byte) (*ecdsa.PublicKey, error) {
	parsed, err := anyKey(text)
	if err != nil {
		return nil, err
	}
	return allowedKey(parsed)
}

// CheckKey tells why a text is no PEM public key of a kind that signatures are verified with: those of bundles, and Ed25519
// and RSA for bare ones.
func CheckKey(text []byte) error {
	parsed, err := anyKey(text)
	if err != nil {
		return err
	}
	switch parsed.(type) {
	case ed25519.PublicKey, *rsa.PublicKey:
		return nil
	}
	_, err = allowedKey(parsed)
	return err
}

func anyKey(text []byte) (any, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, fail(evidence.WrongMethod, "the key: %w \"PUBLIC KEY\"", errNoPEM)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fail(evidence.WrongMethod, "the key: %w", err)
	}
	return parsed, nil
}

// allowedKey takes the curves of the algorithm registry: P-256, P-384 and P-521.
func allowedKey(key any) (*ecdsa.PublicKey, error) {
	ec, ok := key.(*ecdsa.PublicKey)
	if !ok || hashOf(ec) == 0 {
		return nil, fail(evidence.WrongMethod, "the key is not of the curve P-256, P-384 or P-521")
	}
	return ec, nil
}

// hashOf is the hash that goes with a key's curve; 0 for a curve that is not allowed.
func hashOf(key *ecdsa.PublicKey) crypto.Hash {
	switch key.Curve.Params().Name {
	case "P-256":
		return crypto.SHA256
	case "P-384":
		return crypto.SHA384
	case "P-521":
		return crypto.SHA512
	}
	return 0
}

// Hint identifies a key in a bundle: the hexadecimal SHA-256 of its PEM text, as the reference tool computes it.
func Hint(key *ecdsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	return hex.EncodeToString(sum[:]), nil
}

// Fingerprint is the hexadecimal SHA-256 of the key's SubjectPublicKeyInfo.
func Fingerprint(key *ecdsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "" // only for curves that allowedKey refuses
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// CheckKey checks that the holder of key signed the bundle's envelope, whatever statement it holds. Bundles since
// model_signing 1.1.0 name their key; one that names another key is not tried.
func (b *Bundle) CheckKey(key *ecdsa.PublicKey) error {
	if b.Method != evidence.Key {
		return fail(evidence.WrongMethod, "signed by the %s method, not with a key", b.Method)
	}
	hint, err := Hint(key)
	if err != nil {
		return fail(evidence.WrongMethod, "the key: %w", err)
	}
	if named := b.Proto.GetVerificationMaterial().GetPublicKey().GetHint(); named != "" && named != hint {
		return fail(evidence.WrongKey, "signed with another key: the bundle names the PEM digest %s, this key has %s", clip(named), hint)
	}
	return b.check(key, hashOf(key))
}

// check checks the envelope's signature. legacy is the hash that model_signing 0.2.0 used with this kind of key; its
// encoding is accepted for its statements alone.
func (b *Bundle) check(key *ecdsa.PublicKey, legacy crypto.Hash) error {
	if signedBy(key, hashOf(key), pae(b.payload), b.signature) {
		return nil
	}
	if !signedBy(key, legacy, paeLegacy(b.payload), b.signature) {
		return fail(evidence.InvalidSignature, "the signature is not over this bundle's content with this key")
	}
	if st, err := b.Statement(); err != nil || st.Type != predicateLegacy {
		return fail(evidence.InvalidSignature, "the encoding of version 0.2 around a statement of another version")
	}
	return nil
}

func signedBy(key *ecdsa.PublicKey, hash crypto.Hash, message, signature []byte) bool {
	h := hash.New()
	h.Write(message)
	return ecdsa.VerifyASN1(key, h.Sum(nil), signature)
}
