package trust

import (
	"crypto/ecdsa"
	"encoding/hex"

	"github.com/go-json-experiment/json"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"

	"github.com/secure-torch/secure-torch/internal/evidence"
	"github.com/secure-torch/secure-torch/trust/modelsigning"
	"github.com/secure-torch/secure-torch/trust/sigstore"
)

// signed is a bundle of any kind.
type signed struct {
	proto     *protobundle.Bundle
	method    evidence.Method
	kind      evidence.Kind
	predicate string
	oms       *modelsigning.Bundle // of an envelope; nil for a message signature
	subjects  []evidence.SignedFile
}

// maxSubjects bounds the subjects of an attestation.
const maxSubjects = 10_000

// parse reads a bundle and what kind of thing it signs. Nothing is verified.
func parse(data []byte) (signed, error) {
	pb, err := modelsigning.ParseProto(data)
	if err != nil {
		return signed{}, err
	}
	s := signed{proto: pb}
	if s.method, err = modelsigning.MethodOf(pb); err != nil {
		return s, err
	}
	if pb.GetMessageSignature() != nil {
		s.kind = evidence.Blob
		return s, nil
	}
	if s.oms, err = modelsigning.New(pb); err != nil {
		return s, err
	}
	return s, s.statement()
}

// statement looks into the envelope: a model's manifest, or an attestation that names digests.
func (s *signed) statement() error {
	var st struct {
		Predicate string `json:"predicateType"`
		Subject   []struct {
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
	}
	if err := json.Unmarshal(s.proto.GetDsseEnvelope().GetPayload(), &st); err != nil {
		return fail(evidence.BadStatement, "the signed statement is not valid JSON")
	}
	s.predicate = st.Predicate
	if modelsigning.Known(st.Predicate) {
		s.kind = evidence.Model
		_, err := s.oms.Statement()
		return err
	}
	s.kind = evidence.Attestation
	for _, sub := range st.Subject {
		if d, err := hex.DecodeString(sub.Digest["sha256"]); err == nil && len(d) == 32 && len(s.subjects) < maxSubjects {
			s.subjects = append(s.subjects, evidence.SignedFile{Digest: hex.EncodeToString(d)})
		}
	}
	if len(s.subjects) == 0 {
		return fail(evidence.BadStatement, "the attestation (%q) names no SHA-256", st.Predicate)
	}
	return nil
}

// manifest is what a bundle with a good signature covers. digest is what a message signature was verified against.
func (s *signed) manifest(digest []byte) (*evidence.Manifest, error) {
	plan := evidence.Plan{Hash: modelsigning.SHA256}
	switch s.kind {
	case evidence.Model:
		st, err := s.oms.Statement()
		if err != nil {
			return nil, err
		}
		return &st.Manifest, nil
	case evidence.Attestation:
		return &evidence.Manifest{Plan: plan, Files: s.subjects, Anonymous: true}, nil
	}
	if digest == nil {
		digest = sigstore.ClaimedDigest(s.proto)
	}
	files := []evidence.SignedFile{{Digest: hex.EncodeToString(digest)}}
	return &evidence.Manifest{Plan: plan, Files: files, Anonymous: true}, nil
}

// hint is how a bundle names its key.
func (s *signed) hint() string { return s.proto.GetVerificationMaterial().GetPublicKey().GetHint() }

// verifyKey checks a signature with a key that the user has.
func (s *signed) verifyKey(key *ecdsa.PublicKey, digest string) (*evidence.Manifest, error) {
	if s.kind == evidence.Blob {
		d, err := s.digest(digest)
		if err != nil {
			return nil, err
		}
		if !ecdsa.VerifyASN1(key, d, s.proto.GetMessageSignature().GetSignature()) {
			return nil, fail(evidence.InvalidSignature, "the signature is not this key's over this file")
		}
		return s.manifest(d)
	}
	if err := s.oms.CheckKey(key); err != nil {
		return nil, err
	}
	return s.manifest(nil)
}

// digest is the SHA-256 to verify a message signature against: the file's, or the one that the bundle names.
func (s *signed) digest(known string) ([]byte, error) {
	if known == "" {
		if d := sigstore.ClaimedDigest(s.proto); d != nil {
			return d, nil
		}
		return nil, fail(evidence.Unsupported, "the bundle names no SHA-256 of what it signs")
	}
	d, err := hex.DecodeString(known)
	if err != nil || len(d) != 32 {
		return nil, errDigest
	}
	return d, nil
}
