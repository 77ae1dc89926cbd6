package provenance

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/secure-torch/secure-torch/internal/digest"
	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Bounds of a bare signature.
const (
	maxRaw     = 8 << 10 // bytes
	maxEd25519 = 2 << 30 // bytes of the file: Ed25519 signs the content and no digest, so that all of it is held in memory
)

// IsRaw tells whether a signature file is not JSON: the bare signature that openssl pkeyutl or cosign writes. One of 250
// may begin like JSON, but none is UTF-8.
func IsRaw(data []byte) bool {
	return len(data) > 0 && len(data) <= maxRaw && !(utf8.Valid(data) && bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")))
}

// VerifyRaw checks a bare signature over the bytes of the model, which has to be one file, with any of the keys:
// Ed25519 over the content, RSA (PKCS #1 v1.5 or PSS) and ECDSA over its SHA-256. The signature may be in base64. What
// is known of the signer is the key.
func VerifyRaw(ctx context.Context, model *Model, signature []byte, terms Terms) (*evidence.Signature, error) {
	sig := &evidence.Signature{State: evidence.Invalid, Code: evidence.InvalidSignature, Kind: evidence.Blob, Method: evidence.Raw}
	if !model.Single || len(model.Files) != 1 {
		refuse(sig, &evidence.Error{Code: evidence.Unsupported, Err: errors.New("the signature is over one file, and this is a folder")})
		return sig, nil
	}
	f := model.opened
	if f == nil {
		var err error
		if f, err = model.open(model.Files[0]); err != nil {
			return nil, err
		}
		defer f.Close() // opened for reading
	}
	sum, err := digest.Sum(ctx, digest.SHA256, f, 0, f.Key.Size)
	if err != nil {
		return nil, err
	}
	hashed, err := hex.DecodeString(sum)
	if err != nil {
		return nil, err
	}
	message := func() ([]byte, error) {
		if f.Key.Size > maxEd25519 {
			return nil, &evidence.Error{Code: evidence.OverLimit, Err: fmt.Errorf("%d bytes are too many for an Ed25519 signature, which needs all of them in memory", f.Key.Size)}
		}
		return io.ReadAll(io.LimitReader(io.NewSectionReader(f, 0, f.Key.Size), maxEd25519))
	}
	refuse(sig, &evidence.Error{Code: evidence.NoAuthority, Err: errors.New("a bare signature, and no key to verify it with: it names nobody")})
	if len(terms.Authorities) == 0 {
		sig.State = evidence.Unverified
	}
	for _, a := range terms.Authorities {
		if a.Key == nil {
			continue
		}
		if err := checkRaw(a, decode(signature), hashed, message, sig); err != nil {
			refuse(sig, fmt.Errorf("%s: %w", a.Name, err))
			continue
		}
		if err := refusedRaw(a, terms, sig.Fingerprint); err != nil {
			refuse(sig, err)
			return sig, nil
		}
		sig.State, sig.Code, sig.Message, sig.Files = evidence.Trusted, evidence.Verified, "", 1
		return sig, f.Changed()
	}
	return sig, nil
}

// refusedRaw tells why a good bare signature counts for nothing under the terms.
func refusedRaw(a evidence.Authority, terms Terms, fingerprint string) error {
	switch {
	case slices.Contains(terms.Revoked.Keys, fingerprint):
		return &evidence.Error{Code: evidence.Revoked, Err: fmt.Errorf("signed with the key %s, which is revoked", fingerprint)}
	case len(a.Predicates) > 0:
		return &evidence.Error{Code: evidence.WrongIdentity, Err: fmt.Errorf("%s is trusted for statements of certain types, and a bare signature is none", a.Name)}
	case !terms.MinSignedAt.IsZero():
		return &evidence.Error{Code: evidence.TooOld, Err: errors.New("nobody vouches for when it was signed")}
	}
	return nil
}

// decode takes base64 for what it stands for.
func decode(signature []byte) []byte {
	text := bytes.TrimSpace(signature)
	if out, err := base64.StdEncoding.AppendDecode(nil, text); err == nil && len(out) >= 64 {
		return out
	}
	return signature
}

// checkRaw tries one key, and writes into sig whose it is.
func checkRaw(a evidence.Authority, signature, hashed []byte, message func() ([]byte, error), sig *evidence.Signature) error {
	key, der, err := publicKey(a.Key)
	if err != nil {
		return &evidence.Error{Code: evidence.WrongMethod, Err: err}
	}
	sum := sha256.Sum256(der)
	sig.Fingerprint = hex.EncodeToString(sum[:])
	sig.Signer = "key:" + sig.Fingerprint
	good := false
	switch key := key.(type) {
	case ed25519.PublicKey:
		content, err := message()
		if err != nil {
			return err
		}
		good = ed25519.Verify(key, content, signature)
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(key, hashed, signature)
	case *rsa.PublicKey:
		good = rsa.VerifyPKCS1v15(key, crypto.SHA256, hashed, signature) == nil || rsa.VerifyPSS(key, crypto.SHA256, hashed, signature, nil) == nil
	default:
		return &evidence.Error{Code: evidence.WrongMethod, Err: fmt.Errorf("a key of type %T", key)}
	}
	if !good {
		return &evidence.Error{Code: evidence.InvalidSignature, Err: errors.New("the signature is not this key's over this file")}
	}
	return nil
}

// CheckKey tells why a text is no PEM public key, nil when it is one.
func CheckKey(text []byte) error {
	_, _, err := publicKey(text)
	return err
}

// publicKey reads a key that the user trusts.
func publicKey(text []byte) (key any, der []byte, err error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, nil, errors.New("not a PEM public key")
	}
	key, err = x509.ParsePKIXPublicKey(block.Bytes)
	return key, block.Bytes, err
}
