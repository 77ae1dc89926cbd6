// Package virtual is a Sigstore instance in memory, for tests: a certificate authority, a transparency log and a
// timestamping authority that sign whatever they are given, for as long as the test runs.
package virtual

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"google.golang.org/protobuf/encoding/protojson"
)

// Instance is one Sigstore instance.
type Instance struct{ ca *ca.VirtualSigstore }

// New makes an instance.
func New(t testing.TB) *Instance {
	t.Helper()
	v, err := ca.NewVirtualSigstore()
	check(t, err)
	return &Instance{v}
}

// Root is the instance's trusted_root.json. change, if not nil, alters the log's description first.
func (i *Instance) Root(t testing.TB, change func(*root.TransparencyLog)) []byte {
	t.Helper()
	logs := logsOf(t, i.ca.RekorLogs())
	for _, l := range logs {
		if change != nil {
			change(l)
		}
	}
	// No certificate log: the instance's certificates are in none.
	return i.assemble(t, i, logs, nil)
}

// RootOf is a trusted root with this instance's log and the certificate authority of another one; change, if not nil,
// alters that.
func (i *Instance) RootOf(t testing.TB, other *Instance, change func(*root.FulcioCertificateAuthority)) []byte {
	t.Helper()
	if change != nil {
		for _, ca := range other.ca.FulcioCertificateAuthorities() {
			f, ok := ca.(*root.FulcioCertificateAuthority)
			if !ok {
				t.Fatalf("%T", ca)
			}
			before := *f
			defer func() { *f = before }()
			change(f)
		}
	}
	return i.assemble(t, other, logsOf(t, i.ca.RekorLogs()), nil)
}

// RootWithCertificateLog is the instance's root, in which every certificate has to be in another instance's log.
func (i *Instance) RootWithCertificateLog(t testing.TB, other *Instance) []byte {
	t.Helper()
	return i.assemble(t, i, logsOf(t, i.ca.RekorLogs()), logsOf(t, other.ca.RekorLogs()))
}

// logsOf gives logs the identifiers that a trusted root has: the instance puts their text there.
func logsOf(t testing.TB, logs map[string]*root.TransparencyLog) map[string]*root.TransparencyLog {
	t.Helper()
	for _, l := range logs {
		id, err := hex.DecodeString(string(l.ID))
		check(t, err)
		l.ID = id
	}
	return logs
}

func (i *Instance) assemble(t testing.TB, authorities *Instance, logs, certificateLogs map[string]*root.TransparencyLog) []byte {
	t.Helper()
	tr, err := root.NewTrustedRoot(root.TrustedRootMediaType01, authorities.ca.FulcioCertificateAuthorities(), certificateLogs, i.ca.TimestampingAuthorities(), logs)
	check(t, err)
	out, err := json.Marshal(tr)
	check(t, err)
	return out
}

// Attest is a bundle in which the identity signs an in-toto statement.
func (i *Instance) Attest(t testing.TB, identity, issuer string, statement []byte) []byte {
	t.Helper()
	return i.AttestAt(t, identity, issuer, statement, time.Now().Add(5*time.Minute))
}

// AttestAt is the same at another time: the certificate is of now, and of a short life.
func (i *Instance) AttestAt(t testing.TB, identity, issuer string, statement []byte, at time.Time) []byte {
	t.Helper()
	e, err := i.ca.AttestAtTime(identity, issuer, statement, at, true)
	check(t, err)
	return i.bundle(t, e, "application/vnd.dev.sigstore.bundle.v0.3+json")
}

// AttestTiled is the same with an entry of the log's second generation.
func (i *Instance) AttestTiled(t testing.TB, identity, issuer string, statement []byte) []byte {
	t.Helper()
	e, err := i.ca.AttestHashedRekordV2(identity, issuer, statement)
	check(t, err)
	return i.bundle(t, e, "application/vnd.dev.sigstore.bundle.v0.3+json")
}

// Sign is a bundle in which the identity signs a file. Its log entry is only promised, as before version 0.2.
func (i *Instance) Sign(t testing.TB, identity, issuer string, content []byte) []byte {
	t.Helper()
	e, err := i.ca.Sign(identity, issuer, content)
	check(t, err)
	return i.bundle(t, e, "application/vnd.dev.sigstore.bundle+json;version=0.1")
}

// bundle writes what the instance signed as a bundle's JSON.
func (i *Instance) bundle(t testing.TB, e *ca.TestEntity, mediaType string) []byte {
	t.Helper()
	pb := &protobundle.Bundle{MediaType: mediaType, VerificationMaterial: &protobundle.VerificationMaterial{}}
	vc, err := e.VerificationContent()
	check(t, err)
	certificate(vc.Certificate(), mediaType, pb.VerificationMaterial)
	stamps, err := e.Timestamps()
	check(t, err)
	pb.VerificationMaterial.TimestampVerificationData = &protobundle.TimestampVerificationData{}
	for _, s := range stamps {
		pb.VerificationMaterial.TimestampVerificationData.Rfc3161Timestamps = append(
			pb.VerificationMaterial.TimestampVerificationData.Rfc3161Timestamps, &protocommon.RFC3161SignedTimestamp{SignedTimestamp: s})
	}
	entries, err := e.TlogEntries()
	check(t, err)
	for _, entry := range entries {
		pb.VerificationMaterial.TlogEntries = append(pb.VerificationMaterial.TlogEntries, i.entry(t, entry))
	}
	sc, err := e.SignatureContent()
	check(t, err)
	if env := sc.EnvelopeContent(); env != nil {
		raw := env.RawEnvelope()
		payload, err := base64.StdEncoding.DecodeString(raw.Payload)
		check(t, err)
		pb.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
			Payload: payload, PayloadType: raw.PayloadType, Signatures: []*protodsse.Signature{{Sig: sc.Signature()}},
		}}
	} else {
		pb.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: sc.MessageSignatureContent().Digest()},
			Signature:     sc.Signature(),
		}}
	}
	out, err := protojson.Marshal(pb)
	check(t, err)
	return out
}

// certificate puts a certificate in as a bundle of that version holds it.
func certificate(c *x509.Certificate, mediaType string, m *protobundle.VerificationMaterial) {
	leaf := &protocommon.X509Certificate{RawBytes: c.Raw}
	if mediaType == "application/vnd.dev.sigstore.bundle.v0.3+json" {
		m.Content = &protobundle.VerificationMaterial_Certificate{Certificate: leaf}
		return
	}
	m.Content = &protobundle.VerificationMaterial_X509CertificateChain{
		X509CertificateChain: &protocommon.X509CertificateChain{Certificates: []*protocommon.X509Certificate{leaf}},
	}
}

// entry completes a log entry: the instance leaves out its kind, and the promise over it.
func (i *Instance) entry(t testing.TB, e *tlog.Entry) *protorekor.TransparencyLogEntry {
	t.Helper()
	tle := e.TransparencyLogEntry()
	var kind struct {
		Kind       string `json:"kind"`
		APIVersion string `json:"apiVersion"`
	}
	check(t, json.Unmarshal(tle.CanonicalizedBody, &kind))
	tle.KindVersion = &protorekor.KindVersion{Kind: kind.Kind, Version: kind.APIVersion}
	if e.IsRekorV2() {
		return tle
	}
	set, err := i.ca.RekorSignPayload(tlog.RekorPayload{
		Body: base64.StdEncoding.EncodeToString(tle.CanonicalizedBody), IntegratedTime: tle.IntegratedTime,
		LogIndex: tle.LogIndex, LogID: hex.EncodeToString(tle.LogId.KeyId),
	})
	check(t, err)
	tle.InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: set}
	return tle
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
