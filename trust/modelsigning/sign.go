package modelsigning

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// Signer holds what signs. Chain is nil for the key method, else the certificates to put into the bundle, the
// signer's own first.
type Signer struct {
	Key   *ecdsa.PrivateKey
	Chain []*x509.Certificate
}

// ParsePrivateKey reads a PEM private key ("PRIVATE KEY" or "EC PRIVATE KEY") of a curve that OMS allows.
func ParsePrivateKey(text []byte) (*ecdsa.PrivateKey, error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, errors.New("no PEM private key")
		}
		var key any
		var err error
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
			return nil, errors.New("the private key is encrypted, which is not supported yet: decrypt it into a file that only you can read")
		case block.Type == "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case block.Type == "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default: // such as EC PARAMETERS
			continue
		}
		if err != nil {
			return nil, err
		}
		ec, ok := key.(*ecdsa.PrivateKey)
		if !ok || hashOf(&ec.PublicKey) == 0 {
			return nil, errors.New("the private key is not of the curve P-256, P-384 or P-521")
		}
		return ec, nil
	}
}

// NewSigner pairs a key with its certificates, if there are any. The first has to be the key's.
func NewSigner(key *ecdsa.PrivateKey, chain []*x509.Certificate) (*Signer, error) {
	if len(chain) > 0 {
		if pub, ok := chain[0].PublicKey.(*ecdsa.PublicKey); !ok || !pub.Equal(&key.PublicKey) {
			return nil, errors.New("the first certificate is not the private key's")
		}
		if !maySign(chain[0]) {
			return nil, fmt.Errorf("the certificate of %s is not one for signatures: it needs the key usage digitalSignature, or codeSigning", Subject(chain[0]))
		}
	}
	return &Signer{Key: key, Chain: chain}, nil
}

// Sign writes the bundle for a model: the listing's files, hashed whole with SHA-256, under the given name. ignore
// are paths that were left out on purpose; they are recorded. A link or anything else that is no file is an error.
func (s *Signer) Sign(name string, l evidence.Listing, ignore []string) ([]byte, error) {
	st, err := manifestOf(name, l, ignore)
	if err != nil {
		return nil, err
	}
	payload, err := json.Marshal(st, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	hash := hashOf(&s.Key.PublicKey)
	h := hash.New()
	h.Write(pae(payload))
	signature, err := s.Key.Sign(rand.Reader, h.Sum(nil), hash)
	if err != nil {
		return nil, err
	}
	var out wireBundle
	out.MediaType = MediaType
	out.Envelope = wireEnvelope{Payload: payload, PayloadType: payloadType, Signatures: []wireSignature{{Sig: signature}}}
	if out.Material, err = s.material(); err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// The JSON of a bundle, as far as it is written here. []byte becomes base64.
type (
	wireBundle struct {
		MediaType string       `json:"mediaType"`
		Material  wireMaterial `json:"verificationMaterial"`
		Envelope  wireEnvelope `json:"dsseEnvelope"`
	}
	wireMaterial struct {
		PublicKey *wireHint  `json:"publicKey,omitzero"`
		Chain     *wireChain `json:"x509CertificateChain,omitzero"`
		Log       []struct{} `json:"tlogEntries"` // the reference tool wants it, empty
	}
	wireHint struct {
		Hint string `json:"hint"`
	}
	wireChain struct {
		Certificates []wireCertificate `json:"certificates"`
	}
	wireCertificate struct {
		RawBytes []byte `json:"rawBytes"`
	}
	wireEnvelope struct {
		Payload     []byte          `json:"payload"`
		PayloadType string          `json:"payloadType"`
		Signatures  []wireSignature `json:"signatures"`
	}
	wireSignature struct {
		Sig   []byte `json:"sig"`
		KeyID string `json:"keyid"`
	}
)

func (s *Signer) material() (wireMaterial, error) {
	m := wireMaterial{Log: []struct{}{}}
	if len(s.Chain) == 0 {
		hint, err := Hint(&s.Key.PublicKey)
		m.PublicKey = &wireHint{hint}
		return m, err
	}
	m.Chain = &wireChain{}
	for _, c := range s.Chain {
		m.Chain.Certificates = append(m.Chain.Certificates, wireCertificate{c.Raw})
	}
	return m, nil
}

// manifestOf is the statement about a model's files (§6.4 to §6.6), sorted by code point.
func manifestOf(name string, l evidence.Listing, ignore []string) (*wireStatement, error) {
	ignored := append(defaultIgnored(), ignore...)
	for _, p := range ignored {
		if !validName(p) || p == "." || strings.ContainsAny(p, "*?[") {
			return nil, fmt.Errorf("%q is no path inside the model to leave out", p)
		}
	}
	w := &wireStatement{Type: statementType, PredicateType: PredicateType, Predicate: wirePredicate{
		Serialization: wireSerialization{Method: "files", HashType: SHA256, IgnorePaths: ignored},
	}}
	root := sha256.New()
	for _, e := range slices.SortedFunc(slices.Values(l.Entries), func(a, b evidence.Entry) int { return cmp.Compare(a.Name, b.Name) }) {
		if evidence.Below(ignored, e.Name) && !l.Single {
			continue
		}
		raw, err := signable(e)
		if err != nil {
			return nil, err
		}
		if l.Single { // as the reference tool names it, which does not find the file otherwise
			e.Name = evidence.SingleName
		}
		root.Write(raw)
		w.Predicate.Resources = append(w.Predicate.Resources, wireResource{Name: e.Name, Digest: e.Digests[0], Algorithm: SHA256})
	}
	if len(w.Predicate.Resources) == 0 {
		return nil, errors.New("there are no files to sign")
	}
	w.Subject = []wireSubject{{Name: name, Digest: map[string]string{SHA256: hex.EncodeToString(root.Sum(nil))}}}
	return w, nil
}

// signable returns the digest of a regular file whose name JSON can hold.
func signable(e evidence.Entry) ([]byte, error) {
	switch {
	case e.Type == evidence.Link, e.Type == evidence.Inner:
		return nil, fmt.Errorf("%q is a symbolic link, which is not signed: leave it out, or put the file in its place", e.Name)
	case e.Type != evidence.Regular:
		return nil, fmt.Errorf("%q is not a regular file", e.Name)
	case !validName(e.Name):
		return nil, fmt.Errorf("%q is no name that a signature can hold: it has to be valid UTF-8", e.Name)
	case len(e.Digests) != 1:
		return nil, fmt.Errorf("%q was not hashed", e.Name)
	}
	raw, err := hex.DecodeString(e.Digests[0])
	if err != nil || len(raw) != crypto.SHA256.Size() {
		return nil, fmt.Errorf("%q was not hashed with SHA-256", e.Name)
	}
	return raw, nil
}
