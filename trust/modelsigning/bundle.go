// Package modelsigning reads, checks and writes OpenSSF Model Signing (OMS) bundles, version 1.0 of the specification
// and what its reference tool wrote before: signatures over the manifest of a model's files.
//
// It does no IO: a bundle and the digests of files come in as values, as they do into a confined worker.
package modelsigning

import (
	"errors"
	"fmt"
	"strings"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// MaxBundle bounds a bundle, in bytes. The manifest of 100,000 files takes about 20 MB.
const MaxBundle = 64 << 20

// MediaType is what a bundle is written as; the mediaTypeBase with other versions is read too.
const (
	MediaType     = "application/vnd.dev.sigstore.bundle.v0.3+json"
	mediaTypeBase = "application/vnd.dev.sigstore.bundle"
)

// payloadType of a DSSE envelope around an in-toto statement.
const payloadType = "application/vnd.in-toto+json"

// Bundle is a Sigstore bundle whose JSON was understood, and nothing in which is to be believed yet.
type Bundle struct {
	Method evidence.Method
	// Proto is the bundle as it was read.
	Proto *protobundle.Bundle

	payload   []byte
	signature []byte
}

// ParseProto reads the JSON of any Sigstore bundle.
func ParseProto(data []byte) (*protobundle.Bundle, error) {
	if len(data) > MaxBundle {
		return nil, fail(evidence.OverLimit, "bundle of %d bytes, more than %d", len(data), MaxBundle)
	}
	pb := new(protobundle.Bundle)
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, pb); err != nil {
		return nil, fail(evidence.Malformed, "not the JSON of a Sigstore bundle: %s", brief(err))
	}
	if !strings.HasPrefix(pb.GetMediaType(), mediaTypeBase) {
		return nil, fail(evidence.Unsupported, "media type %q is not a Sigstore bundle's", clip(pb.GetMediaType()))
	}
	return pb, nil
}

// New takes a bundle that was read with ParseProto and has one DSSE signature over an in-toto statement. It takes the
// old publicKey with rawBytes too, and signatures with a null keyid (§11.1). The error is an *evidence.Error.
func New(pb *protobundle.Bundle) (*Bundle, error) {
	env := pb.GetDsseEnvelope()
	switch {
	case env == nil:
		return nil, fail(evidence.Unsupported, "the bundle holds no DSSE envelope")
	case len(env.Signatures) != 1:
		return nil, fail(evidence.Malformed, "%d signatures in the envelope, not one", len(env.Signatures))
	case env.PayloadType != payloadType:
		return nil, fail(evidence.Malformed, "payload type %q is not %s", clip(env.PayloadType), payloadType)
	case len(env.Signatures[0].Sig) == 0:
		return nil, fail(evidence.Malformed, "the signature is empty")
	}
	method, err := MethodOf(pb)
	if err != nil {
		return nil, err
	}
	return &Bundle{Method: method, Proto: pb, payload: env.Payload, signature: env.Signatures[0].Sig}, nil
}

// MethodOf tells with what kind of key material a bundle was signed (§4.1).
func MethodOf(pb *protobundle.Bundle) (evidence.Method, error) {
	m := pb.GetVerificationMaterial()
	switch {
	case m.GetPublicKey() != nil:
		return evidence.Key, nil
	case m.GetCertificate() != nil:
		return evidence.Sigstore, nil
	case m.GetX509CertificateChain() != nil && len(m.GetTlogEntries()) > 0:
		return evidence.Sigstore, nil // bundles before version 0.3 carry Fulcio's certificate in a chain
	case m.GetX509CertificateChain() != nil:
		return evidence.Certificate, nil
	}
	return "", fail(evidence.Malformed, "the bundle names neither a key nor a certificate")
}

// fail is an *evidence.Error.
func fail(code evidence.Code, format string, args ...any) error {
	return &evidence.Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// brief is an error's first line, without the input that protojson quotes.
func brief(err error) string {
	text, _, _ := strings.Cut(strings.ReplaceAll(err.Error(), "\u00a0", " "), "\n") // protobuf writes no-break spaces
	return clip(text)
}

// clip cuts what goes from a bundle into an error.
func clip(s string) string {
	const most = 160
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// errNoPEM says that a text holds nothing of what was looked for.
var errNoPEM = errors.New("no such PEM block")
