package sigstore

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/secure-torch/secure-torch/internal/evidence"
)

// stages tell sigstore-go's errors apart, most of which have no type: it puts the name of the stage that failed
// before them (pkg/verify/signed_entity.go, Verify). The first that fits counts.
var stages = []struct {
	text string
	code evidence.Code
	say  string
}{
	{"integrated time outside certificate validity", evidence.CertificateExpired, "the certificate was not valid when it signed"},
	{"failed to verify log inclusion", evidence.InvalidLogEntry, "the transparency log's entry is not valid for this signature"},
	{"failed to verify timestamps", evidence.NoTimestamp, "nothing trusted tells when it was signed"},
	{"must provide timestamp", evidence.NoTimestamp, "nothing trusted tells when it was signed"},
	{"failed to verify leaf certificate", evidence.UntrustedCertificate, "no trusted certificate authority vouched for the signer at the time"},
	{"failed to verify signed certificate timestamp", evidence.NoSCT, "the certificate is in no trusted certificate log"},
	{"failed to summarize certificate", evidence.Malformed, "the certificate names nobody"},
	{"failed to verify signature", evidence.InvalidSignature, "the signature is not over this content"},
	{"provided artifact digests do not match", evidence.Tampered, "it signs another file"},
}

// classify gives an error of sigstore-go a stable code. It reports a log that is not in the root and an entry that does
// not hold alike, and so a certificate of nobody and one of another time.
func (r *Root) classify(pb *protobundle.Bundle, err error) error {
	if errors.Is(err, bundle.ErrUnsupportedMediaType) {
		return fail(evidence.Unsupported, "%s", brief(err))
	}
	if strings.Contains(err.Error(), "not enough verified log entries") && !r.knowsLog(pb) {
		return fail(evidence.UnknownLog, "the transparency log that has the entry is not in the trusted root")
	}
	if strings.Contains(err.Error(), "failed to verify leaf certificate") && r.vouched(pb) {
		return fail(evidence.CertificateExpired, "the certificate was not valid when it signed")
	}
	for _, s := range stages {
		if strings.Contains(err.Error(), s.text) {
			return fail(s.code, "%s (%s)", s.say, brief(err))
		}
	}
	return fail(evidence.Malformed, "%s", brief(err))
}

// knowsLog tells whether an entry is of a log that the root knows.
func (r *Root) knowsLog(pb *protobundle.Bundle) bool {
	return slices.ContainsFunc(pb.GetVerificationMaterial().GetTlogEntries(), func(e *protorekor.TransparencyLogEntry) bool {
		_, ok := r.material.RekorLogs()[hex.EncodeToString(e.GetLogId().GetKeyId())]
		return ok
	})
}

// vouched tells whether an authority of the root vouches for the certificate at the time that it was made for.
func (r *Root) vouched(pb *protobundle.Bundle) bool {
	b, err := bundle.NewBundle(pb)
	if err != nil {
		return false
	}
	content, err := b.VerificationContent()
	if err != nil || content.Certificate() == nil {
		return false
	}
	_, err = verify.VerifyLeafCertificate(content.Certificate().NotBefore, content.Certificate(), r.material)
	return err == nil
}
